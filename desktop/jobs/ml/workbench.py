"""The table a blend is made on: shared features, folds, and each fold's members so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from desktop.jobs.ml import members
from desktop.jobs.ml.features import Features, Matrix, Tables, target_outputs
from desktop.jobs.ml.fitted import Floats, Target
from desktop.jobs.ml.packing import Constant
from desktop.jobs.ml.scores import baseline

if TYPE_CHECKING:
    import pandas as pd

    from desktop.jobs.ml.budget import Budget
    from desktop.jobs.ml.features import Own
    from desktop.jobs.ml.features_tables import Base
    from desktop.jobs.ml.folds import Fold

CONSTANT = "constant"
"""The member that says the same of every row: the others are pulled towards it when unsure."""

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
        self, frame: pd.DataFrame, columns: Mapping[str, str], target: Target, seed: int
    ) -> None:
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

    def fit(self, recipe: members.Recipe, budget: Budget, told: Told) -> bool:
        """Fit a member on every fold; forget it and return False when time does not suffice."""
        started = budget.spent()
        fitted: list[tuple[members.Estimator, Floats]] = []
        for number, work in enumerate(self.folds):
            used = (budget.spent() - started) / max(1, number)
            if budget.is_over() or (number and used * 0.5 > budget.left()):
                return False
            fits_left = len(self.folds) - number
            share = members.Share(
                budget=budget.part(budget.left() / fits_left),
                seed=self.seed + number,
                on_step=_step_of(told, recipe.name, number, len(self.folds)),
            )
            fitted.append(self._fit_fold(recipe, work, share))
        for work, (member, predicted) in zip(self.folds, fitted, strict=True):
            work.members[recipe.name] = member
            work.predicted[recipe.name] = predicted
        self.seconds[recipe.name] = budget.spent() - started
        return True

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
