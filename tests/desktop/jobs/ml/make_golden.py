"""Write golden models: run `python -m tests.desktop.jobs.ml.make_golden` once per format version.

What is in `golden/v<format>` is never written again: the test opens it for good, whatever
scikit-learn, numpy and this program have become by then. The expected predictions are those of
scikit-learn's own estimators on the day the models were made.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from desktop.jobs.ml.fitted import Fitted, FoldPart
from desktop.jobs.ml.manifest import FORMAT_VERSION, Task
from desktop.jobs.ml.model_folder import Extras, save
from desktop.jobs.ml.packing import Constant
from tests.desktop.jobs.ml.rows_without_sklearn import rows
from tests.desktop.jobs.ml.small_models import (
    blended_by_sklearn,
    estimators,
    facts,
    small_fitted,
    table,
    target,
)

GOLDEN = Path(__file__).parent / "golden"
MADE_AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")
CONSTANT_WEIGHT = 0.2


def with_rare_parts(fitted: Fitted) -> Fitted:
    """Add a constant member, and let one fold's forest miss a class."""
    outputs = len(fitted.classes) or 1
    values = np.full(outputs, 1 / outputs) if fitted.classes else np.array([4.5])
    parts = [
        FoldPart(part.features, {**part.members, "constant": Constant(values)})
        for part in fitted.folds
    ]
    if outputs > 2:
        frame = table(300)
        y = target(frame, fitted.task).y
        matrix = parts[0].features.transform(frame)
        forest = estimators(fitted.task)["forest"].fit(matrix.dense[y != 1], y[y != 1])
        parts[0].members["forest"] = forest
    weights = {name: (1 - CONSTANT_WEIGHT) * weight for name, weight in fitted.weights.items()}
    return dataclasses.replace(
        fitted, folds=tuple(parts), weights={**weights, "constant": CONSTANT_WEIGHT}
    )


def expected(fitted: Fitted) -> Any:
    """Predict with scikit-learn; the constant member by hand."""
    without = {name: w for name, w in fitted.weights.items() if name != "constant"}
    blended = blended_by_sklearn(dataclasses.replace(fitted, weights=without), rows())
    return (blended + CONSTANT_WEIGHT * fitted.folds[0].members["constant"].values).tolist()


def main() -> int:
    folder = GOLDEN / f"v{FORMAT_VERSION}"
    if folder.exists():
        print(f"{folder} is there and stays as it is.", file=sys.stderr)
        return 1
    predictions = {}
    for task in TASKS:
        fitted = with_rare_parts(small_fitted(task))
        told = save(
            folder / "models",
            fitted,
            facts(task),
            status="complete",
            extras=Extras(schema={"golden": True}),
            now=MADE_AT,
        )
        predictions[told.model_id] = expected(fitted)
    text = json.dumps(predictions, separators=(",", ":"))
    (folder / "expected.json").write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
