"""Intervals and corrections that are formulas alone; each names its source."""

from __future__ import annotations

import math
from collections.abc import Sequence

from desktop.jobs.llm.stats.report import Interval, Method
from desktop.jobs.llm.stats.student import NORMAL, quantile

CONFIDENCE = 0.95
UPPER = 0.5 + CONFIDENCE / 2
POWER = 0.8


def wilson(
    wins: float, n: float, method: Method = Method.WILSON, deviate: float | None = None
) -> Interval | None:
    """Give the score interval of a share; None without observations.

    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.

    Args:
        wins: may be part of one, where n is.
        n: answers, or how many independent ones would tell as much.
        method: as which it is told.
        deviate: instead of the normal distribution's.
    """
    if n <= 0:
        return None
    z, share = deviate or NORMAL.inv_cdf(UPPER), wins / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # At 0 and 1 the ends are exact; rounding must not leave the share outside of its interval.
    low = 0.0 if wins <= 0 else max(0.0, middle - half)
    high = 1.0 if wins >= n else min(1.0, middle + half)
    return Interval(low=low, high=high, method=method)


def widened(clusters: int) -> float:
    """Give the normal deviate for 95 % that allows for few clusters; 1.96 for many.

    A bootstrap over G clusters is too narrow by sqrt((G - 1) / G), and takes the normal's quantile
    where t's with G - 1 degrees of freedom belongs. Hesterberg (2015), What teachers should know
    about the bootstrap, The American Statistician 69, section 4.2 ("expanded").
    """
    return math.sqrt(clusters / (clusters - 1)) * quantile(UPPER, clusters - 1)


def detectable(standard_error: float, clusters: int) -> float:
    """Give the smallest difference found at 5 %, two-sided, with a power of 80 %.

    Bloom (1995), Minimum detectable effects, Evaluation Review 19: the standard error times the sum
    of both quantiles of t, degrees of freedom as for the test.
    """
    return (quantile(UPPER, clusters - 1) + quantile(POWER, clusters - 1)) * standard_error


def holm(values: Sequence[float]) -> list[float]:
    """Correct p values for being many, step by step downwards.

    Holm (1979), A simple sequentially rejective multiple test procedure, Scand. J. Statistics 6.
    """
    order = sorted(range(len(values)), key=values.__getitem__)
    corrected, highest = [0.0] * len(values), 0.0
    for place, number in enumerate(order):
        highest = max(highest, min(1.0, (len(values) - place) * values[number]))
        corrected[number] = highest
    return corrected
