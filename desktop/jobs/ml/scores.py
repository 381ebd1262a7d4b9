"""How good predictions are: the metric a person is told, and the loss that models are blended by.

Predictions are float64 [rows, outputs] everywhere: probabilities of the classes, or one value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from desktop.jobs.ml.features import Task

Floats = npt.NDArray[np.float64]

METRICS: dict[Task, str] = {
    "binary": "AUC",
    "multiclass": "AUC (one against the rest)",
    "regression": "R²",
}
CHANCE_MIN = 1e-15


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What the person is told of a model's quality, all from rows it was not fitted on."""

    metric: str
    folds: tuple[float, ...]
    """The metric in each fold."""
    mean: float
    """The metric over all held-out rows of all folds, the mean over folds where there are more."""
    spread: float
    """Standard deviation over the folds; with one fold, of resampled held-out rows."""
    baseline: float
    """The metric for always guessing the most common class, or the mean: 0.5 or 0."""
    loss: float
    """Log loss, or mean squared error."""
    baseline_loss: float


def score(task: Task, y: Floats, predicted: Floats) -> float:
    """Compute the metric: area under the ROC curve (mean over classes), or R².

    A class that is missing from y, or is all of it, counts as 0.5; constant values as 0.
    """
    if task == "regression":
        around = float(np.sum((y - y.mean()) ** 2))
        return 1 - float(np.sum((y - predicted[:, 0]) ** 2)) / around if around > 0 else 0.0
    if task == "binary":
        return area(y == 1, predicted[:, 1])
    seen = [number for number in range(predicted.shape[1]) if np.any(y == number)]
    return float(np.mean([area(y == number, predicted[:, number]) for number in seen]))


def loss(task: Task, y: Floats, predicted: Floats) -> float:
    """Compute log loss, or mean squared error."""
    if task == "regression":
        return float(np.mean((y - predicted[:, 0]) ** 2))
    chance = predicted[np.arange(len(y)), y.astype(np.int64)]
    return float(-np.mean(np.log(np.clip(chance, CHANCE_MIN, 1))))


def area(happened: npt.NDArray[np.bool_], chance: Floats) -> float:
    """Compute the area under the ROC curve: the share of pairs in the right order.

    As Hanley and McNeil (1982) do it; 0.5 when there is nothing to compare.
    """
    yes = int(happened.sum())
    no = len(happened) - yes
    if yes == 0 or no == 0:
        return 0.5
    _, place, ties = np.unique(chance, return_inverse=True, return_counts=True)
    # Equal values share the mean of the ranks they take up.
    mean_rank = np.cumsum(ties) - (ties - 1) / 2
    return (float(mean_rank[place][happened].sum()) - yes * (yes + 1) / 2) / (yes * no)


def baseline(task: Task, y: Floats, outputs: int) -> Floats:
    """Predict the same for every row: the shares of the classes, or the mean: [outputs]."""
    if task == "regression":
        return np.array([y.mean()])
    return np.bincount(y.astype(np.int64), minlength=outputs) / len(y)


RESAMPLES = 20


def resampled_spread(task: Task, y: Floats, predicted: Floats, seed: int) -> float:
    """Estimate the metric's standard deviation from one held-out part (bootstrap)."""
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(0, len(y), len(y)) for _ in range(RESAMPLES))
    return float(np.std([score(task, y[rows], predicted[rows]) for rows in drawn]))
