"""One tool, one table, one seed, in a process of its own: train, predict, print what it took.

Usage: peers.py TRAIN.csv TEST.csv TARGET TASK TOOL BUDGET_SECONDS SEED

Runs in the environment of the tool, so it imports nothing of Deskhand unless that is the tool.
The last line printed is "RESULT " and a JSON object.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

METRICS = {
    "flaml": {"binary": "roc_auc", "multiclass": "log_loss", "regression": "r2"},
    "autogluon": {"binary": "roc_auc", "multiclass": "log_loss", "regression": "r2"},
}


@dataclass
class Run:
    """What the tool is given."""

    train: pd.DataFrame
    test: pd.DataFrame
    target: str
    task: str
    budget_seconds: float
    seed: int
    train_file: Path
    test_file: Path

    @property
    def features(self) -> pd.DataFrame:
        return self.train.drop(columns=self.target)

    @property
    def asked(self) -> pd.DataFrame:
        return self.test.drop(columns=self.target)


@dataclass
class Predicted:
    """What the tool gave back: values, or probabilities [rows, classes] in the order of classes."""

    values: Any
    classes: list[str] | None
    fit_seconds: float
    fit_cpu_seconds: float
    facts: dict[str, Any]


def cpu_seconds() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def timed(fit: Callable[[], Any]) -> tuple[Any, float, float]:
    """Call fit; return its result, the wall seconds and the CPU seconds."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    result = fit()
    return result, time.perf_counter() - wall, cpu_seconds() - cpu


def run_autogluon(run: Run) -> Predicted:
    from autogluon.tabular import TabularPredictor

    with tempfile.TemporaryDirectory() as folder:
        predictor = TabularPredictor(
            run.target,
            path=f"{folder}/models",
            eval_metric=METRICS["autogluon"][run.task],
            verbosity=0,
        )
        fitted, wall, cpu = timed(
            lambda: predictor.fit(
                run.train,
                presets="medium_quality",
                time_limit=run.budget_seconds,
                num_cpus=1,
                ag_args_ensemble={"fold_fitting_strategy": "sequential_local"},
            )
        )
        facts = {
            "models": len(fitted.model_names()),
            "disk_mb": sum(f.stat().st_size for f in Path(folder).rglob("*") if f.is_file())
            / 2**20,
        }
        if run.task == "regression":
            return Predicted(fitted.predict(run.test).to_numpy(), None, wall, cpu, facts)
        table = fitted.predict_proba(run.test)
        return Predicted(table.to_numpy(), [str(c) for c in table.columns], wall, cpu, facts)


def run_flaml(run: Run) -> Predicted:
    from flaml import AutoML

    model = AutoML()
    _, wall, cpu = timed(
        lambda: model.fit(
            X_train=run.features,
            y_train=run.train[run.target],
            task="regression" if run.task == "regression" else "classification",
            metric=METRICS["flaml"][run.task],
            time_budget=run.budget_seconds,
            seed=run.seed,
            n_jobs=1,
            verbose=0,
        )
    )
    if run.task == "regression":
        return Predicted(model.predict(run.asked), None, wall, cpu, {})
    classes = [str(c) for c in model.classes_]
    return Predicted(model.predict_proba(run.asked), classes, wall, cpu, {})


def run_plain(run: Run, name: str) -> Predicted:
    """Plain scikit-learn as its guide shows it: impute, encode, one estimator."""
    model = plain_model(run, name)
    _, wall, cpu = timed(lambda: model.fit(run.features, run.train[run.target]))
    if run.task == "regression":
        return Predicted(model.predict(run.asked), None, wall, cpu, {})
    classes = [str(c) for c in model.classes_]
    return Predicted(model.predict_proba(run.asked), classes, wall, cpu, {})


def plain_model(run: Run, name: str) -> Any:
    from sklearn import ensemble, linear_model
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    features = run.features
    numbers = list(features.select_dtypes("number").columns)
    words = [c for c in features.columns if c not in numbers]
    is_regression = run.task == "regression"
    if name == "hgb":
        few = [c for c in words if features[c].nunique() <= 250]
        encode = OrdinalEncoder(
            handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan
        )
        hgb = (
            ensemble.HistGradientBoostingRegressor
            if is_regression
            else ensemble.HistGradientBoostingClassifier
        )
        columns = ColumnTransformer([("few", encode, few), ("numbers", "passthrough", numbers)])
        is_categorical = [True] * len(few) + [False] * len(numbers)
        return make_pipeline(
            columns, hgb(random_state=run.seed, categorical_features=is_categorical)
        )
    columns = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            ("words", OneHotEncoder(handle_unknown="ignore", min_frequency=5), words),
        ]
    )
    if name == "linear":
        linear = (
            linear_model.Ridge() if is_regression else linear_model.LogisticRegression(max_iter=300)
        )
        return make_pipeline(columns, linear)
    forest = ensemble.RandomForestRegressor if is_regression else ensemble.RandomForestClassifier
    return make_pipeline(columns, forest(100, random_state=run.seed, n_jobs=1))


def run_deskhand(run: Run) -> Predicted:
    """The same steps as a job: read the file, train, save the model, open it, predict."""
    from tests.benchmarks.ml.ours import train_and_predict

    return Predicted(
        **train_and_predict(run.train_file, run.test_file, run.target, run.budget_seconds, run.seed)
    )


def run_tool(tool: str, run: Run) -> Predicted:
    if tool == "autogluon":
        return run_autogluon(run)
    if tool == "flaml":
        return run_flaml(run)
    if tool == "deskhand":
        return run_deskhand(run)
    return run_plain(run, tool)


def scores(run: Run, predicted: Predicted) -> dict[str, float]:
    """Score the test part: AUC (one against the rest) and log loss, or R² and mean error."""
    from sklearn import metrics

    truth = run.test[run.target]
    if predicted.classes is None:
        values = np.asarray(predicted.values, dtype=float).ravel()
        return {
            "score": float(metrics.r2_score(truth, values)),
            "mae": float(metrics.mean_absolute_error(truth, values)),
        }
    order = np.argsort(predicted.classes)
    classes = np.array(predicted.classes)[order]
    chances = np.asarray(predicted.values, dtype=float)[:, order]
    chances /= chances.sum(axis=1, keepdims=True)
    said = truth.astype(str).to_numpy()
    found = {"log_loss": float(metrics.log_loss(said, chances, labels=classes))}
    if run.task == "binary":
        is_last = said == classes[1]
        return {
            "score": float(metrics.roc_auc_score(is_last, chances[:, 1])),
            "calibration_error": calibration_error(is_last, chances[:, 1]),
            **found,
        }
    auc = metrics.roc_auc_score(said, chances, multi_class="ovr", labels=classes)
    return {"score": float(auc), **found}


def calibration_error(happened: Any, chance: Any, bins: int = 10) -> float:
    """Mean gap between told chance and seen share over bins of equal size."""
    edges = np.quantile(chance, np.linspace(0, 1, bins + 1)[1:-1])
    of_bin = np.searchsorted(edges, chance)
    return float(
        sum(
            abs(happened[of_bin == b].mean() - chance[of_bin == b].mean()) * (of_bin == b).mean()
            for b in range(bins)
            if (of_bin == b).any()
        )
    )


def main(arguments: list[str]) -> None:
    train_file, test_file, target, task, tool, budget, seed = arguments
    warnings.filterwarnings("ignore")
    run = Run(
        train=as_objects(pd.read_csv(train_file)),
        test=as_objects(pd.read_csv(test_file)),
        target=target,
        task=task,
        budget_seconds=float(budget),
        seed=int(seed),
        train_file=Path(train_file),
        test_file=Path(test_file),
    )
    predicted = run_tool(tool, run)
    result = {
        "fit_seconds": predicted.fit_seconds,
        "fit_cpu_seconds": predicted.fit_cpu_seconds,
        **scores(run, predicted),
        **predicted.facts,
    }
    print("RESULT " + json.dumps(result))


def as_objects(frame: pd.DataFrame) -> pd.DataFrame:
    """Give text columns the dtype every tool knows; pandas 3's own is too new for some."""
    words = [c for c in frame.columns if not pd.api.types.is_numeric_dtype(frame[c])]
    return frame.astype(dict.fromkeys(words, object))


if __name__ == "__main__":
    main(sys.argv[1:])
