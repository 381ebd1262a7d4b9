"""Plays the examples and writes them down, or is one of the programs that they need.

python -m tests.examples                 plays all and writes docs/examples/
python -m tests.examples --to FOLDER     writes them there
python -m tests.examples model PORT      the scripted model
python -m tests.examples site PORT       the local web site and its search engine
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
from pathlib import Path

from desktop.jobs.code.samples.model import serve
from desktop.jobs.plan.samples.model import answers
from tests.examples import site
from tests.examples.all_of_them import PAGES, RULES, STEPS

DOCS = Path(__file__).resolve().parents[2] / "docs" / "examples"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.examples")
    parser.add_argument("program", nargs="?", choices=("model", "site"))
    parser.add_argument("port", nargs="?", type=int, default=0)
    parser.add_argument("--to", type=Path, default=DOCS)
    asked = parser.parse_args()
    match asked.program:
        case "model":
            serve(asked.port, answers(RULES, STEPS))
        case "site":
            site.serve(asked.port, PAGES)
        case _:
            asyncio.run(_record(asked.to))
    return 0


async def _record(folder: Path) -> None:
    from tests.examples.performing import performed

    told = await performed(sys.stdout)
    shutil.rmtree(folder, ignore_errors=True)
    for name, files in told.items():
        for path, text in files.items():
            place = folder / name / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main())
