"""Shares and means over clustered cells, with intervals that know of the clusters.

A figure is a ratio of sums, sum(y) / sum(n) over clusters, whatever their sizes. Its standard error
is that of the linearised ratio: Cochran (1977), Sampling Techniques, 3rd ed., section 3.12 on
clusters; the factor G / (G - 1) as in Cameron & Miller (2015), A practitioner's guide to
cluster-robust inference, J. Human Resources 50. Design effect and effective n: Kish (1965), Survey
Sampling, section 8.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from desktop.jobs.llm.stats.cells import Bools, Floats, Ints
from desktop.jobs.llm.stats.intervals import UPPER, wilson
from desktop.jobs.llm.stats.report import Figure, Interval, Method
from desktop.jobs.llm.stats.resampling import Resampling, bca
from desktop.jobs.llm.stats.student import quantile

FEW_CLUSTERS = 10
"""Below this an interval is rough, and its figure says so."""
LEAST = 1e-12
"""A variance below this is rounding."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Figures as sums by cluster: arrays [clusters, figures]."""

    y: Floats
    n: Floats
    squares: Floats
    """Of y, cell by cell."""
    n_of: Sequence[int]
    """By figure: the cells that it should be made of."""


def sums_of(
    cluster: Ints, clusters: int, parts: Sequence[tuple[Floats, Bools, int]]
) -> Sums:  # fmt: skip
    """Add up figures by cluster.

    Args:
        cluster: [cells].
        clusters: how many there are.
        parts: by figure: y [cells], which cells count [cells], how many should have.
    """
    shape = (clusters, len(parts))
    y, n, squares = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for number, (values, counted, _) in enumerate(parts):
        where, told = cluster[counted], values[counted]
        n[:, number] = np.bincount(where, minlength=clusters)
        y[:, number] = np.bincount(where, told, clusters)
        squares[:, number] = np.bincount(where, told * told, clusters)
    return Sums(y, n, squares, [n_of for _, _, n_of in parts])


def figures(sums: Sums, resampling: Resampling, *, is_share: bool) -> list[Figure]:
    """Make figures of sums; those of 0 and 1 are shares and get Wilson's interval as well."""
    columns = np.stack([sums.y, sums.n], axis=2)
    made: list[Figure] = []
    for which, totals in resampling.totals(columns):
        resampled = _ratio(totals)
        for offset, number in enumerate(range(*which.indices(columns.shape[1]))):
            made.append(_figure(sums, number, resampled[:, offset], is_share=is_share))
    return made


def _ratio(totals: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(totals[..., 1] > 0, totals[..., 0] / totals[..., 1], np.nan)


def _figure(sums: Sums, number: int, resampled: Floats, *, is_share: bool) -> Figure:
    there = sums.n[:, number] > 0
    columns = np.stack([sums.y[there, number], sums.n[there, number]], axis=1)
    total, n = float(columns[:, 0].sum()), int(columns[:, 1].sum())
    clusters, n_of = int(there.sum()), sums.n_of[number]
    if not n:
        remark = "Nothing of it was asked." if not n_of else f"None of {n_of:,} can be counted."
        return Figure(value=None, n=0, n_of=n_of, clusters=0, remark=remark)
    value = total / n
    plain = wilson(total, n) if is_share else None
    if clusters == 1:
        remark = "All of it is one cluster: how much clusters differ cannot be known."
        return Figure(value=value, n=n, n_of=n_of, clusters=1, wilson=plain, remark=remark)
    error = standard_error(columns)
    interval, remark = _interval(columns, value, error, resampled, is_share=is_share)
    variance = max(0.0, float(sums.squares[there, number].sum()) - total * value) / (n - 1)
    effect = error**2 * n / variance if error > LEAST and variance > LEAST else None
    return Figure(
        value=value, n=n, n_of=n_of, clusters=clusters, wilson=plain, interval=interval,
        standard_error=error, design_effect=effect,
        n_effective=n / effect if effect else None, remark=remark,
    )  # fmt: skip


def _interval(
    columns: Floats, value: float, error: float, resampled: Floats, *, is_share: bool
) -> tuple[Interval | None, str]:
    clusters = len(columns)
    if error > LEAST and clusters < FEW_CLUSTERS:
        return _of_few(columns, value, error, is_share=is_share), few(clusters)
    made = bca(_ratio, columns, resampled) if error > LEAST else None
    if made is not None:
        return made, _rare(columns) if is_share else ""
    if not is_share:
        return None, f"All {clusters:,} clusters have the same mean: an interval cannot be given."
    # Drawn anew, equal clusters stay equal. Each counts as one observation then, no more.
    remark = f"All {clusters:,} clusters are alike: each counts as one answer."
    return wilson(value * clusters, clusters, Method.WILSON_CLUSTERS), remark


def _of_few(columns: Floats, value: float, error: float, *, is_share: bool) -> Interval | None:
    """Give the interval of fewer clusters than can be drawn anew in many ways.

    Of a share: Wilson's over the effective n, with t's quantile: Korn & Graubard (1998), Confidence
    intervals for proportions with small expected number of positive counts, Survey Methodology 24;
    Franco, Little, Louis & Slud (2019), Comparative study of confidence intervals for proportions
    in complex sample surveys, J. Survey Statistics and Methodology 7.
    """
    t = quantile(UPPER, len(columns) - 1)
    if not is_share:
        return Interval(low=value - t * error, high=value + t * error, method=Method.MEAN_T)
    n = min(float(columns[:, 1].sum()), value * (1 - value) / error**2)
    return wilson(value * n, n, Method.WILSON_EFFECTIVE, t)


def _rare(columns: Floats) -> str:
    """Warn where clusters are many, but nearly all of them are without it, or full of it."""
    clusters = len(columns)
    some, others = (columns[:, 0] > 0).sum(), (columns[:, 0] < columns[:, 1]).sum()
    if min(some, others) >= FEW_CLUSTERS:
        return ""
    what = "have any of it" if some <= others else "have anything else"
    return f"Rough: only {min(some, others):,} of {clusters:,} clusters {what}."


def few(clusters: int) -> str:
    """Warn of too few clusters."""
    return f"Rough: only {clusters} clusters." if clusters < FEW_CLUSTERS else ""


def standard_error(columns: Floats) -> float:
    """Give the standard error of sum(y) / sum(n); `columns`: (y, n) of two or more clusters."""
    y, n = columns[:, 0], columns[:, 1]
    left = y - y.sum() / n.sum() * n
    clusters = len(columns)
    return math.sqrt(clusters / (clusters - 1) * float((left**2).sum())) / float(n.sum())
