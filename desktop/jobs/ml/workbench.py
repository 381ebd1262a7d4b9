"""The table a blend is made on: shared features, folds, and each fold's members so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from desktop.jobs.ml import members
from desktop.jobs.ml.features import Features, Matrix, Tables, target_outputs
from desktop.jobs.ml.fitted import Floats, Places, Target
from desktop.jobs.ml.packing import Constant
from desktop.jobs.ml.scores import baseline, loss

if TYPE_CHECKING:
    import pandas as pd

    from desktop.jobs.ml.budget import Budget
    from desktop.jobs.ml.features import Own
    from desktop.jobs.ml.features_tables import Base
    from desktop.jobs.ml.folds import Fold

CONSTANT = "constant"
"""The member that says the same of every row: the others are pulled towards it when unsure."""

FAR_BEHIND = 1.08
"""A member whose loss in the first fold is this many times the best one's would get no weight."""
CHEAP_WEIGHT = 1.0
"""Members of at most this weight are fitted to the end: even a little of them may help."""

FIT_SHARE = 0.8
"""Of what the budget leaves each fold; making matrices and predicting takes the rest."""

Told = Callable[[str, float], None]
"""Told the name of a member and the share (0..1) of its work that is done."""


@dataclass(slots=True)
class FoldWork:
    """One fold while it is worked on."""

    fold: Fold
    features: Features
    own: Own
    members: dict[str, members.Estimator] = field(default_factory=dict)
    predicted: dict[str, Floats] = field(default_factory=dict)
    """Of the held-out rows, by member."""

    def fit_matrix(self, base: Base) -> Matrix:
        return self.features.matrix(base[self.fold.fit], self.own)

    def held_matrix(self, base: Base) -> Matrix:
        return self.features.matrix(base[self.fold.held])


class Workbench:
    """The state of fitting one blend."""

    def __init__(
        self,
        frame: pd.DataFrame,
        columns: Mapping[str, str],
        target: Target,
        seed: int,
        rows: Places | None = None,
    ) -> None:
        """Encode rows of a frame; None takes all of them."""
        self.rows = np.arange(len(frame)) if rows is None else rows
        if rows is not None:
            frame, target = frame.iloc[rows], target[rows]
        self.columns = dict(columns)
        self.target = target
        self.seed = seed
        self.cut_short = False
        self.seconds: dict[str, float] = {}
        self.tables = Tables.fit(frame, columns, seed)
        self.base = self.tables.apply(frame)
        self.outputs = target_outputs(target.y, target.task, target.outputs)
        self.folds: list[FoldWork] = []

    def divide(self, folds: tuple[Fold, ...]) -> None:
        """Learn the features of each fold and its simplest member."""
        for number, fold in enumerate(folds):
            outputs = None if self.outputs is None else self.outputs[fold.fit]
            features, own = Features.learn(
                self.tables, self.base[fold.fit], outputs, self.seed + number
            )
            work = FoldWork(fold, features, own)
            same = baseline(self.target.task, self.target.y[fold.fit], self.target.outputs)
            work.members[CONSTANT] = Constant(same)
            work.predicted[CONSTANT] = np.tile(same, (len(fold.held), 1))
            self.folds.append(work)
        self.seconds[CONSTANT] = 0.0

    def is_worth(self, recipe: members.Recipe) -> bool:
        """Say whether what is fitted so far speaks for a member."""
        if recipe.only_if_better is None:
            return True
        first, second = (self._loss(name) for name in recipe.only_if_better)
        return first is None or second is None or second < first

    def fit(self, recipe: members.Recipe, budget: Budget, told: Told) -> bool:
        """Fit a member on every fold; forget it and return False when time does not suffice.

        A member whose first fold is far behind the best is forgotten, too, but on purpose.
        """
        started = budget.spent()
        fitted: list[tuple[members.Estimator, Floats]] = []
        for number, work in enumerate(self.folds):
            if budget.is_over():
                return False
            fits_left = len(self.folds) - number
            share = members.Share(
                budget=budget.part(FIT_SHARE * budget.left() / fits_left),
                seed=self.seed + number,
                on_step=_step_of(told, recipe.name, number, len(self.folds)),
            )
            fitted.append(self._fit_fold(recipe, work, share))
            if number == 0 and self._is_far_behind(recipe, fitted[0][1]):
                self.seconds[recipe.name] = budget.spent() - started
                return True
        for work, (member, predicted) in zip(self.folds, fitted, strict=True):
            work.members[recipe.name] = member
            work.predicted[recipe.name] = predicted
        self.seconds[recipe.name] = budget.spent() - started
        return True

    def _is_far_behind(self, recipe: members.Recipe, predicted: Floats) -> bool:
        work, task = self.folds[0], self.target.task
        y = self.target.y[work.fold.held]
        best = min(loss(task, y, other) for other in work.predicted.values())
        is_cheap = recipe.weight <= CHEAP_WEIGHT
        return not is_cheap and loss(task, y, predicted) > FAR_BEHIND * best

    def _loss(self, name: str) -> float | None:
        """Give a member's loss over all held-out rows; None when it was not fitted."""
        if any(name not in work.predicted for work in self.folds):
            return None
        y = np.concatenate([self.target.y[work.fold.held] for work in self.folds])
        predicted = np.concatenate([work.predicted[name] for work in self.folds])
        return loss(self.target.task, y, predicted)

    def _fit_fold(
        self, recipe: members.Recipe, work: FoldWork, share: members.Share
    ) -> tuple[members.Estimator, Floats]:
        y, task = self.target.y, self.target.task
        fit = members.Rows(work.fit_matrix(self.base), y[work.fold.fit])
        has_one_class = task != "regression" and len(np.unique(fit.y)) < 2
        if has_one_class or fit.matrix.dense.shape[1] == 0:
            return work.members[CONSTANT], work.predicted[CONSTANT]
        held = members.Rows(work.held_matrix(self.base), y[work.fold.held])
        one = recipe.fit(task, fit, held, share)
        self.cut_short |= one.is_cut_short
        return one.member, members.predict(one.member, held.matrix, self.target.outputs)


def _step_of(told: Told, name: str, number: int, folds: int) -> Callable[[float], None]:
    return lambda share: told(name, (number + share) / folds)
