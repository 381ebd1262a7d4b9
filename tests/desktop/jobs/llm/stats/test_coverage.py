"""Intervals hold what they promise where answers come in clusters: simulated, seeds fixed.

The large version, over many laws, is `python -m tests.benchmarks.statistics.coverage`.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from desktop.jobs.llm.stats.differences import Compared, compare
from desktop.jobs.llm.stats.figures import figures
from desktop.jobs.llm.stats.report import Interval
from desktop.jobs.llm.stats.resampling import Resampling
from tests.desktop.jobs.llm.stats.made_runs import clustered

RUNS = 1000
RUNS_AT_ONCE = 250
"""So many made runs share their draws."""
SHARE = 0.5


def coverage(*, clusters: int, share: float, alike: float, is_unequal: bool) -> tuple[float, float]:
    """Give how often Wilson's interval and ours hold the true share."""
    random = np.random.default_rng(7)
    plain = ours = 0
    for seed in range(RUNS // RUNS_AT_ONCE):
        sums = clustered(
            random, runs=RUNS_AT_ONCE, clusters=clusters, share=share, alike=alike,
            is_unequal=is_unequal,
        )  # fmt: skip
        for figure in figures(sums, Resampling(clusters, seed), is_share=True):
            plain += _holds(figure.wilson, share)
            ours += _holds(figure.interval, share)
    return plain / RUNS, ours / RUNS


def _holds(interval: Interval | None, value: float) -> bool:
    return interval is not None and interval.low <= value <= interval.high


@pytest.mark.parametrize(
    ("clusters", "share", "alike", "is_unequal"),
    [(50, 0.5, 0.3, False), (50, 0.2, 0.7, True), (20, 0.6, 0.5, False), (12, 0.5, 0.3, True)],
    ids=str,
)
def test_the_interval_holds_the_truth_where_the_naive_one_fails(
    clusters: int, share: float, alike: float, is_unequal: bool
) -> None:
    plain, ours = coverage(clusters=clusters, share=share, alike=alike, is_unequal=is_unequal)
    assert plain < 0.9
    assert 0.93 <= ours <= 0.975


def test_independent_answers_get_an_interval_that_is_no_wider_than_it_must() -> None:
    plain, ours = coverage(clusters=50, share=0.5, alike=0, is_unequal=False)
    assert 0.93 <= plain <= 0.97
    assert 0.93 <= ours <= 0.97


@pytest.mark.parametrize(("clusters", "is_unequal"), [(50, False), (20, True)], ids=str)
def test_models_that_are_alike_are_found_different_in_one_run_of_twenty(
    clusters: int, is_unequal: bool
) -> None:
    """The naive test, which takes answers for independent, finds a difference in one of four."""
    random = np.random.default_rng(3)
    ours = naive = 0
    for seed in range(RUNS // RUNS_AT_ONCE):
        first, second = (
            clustered(
                random, runs=RUNS_AT_ONCE, clusters=clusters, share=SHARE, alike=0.5,
                is_unequal=False,
            )
            for _ in range(2)
        )  # fmt: skip
        compared = []
        for run in range(RUNS_AT_ONCE):
            n = first.n[:, run].copy()
            d = first.y[:, run] - second.y[:, run]
            if is_unequal:
                # The second half of the clusters are asked thrice as often, to the same end.
                d[clusters // 2 :] *= 3
                n[clusters // 2 :] *= 3
            columns = np.stack([d, n, d * d, d * n, n * n], axis=1)
            compared.append(Compared("wins", "v", "a", "b", int(n.sum()), columns))
            error = np.sqrt(2 * SHARE * (1 - SHARE) / n.sum())
            naive += abs(d.sum() / n.sum()) > 1.96 * error
        ours += sum((one.p or 0) <= 0.05 for one in compare(compared, Resampling(clusters, seed)))
    assert naive / RUNS > 0.15
    assert 0.025 <= ours / RUNS <= 0.07


def test_p_values_and_intervals_never_contradict_each_other() -> None:
    random = np.random.default_rng(5)
    sums = clustered(random, runs=400, clusters=25, share=0.4, alike=0.4)
    compared = []
    for one, other in pairwise(range(400)):
        d, n = sums.y[:, one] - 0.8 * sums.y[:, other], sums.n[:, one]
        columns = np.stack([d, n, d * d, d * n, n * n], axis=1)
        compared.append(Compared("wins", "v", "a", "b", 100, columns))
    outside = 0
    for made in compare(compared, Resampling(25, 0)):
        assert made.interval is not None
        assert made.p is not None
        is_outside = not made.interval.low <= 0 <= made.interval.high
        outside += is_outside
        assert is_outside == (made.p <= 0.05)
    assert 20 < outside < 380
