"""What a plot is made of: four shapes, the predictions they are drawn from, and small reckonings.

plots.json maps a plot's name to one of `Curves`, `Grid`, `Bars`, `Histogram`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from desktop.jobs.ml.manifest import Task
from desktop.jobs.ml.packed import Bools, Floats

CURVE_POINTS_MAX = 200
DOTS_MAX = 600
BINS = 10
HISTOGRAM_BINS = 20
CLASSES_SHOWN_MAX = 12


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Series(_Shape):
    """One line, cloud of dots, or band of a plot."""

    name: str
    style: Literal["line", "reference", "dots", "band"]
    """A reference line is what guessing, or a perfect model, would give."""
    x: tuple[float, ...]
    y: tuple[float, ...]
    upper: tuple[float, ...] = ()
    """Of a band, whose lower edge is `y`; empty otherwise."""
    errors: tuple[float, ...] = ()
    """Half lengths of error bars of each point; empty for none."""


class Curves(_Shape):
    form: Literal["curves"] = "curves"
    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    unit_square: bool = False
    """Both axes run from 0 to 1."""
    x_log: bool = False


class Grid(_Shape):
    """Counts by two labels: the confusion matrix."""

    form: Literal["grid"] = "grid"
    title: str
    x_label: str
    y_label: str
    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    """[true class][predicted class]."""


class Bars(_Shape):
    form: Literal["bars"] = "bars"
    title: str
    value_label: str
    labels: tuple[str, ...]
    values: tuple[float, ...]
    errors: tuple[float, ...] = ()
    """Half lengths of error bars; empty for none."""
    reference: float | None = None
    """A line to compare with: the baseline's score, or the mean."""


class Histogram(_Shape):
    form: Literal["histogram"] = "histogram"
    title: str
    x_label: str
    edges: tuple[float, ...]
    """[bins + 1]."""
    series: dict[str, tuple[int, ...]]
    """Name -> counts [bins]."""
    mark: float | None = None
    """A vertical line, such as the threshold."""


Plot = Annotated[Curves | Grid | Bars | Histogram, Field(discriminator="form")]
PLOTS: TypeAdapter[dict[str, Plot]] = TypeAdapter(dict[str, Plot])


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
