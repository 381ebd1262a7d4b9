"""Plots of a model as data: all a painter needs, decimated, never a picture.

plots.json maps a plot's name to one of four shapes: `Curves`, `Grid`, `Bars`, `Histogram`. One
painter draws them for a window and for a chat alike. Everything is computed from held-out
predictions; the learning curve from scores that training measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from desktop.jobs.ml.importance import ColumnImportance
from desktop.jobs.ml.manifest import LeaderboardEntry, Task
from desktop.jobs.ml.model_files import JsonDict
from desktop.jobs.ml.packed import Bools, Floats

CURVE_POINTS_MAX = 200
DOTS_MAX = 600
BINS = 10
HISTOGRAM_BINS = 20
CLASSES_SHOWN_MAX = 12
COLUMNS_SHOWN_MAX = 15


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


@dataclass(frozen=True, slots=True)
class LearningPoint:
    """The score with only some of the rows."""

    rows: int
    score: float
    spread: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What training measured besides the predictions."""

    metric: str
    fold_scores: tuple[float, ...]
    baseline: float | None
    importance: Sequence[ColumnImportance] = ()
    learning: Sequence[LearningPoint] = ()
    leaderboard: Sequence[LeaderboardEntry] = ()


def make(held: Held, measured: Measured) -> JsonDict:
    """Give what plots.json holds: name -> plot."""
    from desktop.jobs.ml import plots_of_task

    plots: dict[str, Plot] = {}
    match held.task:
        case "binary":
            plots |= plots_of_task.binary(held)
        case "multiclass":
            plots |= plots_of_task.multiclass(held)
        case "regression":
            plots |= plots_of_task.regression(held)
    plots |= _of_training(measured)
    return {name: plot.model_dump(mode="json") for name, plot in plots.items()}


def _of_training(measured: Measured) -> dict[str, Plot]:
    scores = measured.fold_scores
    plots: dict[str, Plot] = {
        "folds": Bars(
            title="Score of each fold",
            value_label=measured.metric,
            labels=tuple(f"fold {number}" for number in range(1, len(scores) + 1)),
            values=rounded(scores),
            reference=measured.baseline,
        )
    }
    if measured.importance:
        shown = measured.importance[:COLUMNS_SHOWN_MAX]
        plots["importance"] = Bars(
            title="What the score loses without a column",
            value_label=f"drop of {measured.metric}",
            labels=tuple(one.column for one in shown),
            values=rounded([one.drop for one in shown]),
            errors=rounded([one.spread for one in shown]),
        )
    if measured.learning:
        plots["learning_curve"] = _learning_curve(measured)
    if measured.leaderboard:
        plots["leaderboard"] = Bars(
            title="Members and their blend",
            value_label=measured.metric,
            labels=tuple(entry.member for entry in measured.leaderboard),
            values=rounded([entry.score for entry in measured.leaderboard]),
            errors=rounded([entry.spread for entry in measured.leaderboard]),
            reference=measured.baseline,
        )
    return plots


def _learning_curve(measured: Measured) -> Curves:
    points = sorted(measured.learning, key=lambda point: point.rows)
    line = Series(
        name=measured.metric,
        style="line",
        x=tuple(float(point.rows) for point in points),
        y=rounded([point.score for point in points]),
        errors=rounded([point.spread for point in points]),
    )
    return Curves(
        title="Would more rows help?",
        x_label="rows",
        y_label=measured.metric,
        series=(line,),
        x_log=True,
    )


def gain_per_doubling(learning: Sequence[LearningPoint]) -> float | None:
    """Tell how much the score rose with the last doubling of rows; None with fewer than 2 points.

    A straight line over the logarithm of the two largest samples: learning curves flatten, so
    this is rather the most to hope for than the least.
    """
    points = sorted(learning, key=lambda point: point.rows)[-2:]
    if len(points) < 2 or points[0].rows == points[1].rows or points[0].rows < 1:
        return None
    return (points[1].score - points[0].score) / float(np.log2(points[1].rows / points[0].rows))


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
