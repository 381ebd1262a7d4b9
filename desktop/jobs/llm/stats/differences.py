"""Differences between models, paired: both answered the same scenario in the same repeat.

The difference and its standard error are drawn anew together, cluster by cluster; p value and
interval come from the same draws, so they never contradict each other: Hall & Wilson (1991), Two
guidelines for bootstrap hypothesis testing, Biometrics 47; Cameron, Gelbach & Miller (2008),
Bootstrap-based improvements for inference with clustered errors, Rev. Economics and Statistics 90
("pairs cluster bootstrap-t").
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, islice

import numpy as np

from desktop.jobs.llm.stats.cells import Bools, Cells, Floats, Ints
from desktop.jobs.llm.stats.figures import LEAST, few, standard_error
from desktop.jobs.llm.stats.intervals import CONFIDENCE, detectable, holm
from desktop.jobs.llm.stats.report import Difference, Interval, Method
from desktop.jobs.llm.stats.resampling import DEFINED_SHARE_MIN, Resampling
from desktop.jobs.llm.stats.student import outside

TAIL_DRAWS_MIN = 10
"""With fewer draws beyond the found difference, draws alone say little about how rare it is."""

COMPARISONS_MAX = 5000
"""Pairs of models times values: 25 models in 16 values."""
NUMBERS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Compared:
    """One pair of models in one measure, summed by cluster: D, n, D², Dn, n²."""

    measure: str
    value: str
    first: str
    second: str
    n_of: int
    columns: Floats
    """[clusters, 5]."""


def differences(cells: Cells, resampling: Resampling) -> list[Difference]:
    """Compare all pairs of models in all values, and in scores; corrected for being many."""
    if is_too_much(cells):
        return []
    return compare(chain(_wins(cells), _scores(cells)), resampling)


def is_too_much(cells: Cells) -> bool:
    """See whether so many comparisons would be made that nothing could be found among them."""
    models = len(cells.models)
    return models * (models - 1) // 2 * max(1, len(cells.values)) > COMPARISONS_MAX


def compare(compared: Iterable[Compared], resampling: Resampling) -> list[Difference]:
    """Test differences that are summed already; corrected for being so many."""
    made: list[Difference] = []
    some = max(1, NUMBERS_AT_ONCE // max(1, 5 * resampling.clusters))
    rest = iter(compared)
    while part := list(islice(rest, some)):
        made += _tested(part, resampling)
    return _corrected(made)


def _tested(compared: Sequence[Compared], resampling: Resampling) -> Iterator[Difference]:
    columns = np.stack([one.columns for one in compared], axis=1)
    for which, totals in resampling.totals(columns):
        errors, means = _errors(totals)
        for offset, number in enumerate(range(*which.indices(len(compared)))):
            yield _difference(compared[number], means[:, offset], errors[:, offset])


def _wins(cells: Cells) -> Iterator[Compared]:
    chosen = _by_item(cells, cells.chosen, -1)
    for number, value in enumerate(cells.values):
        if _mirrored(cells, number):
            continue
        offered = _by_item(cells, cells.has_value[cells.contest, number], 0).astype(bool)
        won = (chosen == number).astype(np.float64)
        yield from _pairs(cells, "wins", value, won, offered, offered & (chosen >= 0))


def _scores(cells: Cells) -> Iterator[Compared]:
    offered = _by_item(cells, cells.is_scale[cells.contest], 0).astype(bool)
    if offered.any():
        score = _by_item(cells, cells.score, np.nan)
        yield from _pairs(
            cells, "score", "", np.nan_to_num(score), offered, offered & np.isfinite(score)
        )


def _mirrored(cells: Cells, number: int) -> bool:
    """See whether a value only ever meets one other, which only ever meets this one.

    Then one wins where the other loses: to test both would count one question twice.
    """
    met = cells.has_value[cells.has_value[:, number]]
    partners = np.flatnonzero(met.all(axis=0))
    if len(partners) != 2 or (met.sum(axis=1) != 2).any():
        return False
    other = int(partners[partners != number][0])
    return other < number and bool((cells.has_value[:, other] == cells.has_value[:, number]).all())


def _by_item(cells: Cells, told: Floats | Ints | Bools, missing: float) -> Floats:
    """Lay numbers by row out as [items, models]."""
    grid = cells.grid
    return np.where(grid >= 0, told[grid].astype(np.float64), missing)


def _pairs(
    cells: Cells, measure: str, value: str, y: Floats, offered: Bools, counted: Bools
) -> Iterator[Compared]:
    """Sum each pair's differences by cluster; items stand in the clusters' order."""
    cluster = np.zeros(len(y), np.int64)
    cluster[cells.item] = cells.cluster
    starts = np.flatnonzero(np.diff(cluster, prepend=-1))
    for a, b in combinations(range(len(cells.models)), 2):
        both = counted[:, a] & counted[:, b]
        moved = np.where(both, y[:, a] - y[:, b], 0.0)
        d = np.add.reduceat(moved, starts)
        n = np.add.reduceat(both.astype(np.float64), starts)
        yield Compared(
            measure, value, cells.models[a], cells.models[b],
            int((offered[:, a] & offered[:, b]).sum()),
            np.stack([d, n, d * d, d * n, n * n], axis=1),
        )  # fmt: skip


def _errors(totals: Floats) -> tuple[Floats, Floats]:
    """Give the standard error, but for G / (G - 1), and the difference of each resample."""
    d, n, dd, dn, nn = np.moveaxis(totals, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(n > 0, d / n, np.nan)
        left = dd - 2 * mean * dn + mean * mean * nn
        # What is nothing but rounding must not become a tiny error, and a huge t.
        left = np.where(left > 1e-9, left, 0.0)
        return np.where(n > 0, np.sqrt(left) / n, np.nan), mean


def _difference(one: Compared, means: Floats, errors: Floats) -> Difference:
    columns = one.columns[one.columns[:, 1] > 0]
    n, clusters = int(columns[:, 1].sum()), len(columns)
    value = float(columns[:, 0].sum()) / n if n else None
    told = Difference(
        measure=one.measure, value=one.value, first=one.first, second=one.second,
        difference=value, n=n, n_of=one.n_of, clusters=clusters,
    )  # fmt: skip
    if value is None:
        return _remarked(told, f"None of {one.n_of:,} pairs has both answers.")
    if clusters == 1:
        return _remarked(told, "All of it is one cluster: nothing can be said about others.")
    error = standard_error(columns[:, :2])
    told = told.model_copy(update={"standard_error": error})
    if error <= LEAST:
        return _without_spread(told, value)
    drawn = _deviations(means, errors * math.sqrt(clusters / (clusters - 1)), value)
    if len(drawn) < DEFINED_SHARE_MIN * len(means):
        return _remarked(told, "Too few clusters for a test.")
    interval = _interval(one, value, error, drawn)
    return told.model_copy(
        update={
            "p": _p(drawn, abs(value) / error, clusters),
            "interval": interval,
            "detectable": detectable(error, clusters),
            "remark": few(clusters) if interval else "Too few clusters differ for an interval.",
        }
    )


def _remarked(told: Difference, remark: str) -> Difference:
    return told.model_copy(update={"remark": remark})


def _without_spread(told: Difference, value: float) -> Difference:
    """Word a difference that is the same in every cluster; its signs are all that can be tested."""
    if not value:
        return told.model_copy(update={"p": 1.0, "remark": "The two never differ."})
    p = min(1.0, 2.0 ** (1 - told.clusters))
    remark = f"The same difference in all {told.clusters:,} clusters: only its sign is tested."
    return told.model_copy(update={"p": p, "remark": remark})


def _deviations(means: Floats, errors: Floats, difference: float) -> Floats:
    """Give |t| of each resample around the found difference; infinite where nothing varies."""
    there = np.isfinite(means)
    moved, error = np.abs(means[there] - difference), errors[there]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(moved < LEAST, 0.0, np.where(error > 0, moved / error, np.inf))


def _p(drawn: Floats, found: float, clusters: int) -> float:
    """Count how often chance goes as far; what is too rare to count is read off Student's t."""
    beyond = int((drawn >= found - 1e-9).sum())
    p = (beyond + 1) / (len(drawn) + 1)
    return p if beyond >= TAIL_DRAWS_MIN else min(p, outside(found, clusters - 1))


def _interval(one: Compared, value: float, error: float, drawn: Floats) -> Interval | None:
    # The place that makes "p is 0.05 or less" and "0 is outside" the same statement.
    place = math.ceil(CONFIDENCE * (len(drawn) + 1)) - 1
    reach = float(np.sort(drawn)[place]) * error if place < len(drawn) else math.inf
    if not math.isfinite(reach):
        return None
    most = 1.0 if one.measure == "wins" else math.inf
    return Interval(
        low=max(-most, value - reach), high=min(most, value + reach), method=Method.CLUSTER_T
    )


def _corrected(made: Sequence[Difference]) -> list[Difference]:
    tested = [number for number, one in enumerate(made) if one.p is not None]
    corrected = dict(zip(tested, holm([made[number].p or 0.0 for number in tested]), strict=True))
    return [
        one.model_copy(update={"p_holm": corrected[number]}) if number in corrected else one
        for number, one in enumerate(made)
    ]
