"""Fit a blend: several members on several folds, weighted by what held-out rows say.

    rows -> Tables, Base -> per fold Features -> per member and fold a fit -> weights -> Fitted

A quick model on a sample comes first. Then the plan goes from cheap to dear and is checked
against the budget between members, folds and trees; whatever is cut, a model comes out, in the
worst case one that always says the mean. Types of columns, guards and storage are left to others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from desktop.jobs.ml.budget import Budget, Course, Progress, silent
from desktop.jobs.ml.fitted import Fitted, FoldPart, OutOfFold, Standing, Target, target_of
from desktop.jobs.ml.folds import folds_of, holdout
from desktop.jobs.ml.members import Recipe
from desktop.jobs.ml.plan import FIRST, RECIPES
from desktop.jobs.ml.weighing import summed_up
from desktop.jobs.ml.workbench import Workbench

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Fitted", "FoldPart", "OutOfFold", "Standing", "Target", "fit_blend", "target_of"]

FIRST_ROWS_MAX = 5_000
"""Rows of the first quick model."""
FIRST_SECONDS_MAX = 2.0
FIRST_HELD_SHARE = 0.25
FEATURES_WEIGHT = 2.0
"""What preparing features costs beside the weights of the members."""
FEATURES_MARGIN = 2.0
"""Features are begun only if the budget leaves this many times what they are likely to take."""
FEATURES = "features"

STAGES: Mapping[str, str] = {
    FEATURES: "reading the columns",
    "first": "a first quick model",
    "linear": "linear model",
    "boosting-small": "boosting, small trees",
    "boosting": "boosting",
    "forest": "forest",
    "boosting-large": "boosting, large trees",
}
"""What each step is called for people."""

OnFirstModel = Callable[[Fitted], None]


def fit_blend(
    frame: pd.DataFrame,
    columns: Mapping[str, str],
    target: Target,
    *,
    budget: Budget,
    seed: int,
    on_progress: Progress = silent,
    on_first_model: OnFirstModel | None = None,
    recipes: Sequence[Recipe] = RECIPES,
) -> Fitted:
    """Fit the best blend the budget allows.

    Args:
        frame: the training rows; the target has no gaps in them.
        columns: the columns to use, without the target: name -> kind.
        target: the target of these rows, from `target_of`; at least two different values.
        budget: checked between members, folds and trees.
        seed: the same rows, seed and a finished plan give the same blend.
        on_progress: told what is being done, and how far all of it is.
        on_first_model: given the first quick model as soon as there is one.
        recipes: the plan.
    """
    course = Course(budget, on_progress)
    plan = [recipe for recipe in recipes if recipe.suits(len(frame))]
    course.plan([("first", 1.0), (FEATURES, FEATURES_WEIGHT)])
    course.plan((recipe.name, recipe.weight) for recipe in plan)
    first, seconds_per_row = _first_model(frame, columns, target, budget, seed, course)
    if on_first_model is not None:
        on_first_model(first)
    if FEATURES_MARGIN * seconds_per_row * len(frame) > budget.left():
        return replace(first, cut_short=True)
    bench = _bench(frame, columns, target, budget, seed, course)
    for recipe in plan:
        if bench.is_worth(recipe):
            course.at(_stage(recipe.name), recipe.name, 0.0)
            done = not budget.is_over() and bench.fit(recipe, budget, _teller(course))
            bench.cut_short |= not done
        course.finish(_stage(recipe.name), recipe.name)
    fitted = summed_up(bench)
    # What little a cut plan got done can be worse than the quick model of a sample.
    is_worse = bench.cut_short and first.scores.loss < fitted.scores.loss
    return replace(first, cut_short=True) if is_worse else fitted


def _stage(name: str) -> str:
    return STAGES.get(name, name)


def _teller(course: Course) -> Callable[[str, float], None]:
    return lambda name, share: course.at(_stage(name), name, share)


def _bench(
    frame: pd.DataFrame,
    columns: Mapping[str, str],
    target: Target,
    budget: Budget,
    seed: int,
    course: Course,
) -> Workbench:
    started = budget.spent()
    course.at(STAGES[FEATURES], FEATURES, 0.0)
    bench = Workbench(frame, columns, target, seed)
    bench.divide(folds_of(target.y, target.task, seed))
    bench.seconds[FEATURES] = budget.spent() - started
    course.finish(STAGES[FEATURES], FEATURES)
    return bench


def _first_model(
    frame: pd.DataFrame,
    columns: Mapping[str, str],
    target: Target,
    budget: Budget,
    seed: int,
    course: Course,
) -> tuple[Fitted, float]:
    """Fit quick members on a sample; give also the seconds each row's features took."""
    started = budget.spent()
    course.at(STAGES["first"], "first", 0.0)
    rows = np.arange(len(frame))
    if len(rows) > FIRST_ROWS_MAX:
        rows = holdout(target.y, target.task, FIRST_ROWS_MAX / len(rows), seed).held
    bench = Workbench(frame, columns, target, seed, rows)
    bench.divide((holdout(bench.target.y, target.task, FIRST_HELD_SHARE, seed),))
    seconds_per_row = (budget.spent() - started) / len(rows)
    quick = budget.part(FIRST_SECONDS_MAX)
    for recipe in FIRST:
        if recipe.suits(len(rows)) and not quick.is_over():
            bench.fit(recipe, quick, lambda _, share: course.at(STAGES["first"], "first", share))
    course.finish(STAGES["first"], "first")
    return summed_up(bench), seconds_per_row
