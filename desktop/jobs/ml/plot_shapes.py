"""The predictions that plots are drawn from, and small reckonings. Shapes: `desktop.charts`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from desktop.jobs.ml.manifest import Task
from desktop.jobs.ml.packed import Bools, Floats

CURVE_POINTS_MAX = 200
DOTS_MAX = 600
BINS = 10
HISTOGRAM_BINS = 20
CLASSES_SHOWN_MAX = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Predictions of rows by folds that were not fitted on them."""

    task: Task
    classes: tuple[str, ...]
    y: Floats
    """[rows]: numbers of classes, or values."""
    predicted: Floats
    """[rows, classes], or [rows, 1]."""
    threshold: float | None = None
    half_width: float | None = None
    """Of the 90 % interval; regression only."""


def rounded(values: Sequence[float] | Floats) -> tuple[float, ...]:
    """Keep five significant digits: more cannot be seen, and files stay small."""
    return tuple(float(f"{value:.5g}") for value in values)


def thinned(count: int, most: int) -> npt.NDArray[np.int64]:
    """Choose at most `most` places out of `count`, evenly, first and last included."""
    if count <= most:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, most).round().astype(np.int64))


def counts_between(values: Floats, edges: Floats, chosen: Bools | None = None) -> tuple[int, ...]:
    """Count values per bin."""
    counts, _ = np.histogram(values if chosen is None else values[chosen], edges)
    return tuple(int(count) for count in counts)
