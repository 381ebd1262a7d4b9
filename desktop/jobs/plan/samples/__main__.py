"""`python -m desktop.jobs.plan.samples`: lays the sample down, or answers as its model.

build FOLDER   writes the sample's files; prints what a demo needs to know, as JSON
model PORT     answers on loopback as the model that knows the task, until it is ended;
               with --seconds as slowly as a real one
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from desktop.jobs.code.samples.model import MODEL, Answers, serve
from desktop.jobs.plan.samples import bakery
from desktop.jobs.plan.samples.model import answers


def main() -> int:
    parser = argparse.ArgumentParser(prog="desktop.jobs.plan.samples", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build").add_argument("folder", type=Path)
    model = commands.add_parser("model")
    model.add_argument("port", type=int)
    model.add_argument("--seconds", type=float, default=0.0)
    options = parser.parse_args()
    if options.command == "model":
        serve(options.port, _slow(answers(bakery.RULES), options.seconds))
        return 0
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, text in bakery.FILES.items():
        (options.folder / name).write_text(text, encoding="utf-8", newline="\n")
    told = {
        "task": bakery.TASK,
        "question": bakery.QUESTION,
        "answer": bakery.ANSWER,
        "artifact": bakery.ARTIFACT,
        "files": sorted(bakery.FILES),
        "model": MODEL,
    }
    sys.stdout.write(f"{json.dumps(told)}\n")
    return 0


def _slow(told: Answers, seconds: float) -> Answers:
    def answer(body: Mapping[str, object]) -> dict[str, object]:
        time.sleep(seconds)
        return told(body)

    return answer


if __name__ == "__main__":
    sys.exit(main())
