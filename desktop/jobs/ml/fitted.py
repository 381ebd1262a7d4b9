"""What comes out of training, before it is stored: folds, weights, scores, held-out predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from desktop.jobs.ml.features import Features, Task
from desktop.jobs.ml.members import Estimator
from desktop.jobs.ml.scores import Scores

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Target:
    """The column to predict, as numbers."""

    task: Task
    y: Floats
    """[rows]: values, or numbers of classes."""
    classes: tuple[str, ...]
    """Of two classes the rarer one is the second: thresholds are about it. Empty for numbers."""

    @property
    def outputs(self) -> int:
        return len(self.classes) or 1

    def __getitem__(self, rows: Places) -> Target:
        return Target(self.task, self.y[rows], self.classes)


@dataclass(frozen=True, slots=True)
class FoldPart:
    """What was fitted on one fold."""

    features: Features
    members: dict[str, Estimator]
    """By name: a scikit-learn estimator, `members.LinearMember`, or `packing.Constant`."""


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Predictions for rows by the models that were not fitted on them."""

    rows: Places
    """Row numbers in the training frame."""
    y: Floats
    """[rows]."""
    predicted: Floats
    """[rows, outputs], blended."""
    fold: Places
    """[rows]: number of the fold whose models were not fitted on the row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One line of the leaderboard."""

    member: str
    score: float
    spread: float
    loss: float
    seconds: float
    weight: float
    """Its share in the blend, 0..1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A fitted blend, as it is before it is stored."""

    task: Task
    classes: tuple[str, ...]
    """In the order of the probabilities; of two, the second is the rarer. Empty for numbers."""
    columns: Mapping[str, str]
    """The columns used: name -> kind."""
    folds: tuple[FoldPart, ...]
    """All share one `features.tables`. The prediction is their mean."""
    weights: Mapping[str, float]
    """Of each member in the blend; more than 0, adding up to 1."""
    oof: OutOfFold
    scores: Scores
    threshold: float | None
    """Binary: from this probability of classes[1] on, that is the label."""
    conformal: Mapping[str, float]
    """Regression: "0.9" -> half width of the interval that covers 90 % of new rows."""
    leaderboard: tuple[Standing, ...]
    """Members by loss, the best first."""
    seconds: Mapping[str, float]
    """What each member took; "features" too."""
    cut_short: bool
    """Whether the budget left out a part of the plan."""
    seed: int


def target_of(values: pd.Series, task: Task) -> Target:
    """Turn the target column (without gaps) into numbers."""
    if task == "regression":
        return Target(task, values.to_numpy(dtype=np.float64), ())
    from desktop.jobs.ml.features_columns import levels_in

    places, found = levels_in(values)
    texts = np.array(found, dtype=object)[places].astype(str)
    classes, y, rows = np.unique(texts, return_inverse=True, return_counts=True)
    names = [str(name) for name in classes]
    if len(names) == 2 and rows[1] > rows[0]:
        names.reverse()
        y = 1 - y
    return Target(task, y.astype(np.float64), tuple(names))
