"""Members: each learns, stops in time, and never trips over rare classes or odd shapes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from desktop.jobs.ml import members
from desktop.jobs.ml.budget import Budget
from desktop.jobs.ml.features import Features, Task
from desktop.jobs.ml.fitted import target_of
from desktop.jobs.ml.members import Recipe, Rows, Share, predict
from desktop.jobs.ml.plan import RECIPES
from desktop.jobs.ml.scores import score
from desktop.jobs.ml.tree_members import FOREST_TREES, Boosting, Forest
from tests.desktop.jobs.ml.tables import COLUMNS, mixed

TARGETS: dict[Task, str] = {"binary": "bought", "multiclass": "grade", "regression": "spent"}
QUICK = Boosting(
    name="quick",
    weight=1.0,
    learning_rate=0.1,
    leaves=8,
    features_share=0.5,
    penalty=1.0,
    leaf_rows_min=20,
    trees_max=60,
    patience=10,
)


class Steps:
    """A clock that moves one second each time it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def halves(task: Task, rows: int = 600) -> tuple[Rows, Rows, int]:
    frame = mixed(rows)
    target = target_of(frame[TARGETS[task]], task)
    first, second = np.arange(rows // 2), np.arange(rows // 2, rows)
    features = Features.fit(frame.iloc[first], COLUMNS, target.y[first], task, 0)
    fit = Rows(features.transform(frame.iloc[first]), target.y[first])
    return fit, Rows(features.transform(frame.iloc[second]), target.y[second]), target.outputs


def share(budget: Budget | None = None, told: list[float] | None = None) -> Share:
    on_step = (lambda _: None) if told is None else told.append
    return Share(budget or Budget(60), 0, on_step)


@pytest.mark.parametrize("task", TARGETS)
@pytest.mark.parametrize("recipe", [*RECIPES[:1], QUICK, Forest()], ids=lambda r: r.name)
def test_each_member_learns_each_task(recipe: Recipe, task: Task) -> None:
    fit, held, outputs = halves(task)
    one = recipe.fit(task, fit, held, share())
    predicted = predict(one.member, held.matrix, outputs)
    assert predicted.shape == (len(held.y), outputs)
    assert score(task, held.y, predicted) > (0.3 if task == "regression" else 0.7)
    assert not one.is_cut_short
    if task != "regression":
        np.testing.assert_allclose(predicted.sum(axis=1), 1)


def test_boosting_stops_when_time_is_up_and_keeps_its_trees() -> None:
    fit, held, _ = halves("binary")
    tree_seconds = Budget(5, Steps())
    one = QUICK.fit("binary", fit, held, share(tree_seconds))
    assert one.is_cut_short
    assert 1 <= one.member.n_iter_ < 10


def test_a_forest_stops_when_time_is_up_and_keeps_its_trees() -> None:
    fit, held, _ = halves("binary")
    one = Forest().fit("binary", fit, held, share(Budget(1, Steps())))
    assert one.is_cut_short
    assert len(one.member.estimators_) < FOREST_TREES


def test_boosting_ends_at_its_best_tree_without_leaving_a_trace_of_the_watch() -> None:
    fit, held, _ = halves("regression")
    told: list[float] = []
    one = QUICK.fit("regression", fit, held, share(told=told))
    losses = -one.member.validation_score_
    assert one.member.n_iter_ == max(1, int(np.argmin(losses)))
    assert told == sorted(told)
    assert "_should_stop" not in vars(one.member)


@pytest.mark.parametrize("recipe", [RECIPES[0], QUICK, Forest()], ids=lambda r: r.name)
def test_a_class_missing_from_a_fold_gets_probability_zero(recipe: Recipe) -> None:
    fit, held, _ = halves("multiclass")
    without = np.flatnonzero(fit.y != 1)
    matrix = fit.matrix
    assert matrix.sparse is not None
    fewer = type(matrix)(
        matrix.dense[without], matrix.categorical, matrix.sparse[without], matrix.linear
    )
    one = recipe.fit("multiclass", Rows(fewer, fit.y[without]), held, share())
    predicted = predict(one.member, held.matrix, 3)
    assert np.all(predicted[:, 1] == 0)
    np.testing.assert_allclose(predicted.sum(axis=1), 1)


def test_a_linear_member_reads_a_sample_of_a_huge_table() -> None:
    rows = members._sample(1_000_000, 300, seed=0)
    assert len(rows) * 300 == pytest.approx(members.LINEAR_CELLS_MAX, rel=0.01)
    assert len(np.unique(rows)) == len(rows)


def test_few_rows_are_left_to_the_linear_member() -> None:
    assert [recipe.name for recipe in RECIPES if recipe.suits(30)] == ["linear"]


def test_large_tables_do_without_a_forest() -> None:
    assert "forest" not in [recipe.name for recipe in RECIPES if recipe.suits(50_000)]


def test_a_single_number_column_is_enough() -> None:
    frame = pd.DataFrame({"x": np.linspace(0, 1, 200)})
    y = np.asarray(frame["x"] > 0.5, dtype=np.float64)
    features = Features.fit(frame, {"x": "number"}, y, "binary", 0)
    rows = Rows(features.transform(frame), y)
    for recipe in (RECIPES[0], QUICK, Forest()):
        one = recipe.fit("binary", rows, rows, share())
        assert score("binary", y, predict(one.member, rows.matrix, 2)) > 0.99
