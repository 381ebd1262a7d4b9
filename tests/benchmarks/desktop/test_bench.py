"""What the tray app is told as beside its peer: warm and cold apart, each goal as its figure."""

from __future__ import annotations

from tests.benchmarks.desktop.__main__ import Subject
from tests.benchmarks.desktop.bench import GOALS, KEEPS, UNITS, add_starts, judge
from tests.benchmarks.report import OURS, Part


def test_warm_and_cold_starts_are_judged_by_their_own_goals() -> None:
    part = Part("desktop", "Desktop", mood={"load": 7.0})
    add_starts(part, OURS, Subject(OURS, [], {}, warm=[0.4, 0.6, 0.45], cold=[1.2], cpu=[0.3]))
    add_starts(part, "Vorta", Subject("Vorta", [], {}, warm=[0.9], cold=[1.0], cpu=[0.6]))
    for name in ("to the tray, warm", "to the tray, cold files"):
        judge(part, name)
    warm, cold, cpu = part.figures
    assert (warm.is_met, cold.is_met, cpu.is_met) == (True, False, None)
    assert "load 7.0" in cold.why
    assert (warm.ratio("Vorta"), cpu.ratio("Vorta")) == (2.0, 2.0)


def test_every_goal_has_a_unit_and_a_reason() -> None:
    assert set(GOALS) == set(UNITS) == set(KEEPS)
