"""Machine learning on local tables: train, predict, list models."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.kinds import FILE_HELP, Inputs, Kind, Output

BUDGET_SECONDS_DEFAULT = 60.0
BUDGET_SECONDS_MAX = 4 * 3600.0
MODEL_HELP = "A model's id, name, or its number in the list of /models."


class TrainInputs(Inputs):
    file: str | None = Field(default=None, description=FILE_HELP)
    target: str | None = Field(default=None, description="The column to predict.")
    budget_seconds: float = Field(
        default=BUDGET_SECONDS_DEFAULT,
        gt=0,
        le=BUDGET_SECONDS_MAX,
        description="How long training may take, reading the file not counted.",
    )
    name: str | None = Field(
        default=None,
        description="The model's name; made from the file and the target when left out.",
    )
    seed: int = Field(
        default=0, ge=0, lt=2**32, description="The same seed gives the same model again."
    )


class ModelFacts(BaseModel):
    """What anyone may know of a model without opening it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model_id: str
    name: str
    task: Literal["binary", "multiclass", "regression"]
    target: str
    metric: str
    """"AUC", "AUC (one against the rest)", "R²"."""
    score: float
    score_spread: float
    """Standard deviation of the score over the folds."""
    baseline: float
    """The same metric for always guessing the most common class, or the mean."""
    rows: int
    columns: int
    created_at: str
    """RFC 3339, UTC."""
    seconds: float
    complete: bool
    """False when the budget or a stop cut the plan short."""


class TrainOutput(Output):
    model: ModelFacts
    strongest: tuple[str, ...] = ()
    """The columns that matter most, the strongest first."""


class PredictInputs(Inputs):
    model: str | None = Field(default=None, description=MODEL_HELP)
    file: str | None = Field(default=None, description=FILE_HELP)


class PredictOutput(Output):
    model_id: str
    rows: int
    written: str
    """Name of the result file, which stands beside the input file."""
    unseen_rows: int = 0
    """Rows with values never seen in training."""


class ModelsInputs(Inputs):
    pass


class ModelsOutput(Output):
    models: tuple[ModelFacts, ...] = ()


class ModelInputs(Inputs):
    model: str | None = Field(default=None, description=MODEL_HELP)
    plot: bool = Field(default=False, description="Draw its plots and hand the pictures over.")


class ModelOutput(Output):
    model: ModelFacts


KINDS = (
    Kind(
        name="ml.train",
        summary="Train a model on a table: /train FILE TARGET",
        inputs=TrainInputs,
        output=TrainOutput,
        idempotent=True,
        timeout_seconds=BUDGET_SECONDS_MAX + 3600,
    ),
    Kind(
        name="ml.predict",
        summary="Predict a file with a trained model: /predict MODEL FILE",
        inputs=PredictInputs,
        output=PredictOutput,
        idempotent=True,
        timeout_seconds=3600,
    ),
    Kind(
        name="ml.models",
        summary="List the models of a machine: /models",
        inputs=ModelsInputs,
        output=ModelsOutput,
        idempotent=True,
        timeout_seconds=60,
    ),
    Kind(
        name="ml.model",
        summary="Tell about one model, or draw its plots: /model NUMBER plot",
        inputs=ModelInputs,
        output=ModelOutput,
        idempotent=True,
        timeout_seconds=300,
    ),
)
