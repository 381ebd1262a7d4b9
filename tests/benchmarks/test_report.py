"""What is told of a benchmark: medians, ratios in the right direction, goals, growth, failures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.__main__ import page
from tests.benchmarks.report import Growth, Part, exponent, load, number, table


def a_part() -> Part:
    part = Part("queue", "Durable jobs", versions={"celery": "5.7.0"})
    rate = part.figure("jobs/s", "1/s", goal="at least 5 x the fastest peer")
    rate.add("Deskhand", 1000, 3000, 2000, stands="fsync")
    rate.add("Celery", 100, 200, 300)
    rate.add("Huey", 500)
    wait = part.figure("start p50", "ms", better="less", goal="at most 2 ms")
    wait.add("Deskhand", 4.0)
    wait.add("Celery", 2.0)
    wait.judge(is_met=False, why="The disk takes 3 ms.")
    rate.judge(is_met=False, why="Four times is not five.")
    part.growths.append(Growth("jobs", [10, 100, 1000], [5, 50, 500], "ms"))
    return part


def test_a_ratio_says_how_many_times_better_ours_is() -> None:
    rate, wait = a_part().figures
    assert rate.peers() == ["Huey", "Celery"]
    assert (rate.ratio("Huey"), rate.ratio("Celery")) == (4.0, 10.0)
    assert wait.ratio("Celery") == 0.5
    assert wait.ratio("Nobody") is None


def test_a_limit_is_the_least_or_the_most_as_the_measure_goes() -> None:
    rate, wait = a_part().figures
    rate.judge_limit(2000, "never told")
    assert (rate.is_met, rate.why) == (True, "Four times is not five.")
    rate.judge_limit(2001, "too few")
    assert (rate.is_met, rate.why) == (False, "too few")
    wait.judge_limit(4.0, "never told")
    assert wait.is_met
    unmeasured = Part("p", "P").figure("f", "s", goal="at most 1 s")
    unmeasured.judge_limit(1, "never told")
    assert unmeasured.is_met is None


def test_a_table_tells_medians_ranges_peers_and_what_was_missed() -> None:
    told = table(a_part())
    assert "2,000 (1,000 to 3,000) (fsync)" in told
    assert "Huey: 500<br>Celery: 200 (100 to 300)" in told
    assert "**missed**: at most 2 ms" in told
    assert "**start p50**: The disk takes 3 ms." in told
    assert "| jobs | 10.0 / 100 / 1,000 | 5.00 / 50.0 / 500 ms | 1.00 | met: at most 1.05 |" in told
    assert "celery 5.7.0" in told


def test_a_page_counts_goals_and_names_the_missed() -> None:
    told = page([a_part()], {"cores": "2"}, "2026-11-22T10:00:00+00:00")
    assert "**1 of 3 goals are met.**" in told
    assert "- start p50: The disk takes 3 ms." in told


def test_what_was_kept_is_read_again(tmp_path: Path) -> None:
    part = a_part()
    part.save(tmp_path / "below" / "queue.json")
    assert load(tmp_path / "below" / "queue.json") == part


@pytest.mark.parametrize(
    ("costs", "found"), [([1, 10, 100], 1.0), ([1, 100, 10_000], 2.0), ([7, 7, 7], 0.0)]
)
def test_growth_is_the_slope_of_logarithms(costs: list[float], found: float) -> None:
    assert exponent([10, 100, 1000], costs) == pytest.approx(found)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (12345.6, "12,346"), (99.44, "99.4"), (1.234, "1.23"), (0.01234, "0.012")],
)
def test_numbers_have_the_digits_they_deserve(value: float, shown: str) -> None:
    assert number(value) == shown
