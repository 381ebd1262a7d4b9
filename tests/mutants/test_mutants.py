"""The planted bugs fit the product as it is, and the cheapest of them are found here and now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.bugs import Bug, all_bugs, plant, why_not
from tests.mutants.rungs import RUNGS, run

BUGS = all_bugs()
QUICK = ("gap_accepted", "event_counted_twice")


def test_there_are_enough_of_them() -> None:
    assert len(BUGS) >= 16
    assert len({bug.name for bug in BUGS}) == len(BUGS)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_still_fits_the_product(bug: Bug) -> None:
    assert not why_not(bug), "the product has moved on: write the patch anew"
    assert bug.name == bug.path.stem
    assert bug.wrong.endswith(".")
    assert all(rung.partition(" ")[0] in RUNGS for rung in bug.found_by)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("bug", [b for b in BUGS if b.name in QUICK], ids=lambda bug: bug.name)
def test_a_cheap_bug_is_found(bug: Bug, tmp_path: Path) -> None:
    plant(bug, tmp_path)
    found = run(bug.found_by[0], tmp_path)
    assert found.is_found, found.said
