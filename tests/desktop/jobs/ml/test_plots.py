"""Plots are data: right, small, and enough for a painter."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from desktop.charts.shapes import PLOTS, Bars, Curves, Grid, Histogram, Plot
from desktop.jobs.ml.importance import ColumnImportance
from desktop.jobs.ml.manifest import LeaderboardEntry
from desktop.jobs.ml.plot_shapes import Held, thinned
from desktop.jobs.ml.plots import LearningPoint, Measured, gain_per_doubling, make

ALWAYS = {"folds", "importance", "learning_curve", "leaderboard"}
MEASURED = Measured(
    metric="AUC",
    fold_scores=(0.8, 0.82, 0.84),
    baseline=0.5,
    importance=[ColumnImportance(f"c{n}", 0.1 - n / 100, 0.01) for n in range(20)],
    learning=[LearningPoint(400, 0.8), LearningPoint(100, 0.7), LearningPoint(200, 0.76)],
    leaderboard=[LeaderboardEntry(member="linear", score=0.8, spread=0.01)],
)


def two_classes(rows: int = 5000) -> Held:
    random = np.random.default_rng(0)
    happened = (random.random(rows) < 0.3).astype(float)
    chance = np.clip(0.35 * happened + 0.6 * random.random(rows), 0, 1).round(3)
    return Held(
        task="binary",
        classes=("stays", "leaves"),
        y=happened,
        predicted=np.column_stack([1 - chance, chance]),
        threshold=0.45,
    )


def several(classes: int, rows: int = 900) -> Held:
    random = np.random.default_rng(1)
    y = random.integers(0, classes, rows).astype(float)
    predicted = random.random((rows, classes)) + 0.8 * (y[:, None] == np.arange(classes))
    return Held(
        task="multiclass",
        classes=tuple(f"k{n}" for n in range(classes)),
        y=y,
        predicted=predicted / predicted.sum(axis=1, keepdims=True),
    )


def numbers(rows: int = 3000) -> Held:
    random = np.random.default_rng(2)
    y = random.normal(100, 20, rows)
    predicted = (y + random.normal(0, 5, rows))[:, None]
    return Held(task="regression", classes=(), y=y, predicted=predicted, half_width=8.2)


def plots(held: Held) -> dict[str, Plot]:
    return PLOTS.validate_python(json.loads(json.dumps(make(held, MEASURED), allow_nan=False)))


def curves(held: Held, name: str) -> Curves:
    plot = plots(held)[name]
    assert isinstance(plot, Curves)
    return plot


def area_under(curve: Curves) -> float:
    return float(np.trapezoid(curve.series[0].y, curve.series[0].x))


@pytest.mark.parametrize(
    ("held", "names"),
    [
        (two_classes(), {"roc", "precision_recall", "confusion", "calibration", "scores"}),
        (several(4), {"confusion", "class_f1"}),
        (numbers(), {"predicted_true", "residuals", "residual_histogram", "interval_band"}),
    ],
)
def test_each_task_has_its_plots_in_few_bytes(held: Held, names: set[str]) -> None:
    made = plots(held)

    assert set(made) == names | ALWAYS
    assert len(json.dumps(make(held, MEASURED))) < 80_000


def test_the_roc_curve_keeps_its_area_after_thinning() -> None:
    from sklearn.metrics import roc_auc_score

    held = two_classes()

    assert abs(area_under(curves(held, "roc")) - roc_auc_score(held.y, held.predicted[:, 1])) < 1e-3
    assert len(curves(held, "roc").series[0].x) <= 201


def test_precision_and_recall_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import precision_recall_curve

    held = two_classes(150)
    precision, recall, _ = precision_recall_curve(held.y, held.predicted[:, 1])

    line = curves(held, "precision_recall").series[0]

    ours, theirs = np.array([line.x, line.y]).T, np.array([recall, precision]).T
    nearest = np.abs(ours[:, None] - theirs[None]).sum(axis=2).min(axis=1)
    assert len(ours) > 100
    assert nearest.max() < 1e-4


def test_the_confusion_counts_every_row_at_the_threshold() -> None:
    held = two_classes()
    grid = plots(held)["confusion"]

    assert isinstance(grid, Grid)
    assert grid.labels == ("stays", "leaves")
    assert sum(map(sum, grid.counts)) == 5000
    called = held.predicted[:, 1] >= 0.45
    assert grid.counts[1][1] == int(np.sum(called & (held.y == 1)))
    assert grid.counts[0][1] == int(np.sum(called & (held.y == 0)))


def test_honest_probabilities_lie_on_the_diagonal() -> None:
    random = np.random.default_rng(0)
    chance = random.random(20_000)
    happened = (random.random(20_000) < chance).astype(float)
    held = Held(
        task="binary",
        classes=("a", "b"),
        y=happened,
        predicted=np.column_stack([1 - chance, chance]),
    )

    line = curves(held, "calibration").series[0]

    assert len(line.x) == 10
    gaps = np.abs(np.array(line.x) - np.array(line.y))
    assert np.all(gaps < 4 * np.array(line.errors) + 1e-6)


def test_the_score_histogram_counts_each_class_apart() -> None:
    held = two_classes()
    plot = plots(held)["scores"]

    assert isinstance(plot, Histogram)
    assert sum(plot.series["leaves"]) == int(held.y.sum())
    assert sum(plot.series["stays"]) == int((1 - held.y).sum())
    assert plot.mark == 0.45


def test_f1_of_each_class_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import f1_score

    held = several(4)
    plot = plots(held)["class_f1"]

    assert isinstance(plot, Bars)
    theirs = f1_score(held.y, held.predicted.argmax(axis=1), average=None)
    assert np.allclose(plot.values, theirs, atol=1e-4)


def test_rare_classes_beyond_a_dozen_are_shown_together() -> None:
    grid = plots(several(30))["confusion"]

    assert isinstance(grid, Grid)
    assert len(grid.labels) == 12
    assert grid.labels[-1] == "others"
    assert sum(map(sum, grid.counts)) == 900


def test_the_interval_band_says_how_many_rows_lie_inside() -> None:
    held = numbers()
    plot = curves(held, "interval_band")

    share = np.mean(np.abs(held.y - held.predicted[:, 0]) <= 8.2)
    assert f"{100 * share:.0f} %" in plot.title
    band = plot.series[0]
    assert np.allclose(np.array(band.upper) - np.array(band.y), 16.4, atol=0.01)


def test_a_number_without_interval_has_no_band() -> None:
    held = numbers()
    bare = Held(task="regression", classes=(), y=held.y, predicted=held.predicted)

    assert "interval_band" not in plots(bare)


def test_importance_and_learning_curve_carry_error_bars_in_order() -> None:
    made = plots(two_classes())
    importance, learning = made["importance"], made["learning_curve"]

    assert isinstance(importance, Bars)
    assert isinstance(learning, Curves)
    assert importance.labels[:2] == ("c0", "c1")
    assert len(importance.labels) == len(importance.errors) == 15
    assert learning.series[0].x == (100.0, 200.0, 400.0)
    assert learning.x_log


@pytest.mark.parametrize("held", [two_classes(1), several(3, 1), numbers(1)])
def test_a_single_row_makes_plots_without_complaint(held: Held) -> None:
    assert plots(held)


def test_equal_probabilities_are_one_point_of_the_curve() -> None:
    held = Held(
        task="binary",
        classes=("a", "b"),
        y=np.array([0.0, 1, 0, 1]),
        predicted=np.full((4, 2), 0.5),
    )

    assert curves(held, "roc").series[0].x == (0.0, 1.0)
    assert area_under(curves(held, "roc")) == 0.5


@pytest.mark.parametrize(
    ("points", "gain"),
    [
        ([(100, 0.7), (200, 0.76), (400, 0.8)], 0.04),
        ([(100, 0.7), (400, 0.8)], 0.05),
        ([(100, 0.7)], None),
        ([(100, 0.7), (100, 0.8)], None),
        ([], None),
    ],
)
def test_the_gain_of_twice_as_many_rows(points: Any, gain: float | None) -> None:
    found = gain_per_doubling([LearningPoint(rows, score) for rows, score in points])

    assert found == (None if gain is None else pytest.approx(gain))


def test_thinning_keeps_the_ends() -> None:
    kept = thinned(1000, 7)

    assert (kept[0], kept[-1], len(kept)) == (0, 999, 7)
    assert list(thinned(3, 7)) == [0, 1, 2]
