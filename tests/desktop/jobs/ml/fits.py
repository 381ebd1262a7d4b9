"""Small fitted members and the matrices they were fitted on, made fresh for each test run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from desktop.jobs.ml.linear import Design


@dataclass(frozen=True)
class Rows:
    """A matrix as `features` makes it."""

    dense: npt.NDArray[np.float64]
    categorical: npt.NDArray[np.bool_]
    sparse: Any = None


@dataclass(frozen=True)
class Linear:
    estimator: Any
    design: Design


TASKS = ("binary", "multiclass", "regression")


def rows(count: int, *, seed: int = 0, text: bool = False) -> Rows:
    """Numbers with gaps, two categorical features (3 and 40 codes), maybe text."""
    random = np.random.default_rng(seed)
    dense = random.normal(size=(count, 6))
    dense[random.random(dense.shape) < 0.08] = np.nan
    dense[:, 2] = random.integers(0, 3, count)
    dense[:, 4] = random.integers(0, 40, count)
    dense[random.random(count) < 0.1, 4] = np.nan
    categorical = np.array([False, False, True, False, True, False])
    terms = sparse.random_array((count, 30), density=0.2, rng=random).tocsr() if text else None
    return Rows(dense, categorical, terms)


def target(given: Rows, task: str, *, seed: int = 1) -> npt.NDArray[np.float64]:
    """Depends on numbers, on gaps and on both categories."""
    random = np.random.default_rng(seed)
    clean = np.nan_to_num(np.clip(given.dense, -50, 50), nan=1.5)
    score = clean[:, 0] + (clean[:, 2] == 1) + np.sin(clean[:, 4]) * 2 + clean[:, 3] ** 2 / 3
    score = score + 0.3 * random.normal(size=len(clean))
    if given.sparse is not None:
        score = score + 3 * np.asarray(given.sparse[:, :5].sum(axis=1)).ravel()
    if task == "regression":
        return np.asarray(score * 10)
    cuts = [0.5] if task == "binary" else [-0.5, 0.5, 1.5]
    return np.asarray(np.digitize(score, cuts), dtype=np.float64)


def estimator(kind: str, task: str, given: Rows) -> Any:
    """An unfitted scikit-learn estimator."""
    from sklearn import ensemble, linear_model

    is_value = task == "regression"
    ending = "Regressor" if is_value else "Classifier"
    if kind == "linear":
        return linear_model.Ridge() if is_value else linear_model.LogisticRegression(max_iter=200)
    if kind == "boosting":
        return getattr(ensemble, "HistGradientBoosting" + ending)(
            random_state=0, max_iter=20, categorical_features=given.categorical
        )
    sort = {"forest": "RandomForest", "extra": "ExtraTrees"}[kind]
    return getattr(ensemble, sort + ending)(10, min_samples_leaf=2, random_state=0, n_jobs=1)


def fitted(kind: str, task: str, given: Rows) -> Any:
    """A member of this kind, fitted on these rows."""
    y = target(given, task)
    if kind == "linear":
        design = Design.fit(given)
        return Linear(estimator(kind, task, given).fit(design.transform(given), y), design)
    return estimator(kind, task, given).fit(given.dense, y)


def predicted_by_sklearn(member: Any, given: Rows, task: str) -> npt.NDArray[np.float64]:
    """What scikit-learn itself predicts: [rows, classes] or [rows, 1]."""
    inputs: Any = given.dense
    if isinstance(member, Linear):
        inputs, member = member.design.transform(given), member.estimator
    if task == "regression":
        return np.asarray(member.predict(inputs)).reshape(-1, 1)
    return np.asarray(member.predict_proba(inputs))
