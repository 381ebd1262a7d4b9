"""The models that are blended: how each is fitted on one fold, within its share of the budget.

Fitting is scikit-learn's. What comes out is turned into data by `packing`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from desktop.jobs.ml.linear import Design

if TYPE_CHECKING:
    from desktop.jobs.ml.budget import Budget
    from desktop.jobs.ml.features import Matrix, Task

Floats = npt.NDArray[np.float64]
Estimator = Any
"""A scikit-learn estimator: that library has no types."""

OnStep = Callable[[float], None]
"""Told the share (0..1) of a fit that is done; called after every tree or so."""

LINEAR_CELLS_MAX = 3_000_000
"""A linear model is fitted on a sample of the rows above this many cells: it has few weights,
so more rows add seconds but no accuracy."""
LINEAR_STEPS_MAX = 200
FOREST_ROWS_MAX = 10_000
"""Forests are left out above this: they would take most of the memory and the model's size."""
FOREST_TREES = 60
FOREST_STEP_TREES = 10
BOOSTING_ROWS_MIN = 40
"""With fewer rows no split leaves enough rows on both sides."""
BINS_MAX = 255


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one fold: features and target."""

    matrix: Matrix
    y: Floats
    """[rows]: values, or numbers of classes."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a fit may use, and whom it tells."""

    budget: Budget
    seed: int
    on_step: OnStep


@dataclass(frozen=True, slots=True)
class FittedMember:
    """One member of one fold."""

    member: Estimator
    """A scikit-learn estimator, or `LinearMember`."""
    is_cut_short: bool


class Recipe(Protocol):
    """One sort of member."""

    @property
    def name(self) -> str:
        """Stable: it is stored with the model."""

    @property
    def weight(self) -> float:
        """What a fit costs compared to the other members, roughly."""

    def suits(self, rows: int) -> bool:
        """Whether it is worth fitting on this many rows."""

    @property
    def only_if_better(self) -> tuple[str, str] | None:
        """Two members: this one is worth its time only when the second beat the first."""

    def fit(self, task: Task, fit: Rows, held: Rows, share: Share) -> FittedMember:
        """Fit on rows of a fold; the held-out ones decide only when to stop."""


@dataclass(frozen=True, slots=True)
class LinearMember:
    """Ridge or logistic regression together with the preparation it was fitted on."""

    estimator: Estimator
    design: Design

    def predict(self, matrix: Matrix) -> Floats:
        """Give float64 [rows, outputs]."""
        columns = self.design.transform(matrix)
        if hasattr(self.estimator, "classes_"):
            return np.asarray(self.estimator.predict_proba(columns))
        return np.asarray(self.estimator.predict(columns), dtype=np.float64).reshape(-1, 1)


@dataclass(frozen=True, slots=True)
class Linear:
    """Logistic or ridge regression: strong on few rows and on text."""

    name: str = "linear"
    weight: float = 1.0
    only_if_better: tuple[str, str] | None = None
    strength: float = 0.1
    """Inverse of the penalty on the weights (C of logistic regression)."""

    def suits(self, rows: int) -> bool:
        return rows >= 2

    def fit(self, task: Task, fit: Rows, held: Rows, share: Share) -> FittedMember:
        from sklearn.linear_model import LogisticRegression, Ridge

        design = Design.fit(fit.matrix, fit.matrix.linear)
        columns = design.transform(fit.matrix)
        rows = _sample(len(fit.y), max(1, design.width), share.seed)
        if task == "regression":
            # lsqr keeps a wide sparse design sparse; the exact solver is quicker on a narrow one.
            solver = "auto" if isinstance(columns, np.ndarray) else "lsqr"
            estimator = Ridge(1 / self.strength, solver=solver)
        else:
            estimator = LogisticRegression(C=self.strength, max_iter=LINEAR_STEPS_MAX, tol=1e-3)
        _quietly(lambda: estimator.fit(columns[rows], fit.y[rows]))
        share.on_step(1.0)
        return FittedMember(LinearMember(estimator, design), is_cut_short=False)


@dataclass(frozen=True, slots=True)
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
    leaf_rows_min: int = 5
    only_if_better: tuple[str, str] | None = None

    def suits(self, rows: int) -> bool:
        return BOOSTING_ROWS_MIN <= rows <= FOREST_ROWS_MAX

    def fit(self, task: Task, fit: Rows, held: Rows, share: Share) -> FittedMember:
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

        estimator = (ExtraTreesRegressor if task == "regression" else ExtraTreesClassifier)(
            FOREST_STEP_TREES,
            min_samples_leaf=self.leaf_rows_min,
            max_features=0.5,
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


def predict(member: Estimator, matrix: Matrix, outputs: int) -> Floats:
    """Predict with a fitted member: float64 [rows, outputs].

    Classes that the member never saw get probability 0.
    """
    if isinstance(member, LinearMember):
        predicted, classes = member.predict(matrix), getattr(member.estimator, "classes_", None)
    elif hasattr(member, "classes_"):
        predicted, classes = np.asarray(member.predict_proba(matrix.dense)), member.classes_
    else:
        return np.asarray(member.predict(matrix.dense), dtype=np.float64).reshape(-1, 1)
    if classes is None or len(classes) == outputs:
        return predicted
    widened = np.zeros((len(predicted), outputs))
    widened[:, np.asarray(classes, dtype=np.int64)] = predicted
    return widened


def _sample(rows: int, width: int, seed: int) -> npt.NDArray[np.int64]:
    most = max(2_000, LINEAR_CELLS_MAX // width)
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def _quietly(fit: Callable[[], object]) -> None:
    """Fit without the warning that the last digits of the weights would need more steps."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fit()


FIRST = Boosting("first", 1.0, 0.1, 16, 0.5, 1.0, 20, 60, 10)
"""What the first quick answer is made of."""
SMALL = Boosting("boosting-small", 2.0, 0.07, 8, 0.25, 10.0, 20, 500, 30, rows_max=30_000)
MIDDLE = Boosting("boosting", 5.0, 0.06, 63, 0.5, 1.0, 20, 600, 25)
LARGE = Boosting(
    "boosting-large",
    8.0,
    0.06,
    127,
    0.3,
    5.0,
    10,
    600,
    25,
    only_if_better=(SMALL.name, MIDDLE.name),
)
RECIPES: tuple[Recipe, ...] = (Linear(), MIDDLE, SMALL, Forest(), LARGE)
"""The plan. What the budget does not reach is left out, so the most promising come first."""
