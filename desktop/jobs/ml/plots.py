"""Plots of a model as data: all a painter needs, decimated, never a picture.

One painter draws them for a window and for a chat alike. Everything is computed from held-out
predictions; the learning curve from scores that training measured. The shapes are in
`plot_shapes`, what depends on the task in `plots_of_task`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from desktop.charts.shapes import Bars, Curves, Plot, Series
from desktop.jobs.ml import plots_of_task
from desktop.jobs.ml.importance import ColumnImportance
from desktop.jobs.ml.manifest import LeaderboardEntry
from desktop.jobs.ml.model_files import JsonDict
from desktop.jobs.ml.plot_shapes import Held, rounded

COLUMNS_SHOWN_MAX = 15


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
