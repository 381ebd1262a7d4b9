"""What the program of a part does around its steps: options, one bad step, the file, the table."""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.benchmarks import machine
from tests.benchmarks.report import Part, table

Step = Callable[[Part, bool], None]
"""Adds what it measures to the part; the second says whether less of it will do."""


def run(part: Part, *steps: Step, words: Sequence[str] | None = None) -> None:
    """Take the steps, save after each, and print the table.

    A step that fails is named in the notes with its error, and keeps none of the others.

    Args:
        part: what is filled; what is there already is kept.
        words: the command line, that of this process when None.
    """
    parser = argparse.ArgumentParser(description=part.title)
    default = machine.WORK / f"{part.name}.json"
    parser.add_argument("--out", type=Path, default=default, help="where the part is saved")
    parser.add_argument("--quick", action="store_true", help="less of everything, to see it work")
    asked = parser.parse_args(words)
    # A package called "tests" may lie in site-packages, and a job's child starts elsewhere.
    os.environ["PYTHONPATH"] = str(machine.ROOT)
    begun = time.monotonic()
    machine.WORK.mkdir(exist_ok=True)
    part.mood = machine.mood()
    for step in steps:
        try:
            step(part, asked.quick)
        except (Exception, SystemExit) as error:
            traceback.print_exc(file=sys.stderr)
            name = step.__name__.replace("_", " ")
            part.notes.append(f"**Not measured**: {name} ({type(error).__name__}: {error}).")
        part.seconds = time.monotonic() - begun
        part.save(asked.out)
    print(table(part), flush=True)
