"""Training beside others: what is told of a run, and that both ways of a fit are the same fit."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.ml import bench
from tests.benchmarks.ml.fitting import TREES_A_TIME
from tests.benchmarks.ml.overhead import Cost, both
from tests.benchmarks.report import OURS, Part


def a_run(score: float, seconds: float, peak_mb: float) -> dict[str, float]:
    return {"exit": 0, "score": score, "fit_seconds": seconds, "peak_mb": peak_mb}


def test_a_table_is_judged_by_the_best_peer_the_budget_and_the_memory() -> None:
    part = Part("ml", "ML")
    bench.add_run(part, "ames", OURS, a_run(0.90, 5.6, 300))
    bench.add_run(part, "ames", "linear", a_run(0.80, 0.2, 150))
    bench.add_run(part, "ames", "boosting", a_run(0.92, 1.0, 200))
    bench.add_run(part, "ames", "FLAML", {"exit": -9, "peak_mb": 100})
    bench.judge_table(part, "ames", budget=5.0)
    score, fit, memory = part.figures
    assert (score.is_met, fit.is_met, memory.is_met) == (False, False, True)
    assert "boosting is ahead" in score.why
    assert part.notes == ["FLAML gave no result on ames (exit code -9)."]


def test_a_child_that_costs_a_tenth_more_is_too_dear() -> None:
    part = Part("ml", "ML")
    bench.add_pair(part, Cost(3.0, 2.3, 230, 0.8, 12), Cost(2.5, 2.0, 210, 0.8))
    bench.judge_child(part)
    cpu = part.figures[1]
    assert cpu.is_met is False
    assert cpu.why.startswith("0.30 s more")


def test_the_script_and_the_job_fit_the_same(tmp_path: Path) -> None:
    ours, bare = both(2 * TREES_A_TIME, tmp_path)
    assert ours.score == bare.score
    assert ours.lines == 2
    assert min(ours.cpu_seconds, bare.cpu_seconds) > 0
    assert bare.peak_mb > 20
