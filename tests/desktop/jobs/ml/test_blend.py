"""The blend: better than its parts, within its budget, the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from desktop.jobs.ml import blend, members
from desktop.jobs.ml.budget import Budget, Course
from desktop.jobs.ml.features import Task, matrices
from desktop.jobs.ml.fitted import Fitted, Floats, target_of
from desktop.jobs.ml.members import Linear, Recipe
from desktop.jobs.ml.packing import Constant
from desktop.jobs.ml.plan import RECIPES
from desktop.jobs.ml.tree_members import Boosting
from tests.desktop.jobs.ml.tables import COLUMNS, mixed

QUICK = (
    Linear(),
    Boosting(
        name="boosting",
        weight=1.0,
        learning_rate=0.15,
        leaves=8,
        features_share=0.5,
        penalty=1.0,
        leaf_rows_min=20,
        trees_max=60,
        patience=10,
    ),
)
"""A plan of the same sort as the real one, which most tests need not wait for."""


@dataclass
class Told:
    """Collects progress."""

    lines: list[tuple[str, float, float, float | None]] = field(default_factory=list)

    def __call__(
        self, stage: str, done: float, total: float, *, eta_seconds: float | None = None
    ) -> None:
        self.lines.append((stage, done, total, eta_seconds))


class Clock:
    """A clock that a test moves."""

    def __init__(self, step: float = 0.0) -> None:
        self.now = 0.0
        self.step = step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def fitted_on(
    frame: pd.DataFrame,
    column: str,
    task: Task,
    *,
    columns: dict[str, str] | None = None,
    budget: Budget | None = None,
    seed: int = 0,
    recipes: Sequence[Recipe] = QUICK,
) -> Fitted:
    target = target_of(frame[column], task)
    return blend.fit_blend(
        frame,
        COLUMNS if columns is None else columns,
        target,
        budget=budget or Budget(600),
        seed=seed,
        recipes=recipes,
    )


def predict(fitted: Fitted, frame: pd.DataFrame) -> Floats:
    """Predict with the estimators themselves, as a stored model must later."""
    total = np.zeros((len(frame), len(fitted.classes) or 1))
    parts = [part.features for part in fitted.folds]
    for part, matrix in zip(fitted.folds, matrices(parts, frame), strict=True):
        for name, weight in fitted.weights.items():
            member = part.members[name]
            if isinstance(member, Constant):
                total += weight * member.values
            else:
                total += weight * members.predict(member, matrix, total.shape[1])
    return total / len(fitted.folds)


@pytest.fixture(scope="module")
def bought() -> Fitted:
    return fitted_on(mixed(400), "bought", "binary", recipes=RECIPES)


def test_a_blend_is_no_worse_than_each_of_its_members(bought: Fitted) -> None:
    assert bought.scores.loss <= min(line.loss for line in bought.leaderboard)
    assert sum(bought.weights.values()) == pytest.approx(1)
    tried = {line.member for line in bought.leaderboard}
    assert len(tried & {"boosting", "boosting-small", "forest"}) >= 1
    assert {"linear", "constant"} < tried


def test_held_out_scores_hold_on_new_rows(bought: Fitted) -> None:
    new = mixed(2000, seed=9)
    y = np.asarray(new["bought"] == bought.classes[1], dtype=np.float64)
    new_score = blend_score("binary", y, predict(bought, new))
    assert new_score == pytest.approx(bought.scores.mean, abs=0.04)
    assert bought.scores.mean > bought.scores.baseline + 0.2


def blend_score(task: Task, y: Floats, predicted: Floats) -> float:
    from desktop.jobs.ml.scores import score

    return score(task, y, predicted)


def test_of_two_classes_the_rarer_is_the_second(bought: Fitted) -> None:
    frame = mixed(400)
    counts = frame["bought"].value_counts()
    assert bought.classes == (counts.idxmax(), counts.idxmin())
    assert bought.threshold is not None
    assert 0 < bought.threshold < 1


def test_the_same_rows_and_seed_give_the_same_blend(bought: Fitted) -> None:
    again = fitted_on(mixed(400), "bought", "binary", recipes=RECIPES)
    assert again.weights == bought.weights
    np.testing.assert_array_equal(again.oof.predicted, bought.oof.predicted)
    new = mixed(50, seed=5)
    np.testing.assert_array_equal(predict(again, new), predict(bought, new))


def test_another_seed_gives_another_blend(bought: Fitted) -> None:
    other = fitted_on(mixed(400), "bought", "binary", seed=1)
    assert not np.array_equal(other.oof.predicted, bought.oof.predicted)


def test_a_regression_tells_intervals_that_cover_new_rows() -> None:
    fitted = fitted_on(mixed(500), "spent", "regression")
    new = mixed(2000, seed=9)
    errors = np.abs(new["spent"].to_numpy() - predict(fitted, new)[:, 0])
    assert np.mean(errors <= fitted.conformal["0.9"]) == pytest.approx(0.9, abs=0.05)
    assert fitted.threshold is None
    assert fitted.classes == ()


def test_several_classes_are_told_apart() -> None:
    fitted = fitted_on(mixed(400), "grade", "multiclass")
    assert fitted.classes == ("high", "low", "middle")
    assert fitted.scores.mean > 0.75
    np.testing.assert_allclose(fitted.oof.predicted.sum(axis=1), 1)


def test_a_target_nothing_tells_about_is_answered_by_its_shares() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=300), "y": rng.integers(0, 2, 300).astype(str)})
    fitted = fitted_on(frame, "y", "binary", columns={"x": "number"})
    share = predict(fitted, frame)[:, 1]
    assert np.ptp(share) < 0.25
    assert fitted.scores.loss == pytest.approx(fitted.scores.baseline_loss, abs=0.01)


@pytest.mark.parametrize("rows", [2, 3, 10])
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_very_few_rows_still_give_a_model(rows: int, task: Task) -> None:
    frame = pd.DataFrame(
        {"x": np.arange(rows, dtype=float), "y": [0.0, 1.0] * (rows // 2) + [1.0] * (rows % 2)}
    )
    if task == "binary":
        frame["y"] = frame["y"].astype(int).astype(str)
    fitted = fitted_on(frame, "y", task, columns={"x": "number"})
    assert np.isfinite(predict(fitted, frame)).all()


def test_classes_of_one_row_each_do_not_break_training() -> None:
    rng = np.random.default_rng(0)
    labels = ["a"] * 60 + ["b"] * 60 + ["lone 1", "lone 2"]
    frame = pd.DataFrame({"x": rng.normal(size=122), "y": labels})
    fitted = fitted_on(frame, "y", "multiclass", columns={"x": "number"})
    assert np.isfinite(fitted.scores.loss)
    assert len(fitted.classes) == 4


def test_columns_that_are_wide_empty_or_of_no_use_are_survived() -> None:
    rng = np.random.default_rng(0)
    wide = {f"x{number}": rng.normal(size=80) for number in range(300)}
    frame = pd.DataFrame({**wide, "gone": np.full(80, np.nan), "y": rng.normal(size=80)})
    frame["y"] += 3 * frame["x0"]
    fitted = fitted_on(
        frame, "y", "regression", columns={**dict.fromkeys(wide, "number"), "gone": "number"}
    )
    assert fitted.scores.mean > 0.1


def test_a_table_without_usable_columns_gives_the_mean() -> None:
    frame = pd.DataFrame({"y": np.arange(100.0)})
    fitted = fitted_on(frame, "y", "regression", columns={})
    assert fitted.weights == {"constant": 1.0}


def test_a_budget_that_is_used_up_at_once_still_gives_a_model() -> None:
    fitted = fitted_on(mixed(200), "bought", "binary", budget=Budget(1e-6))
    assert fitted.cut_short
    assert sum(fitted.weights.values()) == pytest.approx(1)


def test_a_budget_that_ends_in_the_middle_keeps_what_is_done() -> None:
    # Every look at the clock takes a second, so the plan cannot be finished in 300.
    clock = Clock(step=1.0)
    budget = Budget(300, clock)
    fitted = fitted_on(mixed(400), "bought", "binary", budget=budget, recipes=RECIPES)
    assert fitted.cut_short
    assert clock.now <= 1.05 * 300
    assert fitted.scores.mean > 0.6


def test_the_first_model_comes_before_the_plan_starts_and_predicts() -> None:
    frame = mixed(300)
    told, firsts = Told(), []
    target = target_of(frame["bought"], "binary")

    def on_first(fitted: Fitted) -> None:
        firsts.append((fitted, {stage for stage, *_ in told.lines}))

    blend.fit_blend(
        frame,
        COLUMNS,
        target,
        budget=Budget(600),
        seed=0,
        on_progress=told,
        on_first_model=on_first,
    )
    ((first, stages),) = firsts
    assert stages == {"a first quick model"}
    assert blend_score("binary", target.y, predict(first, frame)) > 0.7


def test_progress_rises_to_its_end_and_names_its_stages() -> None:
    frame, told = mixed(300), Told()
    target = target_of(frame["bought"], "binary")
    blend.fit_blend(frame, COLUMNS, target, budget=Budget(600), seed=0, on_progress=told)
    done = [line[1] for line in told.lines]
    assert done == sorted(done)
    assert told.lines[-1][1] == pytest.approx(told.lines[-1][2])
    assert {line[0] for line in told.lines} >= {"linear model", "boosting", "forest"}


def test_the_time_to_go_comes_from_what_the_steps_have_cost() -> None:
    clock, told = Clock(), Told()
    course = Course(Budget(100, clock), told)
    course.plan([("a", 1.0), ("b", 3.0)])
    clock.now = 10.0
    course.finish("stage", "a")
    assert told.lines[-1] == ("stage", 1.0, 4.0, 30.0)
    course.at("stage", "b", 0.5)
    assert told.lines[-1][3] == pytest.approx(6.0)


def test_the_time_to_go_is_never_more_than_the_budget_left() -> None:
    clock, told = Clock(), Told()
    course = Course(Budget(12, clock), told)
    course.plan([("a", 1.0), ("b", 3.0)])
    clock.now = 10.0
    course.finish("stage", "a")
    assert told.lines[-1][3] == pytest.approx(2.0)
