"""Members made of trees: histogram gradient boosting and extra trees, stopped when time is up."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from desktop.jobs.ml.members import Estimator, FittedMember, Floats, Rows, Share

if TYPE_CHECKING:
    from desktop.jobs.ml.features import Task

FOREST_ROWS_MAX = 10_000
"""Forests are left out above this: they would take most of the memory and the model's size."""
FOREST_TREES = 60
FOREST_STEP_TREES = 10
BOOSTING_ROWS_MIN = 40
"""With fewer rows no split leaves enough rows on both sides."""
BINS_MAX = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Boosting:
    """Histogram gradient boosting, stopped when the held-out loss stays where it is."""

    name: str
    weight: float
    learning_rate: float
    leaves: int
    """Most leaves of a tree on 20,000 rows and more; fewer rows get smaller trees."""
    features_share: float
    """Features each split may choose from."""
    penalty: float
    leaf_rows_min: int
    trees_max: int
    patience: int
    """Trees without improvement before it stops."""
    rows_max: int = sys.maxsize
    only_if_better: tuple[str, str] | None = None

    def suits(self, rows: int) -> bool:
        return BOOSTING_ROWS_MIN <= rows <= self.rows_max

    def fit(self, task: Task, fit: Rows, held: Rows, share: Share) -> FittedMember:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        sort = (
            HistGradientBoostingRegressor
            if task == "regression"
            else HistGradientBoostingClassifier
        )
        is_categorical = fit.matrix.categorical
        estimator = sort(
            learning_rate=self.learning_rate,
            max_iter=self.trees_max,
            max_leaf_nodes=_leaves(self.leaves, len(fit.y)),
            max_features=self.features_share,
            l2_regularization=self.penalty,
            min_samples_leaf=self.leaf_rows_min,
            max_bins=BINS_MAX,
            categorical_features=is_categorical if is_categorical.any() else None,
            early_stopping=True,
            n_iter_no_change=self.patience,
            tol=0.0,
            random_state=share.seed,
        )
        # A class that only held-out rows have cannot be scored while fitting.
        known = np.isin(held.y, fit.y) if task != "regression" else np.ones(len(held.y), bool)
        return _boost(estimator, fit, held.matrix.dense[known], held.y[known], share)


def _boost(
    estimator: Estimator,
    fit: Rows,
    held_dense: npt.NDArray[np.float32],
    held_y: Floats,
    share: Share,
) -> FittedMember:
    """Fit tree by tree until the loss rests or time is up; keep the trees up to the best loss."""
    rests = estimator._should_stop  # noqa: SLF001 - the one place called after every tree
    cut_short = False

    def should_stop(losses: list[float]) -> bool:
        nonlocal cut_short
        share.on_step(min(1.0, len(losses) / estimator.max_iter))
        has_rested = bool(rests(losses))
        cut_short = not has_rested and share.budget.is_over()
        return has_rested or cut_short

    estimator._should_stop = should_stop  # noqa: SLF001
    try:
        estimator.fit(without_empty(fit.matrix.dense), fit.y, X_val=held_dense, y_val=held_y)
    finally:
        del estimator._should_stop  # noqa: SLF001
    best = max(1, int(np.argmax(estimator.validation_score_)))
    estimator._predictors = estimator._predictors[:best]  # noqa: SLF001
    return FittedMember(estimator, cut_short)


def without_empty(dense: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Fill columns that have no value in these rows with 0: boosting fails on them otherwise.

    No tree can split on a constant column, so what stands in new rows never counts.
    """
    is_empty = np.isnan(dense).all(axis=0)
    return np.where(is_empty, np.float32(0), dense) if is_empty.any() else dense


def _leaves(most: int, rows: int) -> int:
    """Choose smaller trees for fewer rows: a quarter on 5,000, half on 20,000."""
    if rows >= 20_000:
        return most
    return max(6, most // 2) if rows >= 4_000 else max(6, most // 4)


@dataclass(frozen=True, slots=True)
class Forest:
    """Extra trees: unlike boosting in its errors, and so of use beside it on few rows."""

    name: str = "forest"
    weight: float = 4.0
    only_if_better: tuple[str, str] | None = None

    def suits(self, rows: int) -> bool:
        return BOOSTING_ROWS_MIN <= rows <= FOREST_ROWS_MAX

    def fit(self, task: Task, fit: Rows, held: Rows, share: Share) -> FittedMember:
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

        is_value = task == "regression"
        # Small leaves would tell of rare classes with too much certainty.
        estimator = (ExtraTreesRegressor if is_value else ExtraTreesClassifier)(
            FOREST_STEP_TREES,
            min_samples_leaf=5 if is_value else 10,
            max_features=0.5 if is_value else "sqrt",
            warm_start=True,
            n_jobs=1,
            random_state=share.seed,
        )
        dense = without_empty(fit.matrix.dense)
        while True:
            estimator.fit(dense, fit.y)
            share.on_step(estimator.n_estimators / FOREST_TREES)
            if estimator.n_estimators >= FOREST_TREES or share.budget.is_over():
                return FittedMember(estimator, estimator.n_estimators < FOREST_TREES)
            estimator.n_estimators += FOREST_STEP_TREES
