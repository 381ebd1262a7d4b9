"""Plant bugs, one at a time, and see whether the rungs find them."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.mutants.bugs import Bug, all_bugs, plant
from tests.mutants.rungs import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("names", nargs="*", help="bugs; every one when none is named")
    parser.add_argument("--all", action="store_true", help="ask every rung that a bug names")
    parser.add_argument("--rung", default="", help="ask this rung instead")
    asked = parser.parse_args()
    bugs = [bug for bug in all_bugs() if not asked.names or bug.name in asked.names]
    found = sum(_is_found(bug, is_all=asked.all, other=asked.rung) for bug in bugs)
    print(f"planted bugs  tried {len(bugs)}  found {found}")
    return 0 if bugs and found == len(bugs) else 1


def _is_found(bug: Bug, *, is_all: bool, other: str) -> bool:
    """Ask the rungs; every one that is asked must find the bug."""
    rungs = (other,) if other else bug.found_by if is_all else bug.found_by[:1]
    with tempfile.TemporaryDirectory(prefix="deskhand-bug-") as folder:
        plant(bug, Path(folder))
        verdicts = [run(rung, Path(folder)) for rung in rungs]
    for verdict in verdicts:
        word = "found" if verdict.is_found else "BROKEN" if verdict.is_broken else "MISSED"
        print(f"  {bug.name:26} {word:7} {verdict.seconds:6.1f} s  {verdict.rung}", flush=True)
        if not verdict.is_found:
            print(f"    {bug.wrong}\n    " + verdict.said.replace("\n", "\n    "), file=sys.stderr)
    return all(verdict.is_found for verdict in verdicts)


if __name__ == "__main__":
    sys.exit(main())
