"""What is written about a model beside its numbers: manifest.json, readable without numpy.

Listing a thousand models reads only these. What the columns looked like in training is kept in
schema.json, because it grows with the table and only prediction needs it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import BadInput
from shared.kinds.ml import ModelFacts

FORMAT_VERSION = 1
"""Raised when an older Deskhand could not read a model any more."""

Task = Literal["binary", "multiclass", "regression"]
Status = Literal["quick", "partial", "complete"]
"""quick: the first usable model, training goes on; partial: the budget or a stop cut the plan."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Metric(_Frozen):
    """One way of measuring the model on rows it was not fitted on."""

    name: str
    """As people read it: "AUC", "R²", "log loss"."""
    per_fold: tuple[float, ...]
    mean: float
    spread: float
    """Standard deviation over the folds; 0 with a single one."""
    baseline: float | None = None
    """The same metric for always guessing the most common class, or the mean."""
    higher_is_better: bool = True


class LeaderboardEntry(_Frozen):
    """One member of the blend, or the blend itself."""

    member: str
    score: float
    spread: float = 0.0
    seconds: float = 0.0
    weight: float = 0.0
    """Its share in the blend, 0..1."""


class Source(_Frozen):
    """The file the model was trained on. Only its name is kept, not its path."""

    name: str
    size_bytes: int
    sha256: str


class ManifestFacts(_Frozen):
    """What training knows about a model."""

    name: str = Field(min_length=1, max_length=200)
    target: str
    rows: int = Field(ge=0)
    columns: int = Field(ge=0)
    """Columns the model uses, the target not counted."""
    metrics: tuple[Metric, ...] = Field(min_length=1)
    """The one the model is judged by first."""
    leaderboard: tuple[LeaderboardEntry, ...] = ()
    strongest: tuple[str, ...] = ()
    """The columns that matter most, the strongest first."""
    warnings: tuple[str, ...] = ()
    more_rows_gain: float | None = None
    """Expected change of the score if the rows doubled; None when not measured."""
    sure_share: float | None = None
    """Share of training rows predicted out of fold with a probability of 0.8 or more."""
    source: Source | None = None
    seed: int = 0
    budget_seconds: float = 0.0
    seconds: float = 0.0
    peak_mb: float = 0.0
    parent: str | None = None
    """The id of the model this one was made from; None for a fresh one."""


class Manifest(ManifestFacts):
    """manifest.json."""

    format_version: int = FORMAT_VERSION
    model_id: str
    task: Task
    classes: tuple[str, ...] = ()
    """In the order of the probabilities; empty for a regression."""
    threshold: float | None = None
    """Binary: probability of classes[1] from which on it is the label."""
    status: Status
    created_at: str
    """RFC 3339, UTC."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Packages the model was trained with; for people, nothing depends on them."""
    files: dict[str, FileFacts] = Field(default_factory=dict)
    """Every other file of the folder."""

    @property
    def facts(self) -> ModelFacts:
        """What anyone may know of the model without opening it."""
        metric = self.metrics[0]
        return ModelFacts(
            model_id=self.model_id,
            name=self.name,
            task=self.task,
            target=self.target,
            metric=metric.name,
            score=metric.mean,
            score_spread=metric.spread,
            baseline=metric.baseline if metric.baseline is not None else 0.0,
            rows=self.rows,
            columns=self.columns,
            created_at=self.created_at,
            seconds=self.seconds,
            complete=self.status == "complete",
        )


class FileFacts(_Frozen):
    """What a file was when the model was saved."""

    size_bytes: int
    sha256: str


Manifest.model_rebuild()


def too_new(version: int) -> BadInput:
    """Phrase that a later Deskhand wrote the model."""
    return BadInput(
        "model_too_new",
        f"This model was made by a newer Deskhand (format {version}; this one reads up to "
        f"{FORMAT_VERSION}).",
        "Update Deskhand on this machine, or train the model again.",
    )
