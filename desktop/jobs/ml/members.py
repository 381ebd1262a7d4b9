"""What a member of the blend is: rows in, a fitted estimator out, within a share of the budget.

Here is the linear one; trees are in `tree_members`, which members there are in `plan`. Fitting is
scikit-learn's. What comes out is turned into data by `packing`.
"""

from __future__ import annotations

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
            estimator = LogisticRegression(C=self.strength, max_iter=LINEAR_STEPS_MAX)
        _quietly(lambda: estimator.fit(columns[rows], fit.y[rows]))
        share.on_step(1.0)
        return FittedMember(LinearMember(estimator, design), is_cut_short=False)


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
