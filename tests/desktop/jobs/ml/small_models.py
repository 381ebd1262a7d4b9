"""Small tables of every column kind, blends fitted on them in a blink, and what a model needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from desktop.jobs.ml.features import Features, Tables, target_outputs
from desktop.jobs.ml.fitted import Fitted, FoldPart, OutOfFold, Target, target_of
from desktop.jobs.ml.linear import Design
from desktop.jobs.ml.manifest import ManifestFacts, Metric, Task
from desktop.jobs.ml.members import LinearMember
from desktop.jobs.ml.members import predict as predicted_by_member
from desktop.jobs.ml.scores import Scores

COLUMNS = {
    "age": "number",
    "plan": "category",
    "town": "category",
    "note": "text",
    "since": "date",
}
WORDS = (
    "late",
    "broken",
    "great",
    "slow",
    "friendly",
    "lost",
    "quick",
    "refund",
    "again",
    "thanks",
)


def table(rows: int, *, seed: int = 0) -> pd.DataFrame:
    """A table with gaps, few and many levels, dates and words."""
    random = np.random.default_rng(seed)
    days = pd.to_timedelta(random.integers(0, 900, rows), unit="D")
    frame = pd.DataFrame(
        {
            "age": random.normal(40, 12, rows).round(1),
            "plan": random.choice(["basic", "plus", "pro"], rows),
            "town": [f"town {number}" for number in random.integers(0, 30, rows)],
            "note": [" ".join(random.choice(WORDS, 4)) for _ in range(rows)],
            "since": pd.Timestamp("2021-01-01") + days,
        }
    )
    frame.loc[random.random(rows) < 0.1, "age"] = np.nan
    frame.loc[random.random(rows) < 0.05, "plan"] = None
    return frame


def target(frame: pd.DataFrame, task: Task, *, seed: int = 1) -> Target:
    random = np.random.default_rng(seed)
    score = frame["age"].fillna(55) / 12 + 2 * (frame["plan"] == "pro")
    score = score + 2 * frame["note"].str.contains("refund") + random.normal(size=len(frame)) / 2
    if task == "regression":
        return target_of(score, task)
    cuts = [4.5] if task == "binary" else [3.0, 4.0, 5.5]
    names = np.array(["no", "yes"] if task == "binary" else ["red", "green", "blue", "grey"])
    return target_of(pd.Series(names[np.digitize(score, cuts)]), task)


def estimators(task: Task) -> dict[str, Any]:
    """One unfitted estimator of every sort."""
    from sklearn import ensemble as e
    from sklearn.linear_model import LogisticRegression, Ridge

    boosting: dict[str, Any] = {"max_iter": 8, "max_leaf_nodes": 8, "random_state": 0}
    forest: dict[str, Any] = {"n_estimators": 4, "max_depth": 4, "random_state": 0}
    if task == "regression":
        return {
            "linear": Ridge(),
            "boosting": e.HistGradientBoostingRegressor(**boosting),
            "forest": e.RandomForestRegressor(**forest),
            "extra": e.ExtraTreesRegressor(**forest),
        }
    return {
        "linear": LogisticRegression(max_iter=100),
        "boosting": e.HistGradientBoostingClassifier(**boosting),
        "forest": e.RandomForestClassifier(**forest),
        "extra": e.ExtraTreesClassifier(**forest),
    }


def small_fitted(task: Task, *, rows: int = 300, folds: int = 2, seed: int = 0) -> Fitted:
    """A blend of all four sorts of members on two folds, weighted alike."""
    frame = table(rows, seed=seed)
    goal = target(frame, task)
    tables = Tables.fit(frame, COLUMNS, seed=0)
    outputs = target_outputs(goal.y, task, goal.outputs)
    parts = []
    predicted = np.zeros((rows, goal.outputs))
    for number in range(folds):
        held = np.arange(rows) % folds == number
        base = tables.apply(frame[~held])
        features, own = Features.learn(tables, base, None if outputs is None else outputs[~held], 0)
        matrix = features.matrix(base, own)
        members: dict[str, Any] = {}
        for name, estimator in estimators(task).items():
            if name == "linear":
                design = Design.fit(matrix, matrix.linear)
                estimator.fit(design.transform(matrix), goal.y[~held])
                members[name] = LinearMember(estimator, design)
                continue
            if name == "boosting":
                estimator.set_params(categorical_features=matrix.categorical)
            members[name] = estimator.fit(matrix.dense, goal.y[~held])
        parts.append(FoldPart(features, members))
        later = features.transform(frame[held])
        for member in members.values():
            predicted[held] += predicted_by_member(member, later, goal.outputs) / len(members)
    return Fitted(
        task=task,
        classes=goal.classes,
        columns=COLUMNS,
        folds=tuple(parts),
        weights=dict.fromkeys(parts[0].members, 1 / len(parts[0].members)),
        oof=OutOfFold(np.arange(rows), goal.y, predicted, np.arange(rows) % folds),
        scores=Scores(
            metric="AUC",
            folds=(0.8, 0.9),
            mean=0.85,
            spread=0.05,
            baseline=0.5,
            loss=0.4,
            baseline_loss=0.7,
        ),
        threshold=0.4 if task == "binary" else None,
        conformal={"0.9": 1.25} if task == "regression" else {},
        leaderboard=(),
        seconds={},
        cut_short=False,
        seed=0,
    )


def blended_by_sklearn(fitted: Fitted, frame: pd.DataFrame) -> Any:
    """What the estimators themselves say of these rows: [rows, outputs]."""
    total = np.zeros((len(frame), len(fitted.classes) or 1))
    for part in fitted.folds:
        matrix = part.features.transform(frame)
        for name, weight in fitted.weights.items():
            total += weight * predicted_by_member(part.members[name], matrix, total.shape[1])
    return total / len(fitted.folds)


def facts(name: str = "Churn", **more: Any) -> ManifestFacts:
    metric = Metric(name="AUC", per_fold=(0.84, 0.86), mean=0.85, spread=0.01, baseline=0.5)
    told = {"name": name, "target": "left", "rows": 300, "columns": 5, "metrics": (metric,)}
    return ManifestFacts.model_validate(told | more)
