"""Clusters drawn anew, many times, and the intervals that are read off it.

A statistic here is a function of totals: sums over clusters of some columns. Drawing clusters with
replacement is then one product of matrices, however many cells there are: weights [resamples,
clusters] times columns [clusters, columns]. Davison & Hinkley (1997), Bootstrap Methods and their
Application, chapters 3.8 and 5; Field & Welsh (2007), Bootstrapping clustered data, JRSS B 69.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from desktop.jobs.llm.stats.intervals import widened
from desktop.jobs.llm.stats.report import Interval, Method
from desktop.jobs.llm.stats.student import NORMAL

Floats = npt.NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""Totals [..., columns] -> values [...]; NaN where it is not defined."""
RESAMPLES = 1999
"""Odd, and one less than a round number: 0.025 and 0.975 of 2,000 are whole numbers."""
RESAMPLES_MIN = 399
WEIGHTS_BYTES_MAX = 40_000_000
"""One byte for each cluster of each resample; more than 20,000 clusters are drawn less often."""
DRAWS_AT_ONCE = 400_000
TOTALS_AT_ONCE = 1_000_000
DEFINED_SHARE_MIN = 0.5
"""Of the resamples in which a statistic must be defined, so that an interval is read off them."""


class Resampling:
    """One set of draws, shared by all figures of a report: what is compared was drawn alike."""

    def __init__(self, clusters: int, seed: int) -> None:
        self.clusters = clusters
        most = WEIGHTS_BYTES_MAX // max(1, clusters)
        self.resamples = max(RESAMPLES_MIN, min(RESAMPLES, most))
        self._weights = _drawn(clusters, self.resamples, np.random.default_rng(seed))

    def totals(self, columns: Floats) -> Iterator[tuple[slice, Floats]]:
        """Give the totals of every resample, for some figures at a time.

        Args:
            columns: [clusters, figures, columns of each].

        Yields:
            Which figures, and their totals [resamples, figures of the slice, columns].
        """
        figures, width = columns.shape[1:]
        step = max(1, TOTALS_AT_ONCE // (self.resamples * width))
        for start in range(0, figures, step):
            part = columns[:, start : start + step]
            flat = np.ascontiguousarray(part.reshape(self.clusters, -1))
            yield slice(start, start + step), self._times(flat).reshape(-1, *part.shape[1:])

    def _times(self, flat: Floats) -> Floats:
        """Multiply in bands, so that the weights never stand whole as large numbers."""
        made = np.empty((self.resamples, flat.shape[1]))
        band = max(1, DRAWS_AT_ONCE // max(1, self.clusters))
        for start in range(0, self.resamples, band):
            weights = self._weights[start : start + band].astype(np.float64)
            made[start : start + band] = weights @ flat
        return made


def _drawn(clusters: int, resamples: int, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Draw `clusters` of the clusters with replacement; count how often each came."""
    weights = np.empty((resamples, clusters), np.uint8)
    if not clusters:
        return weights
    band = max(1, DRAWS_AT_ONCE // max(1, clusters))
    for start in range(0, resamples, band):
        rows = min(band, resamples - start)
        drawn = random.integers(0, clusters, (rows, clusters), dtype=np.int32)
        drawn += np.arange(rows, dtype=np.int32)[:, None] * clusters
        counts = np.bincount(drawn.ravel(), minlength=rows * clusters)
        # More than 255 times the same one of at least as many: that does not happen.
        weights[start : start + rows] = counts.clip(max=255).reshape(rows, clusters)
    return weights


def bca(statistic: Statistic, columns: Floats, resampled: Floats) -> Interval | None:
    """Read a bias-corrected and accelerated interval off the resamples of one statistic.

    Efron (1987), Better bootstrap confidence intervals, JASA 82; DiCiccio & Efron (1996), Bootstrap
    confidence intervals, Statistical Science 11. Clusters are the units, in the jackknife as well.

    Args:
        statistic: of totals.
        columns: [clusters that have any of it, columns]; two clusters at least.
        resampled: the statistic in each resample; NaN where it is not defined.

    Returns:
        None when it does not vary, or is mostly undefined.
    """
    total = columns.sum(axis=0)
    value = float(statistic(total[None])[0])
    defined = resampled[np.isfinite(resampled)]
    if len(defined) < DEFINED_SHARE_MIN * len(resampled) or np.ptp(defined) < 1e-12:
        return None
    below = ((defined < value - 1e-12).mean() + (defined <= value + 1e-12).mean()) / 2
    bias = NORMAL.inv_cdf(float(np.clip(below, 1e-3, 1 - 1e-3)))
    skew = _acceleration(statistic(total - columns))
    z = widened(len(columns))
    low, high = (_level(bias, skew, deviate) for deviate in (-z, z))
    ends = np.quantile(defined, [low, high])
    # With few clusters the correction can push an end past the value itself.
    return Interval(
        low=min(float(ends[0]), value), high=max(float(ends[1]), value), method=Method.CLUSTER_BCA
    )


def _acceleration(left_out: Floats) -> float:
    left_out = left_out[np.isfinite(left_out)]
    if len(left_out) < 2:
        return 0.0
    spread = left_out.mean() - left_out
    squares = float((spread**2).sum())
    return float((spread**3).sum()) / (6 * squares**1.5) if squares > 1e-24 else 0.0


def _level(bias: float, skew: float, deviate: float) -> float:
    moved = bias + deviate
    room = 1 - skew * moved
    # Beyond its pole the correction has no meaning; the end of the resamples is as far as it goes.
    return NORMAL.cdf(bias + moved / room) if room > 1e-6 else float(deviate > 0)
