"""The program of a part: a bad step costs no other, and what was found is kept step by step."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks import program
from tests.benchmarks.report import Part, load


def test_a_step_that_fails_is_named_and_costs_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept: list[int] = []

    def a_measure(part: Part, quick: bool) -> None:
        part.figure("wait", "ms", better="less").add("Deskhand", 1.0 if quick else 2.0)

    def no_display(part: Part, quick: bool) -> None:
        kept.append(len(load(tmp_path / "p.json").figures))
        raise SystemExit("no icon was shown")

    def another(part: Part, quick: bool) -> None:
        part.figure("rate", "1/s").add("Deskhand", 3.0)

    words = ["--quick", "--out", str(tmp_path / "p.json")]
    program.run(Part("p", "A part"), a_measure, no_display, another, words=words)

    part = load(tmp_path / "p.json")
    assert kept == [1]
    assert [one.median() for one in part.figures] == [1.0, 3.0]
    assert part.notes == ["**Not measured**: no display (SystemExit: no icon was shown)."]
    assert part.mood["fsync p50 ms"] > 0
    assert "no icon was shown" in capsys.readouterr().out
