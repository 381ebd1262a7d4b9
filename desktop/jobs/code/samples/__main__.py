"""`python -m desktop.jobs.code.samples`: lays the sample down, or answers as its model.

build FOLDER   makes the repository and its remote; prints what a demo needs to know, as JSON
model PORT     answers on loopback as the model that mends it, until it is ended
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from desktop.jobs.code.samples import model, till
from desktop.jobs.code.samples.building import build


def main() -> int:
    parser = argparse.ArgumentParser(prog="desktop.jobs.code.samples", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build").add_argument("folder", type=Path)
    commands.add_parser("model").add_argument("port", type=int)
    options = parser.parse_args()
    if options.command == "model":
        model.serve(options.port, model.knowing(till.STEPS))
        return 0
    options.folder.mkdir(parents=True, exist_ok=True)
    made = build(options.folder, till.NAME, till.FILES)
    told = {
        "repository": str(made.folder),
        "remote": str(made.remote),
        "instructions": till.INSTRUCTIONS,
        "question": till.QUESTION,
        "answer": till.UTC,
        "model": model.MODEL,
        "passed": till.PASSED_BEFORE,
        "failed": till.FAILED_BEFORE,
    }
    sys.stdout.write(f"{json.dumps(told)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
