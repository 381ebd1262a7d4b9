"""The ladder tells what its rungs have found, and passes none that says nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.ladder import Step, run
from tests.chaos.rung import Rung, read_rung

CLEAN = "tried 300 faults 1,200 lost 0 doubled 0 stuck 0"


@pytest.mark.parametrize(
    ("line", "rung"),
    [
        (f"simulation  {CLEAN}", Rung(name="r", tried=300, faults=1200)),
        (
            "300 tried, 1,200 faults, 1 lost, 2 doubled, 3 stuck",
            Rung(name="r", tried=300, faults=1200, lost=1, doubled=2, stuck=3),
        ),
        ("planted bugs  tried 12  found 11", Rung(name="r", tried=12, faults=12, lost=1)),
        ("nothing of the kind", None),
    ],
    ids=["behind", "before", "planted", "none"],
)
def test_a_last_line_is_read_however_it_is_put(line: str, rung: Rung | None) -> None:
    assert read_rung("r", line) == rung


def test_what_is_written_is_read_again() -> None:
    rung = Rung(name="r", tried=1_000_000, faults=7, lost=1, doubled=2, stuck=3)
    assert read_rung("r", rung.line()) == rung


@pytest.mark.parametrize(
    ("body", "is_passed"),
    [
        (f"print('{CLEAN}')", True),
        (f"print('{CLEAN}'); raise SystemExit(1)", False),
        ("print('tried 5 faults 5 lost 1 doubled 0 stuck 0')", False),
        ("print('tried 0 faults 0 lost 0 doubled 0 stuck 0')", False),
        ("print('done')", False),
    ],
    ids=["clean", "exit", "lost", "nothing-tried", "silent"],
)
def test_a_rung_passes_only_when_it_says_that_it_found_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, is_passed: bool
) -> None:
    (tmp_path / "a_rung.py").write_text(body)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    outcome = run(Step(name="r", module="a_rung", takes_seed=False), seed=1)
    assert outcome.is_passed is is_passed
    assert ("FAILED" in outcome.line()) is not is_passed
