"""Models of every past format open and predict as on the day they were made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from desktop.jobs.ml.manifest import FORMAT_VERSION
from desktop.jobs.ml.model_folder import list_models, open_model
from shared.kinds.ml import ModelFacts
from tests.desktop.jobs.ml.rows_without_sklearn import rows

GOLDEN = Path(__file__).parent / "golden"
BYTES_MAX = 300_000

CASES = [
    (folder / "models", model_id, predictions)
    for folder in sorted(GOLDEN.glob("v*"))
    for model_id, predictions in json.loads((folder / "expected.json").read_text()).items()
]


@pytest.mark.parametrize(("models", "model_id", "predictions"), CASES)
def test_a_golden_model_predicts_as_ever(
    models: Path, model_id: str, predictions: list[list[float]]
) -> None:
    opened = open_model(models, model_id)

    ours = opened.model.blend(rows())

    assert np.abs(ours - np.array(predictions)).max() <= 1e-9


def test_every_format_so_far_has_golden_models_of_every_task() -> None:
    for version in range(1, FORMAT_VERSION + 1):
        listed = list_models(GOLDEN / f"v{version}" / "models")

        tasks = {one.task for one in listed if isinstance(one, ModelFacts)}
        assert tasks == {"binary", "multiclass", "regression"}


def test_golden_models_stay_small() -> None:
    sizes = [path.stat().st_size for path in GOLDEN.rglob("*") if path.is_file()]

    assert sum(sizes) < BYTES_MAX
