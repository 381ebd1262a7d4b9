"""Tasks in plain words: planned where there is a model, carried out as jobs of other kinds."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from shared.kinds import Inputs, Kind, Output
from shared.kinds.llm import LOCAL_HELP, MODEL_HELP, ModelName, UsageFacts
from shared.plan import GOAL_CHARS_MAX, STEPS_MAX, StepState

PLAN = "plan"
COST_USD_DEFAULT = 0.5
TOKENS_DEFAULT = 400_000
SECONDS_DEFAULT = 3600
JOBS_DEFAULT = 40
HISTORY_CHARS_MAX = 8000


class PlanInputs(Inputs):
    task: str | None = Field(
        default=None, max_length=GOAL_CHARS_MAX * 2, description="What is to be done, in words."
    )
    local: bool = Field(default=False, description=LOCAL_HELP)
    model: ModelName | None = Field(default=None, description=MODEL_HELP)
    cost_usd_max: float = Field(
        default=COST_USD_DEFAULT, ge=0, le=1000, description="What it may cost, in dollars."
    )
    tokens_max: int = Field(default=TOKENS_DEFAULT, ge=1000, le=100_000_000)
    seconds_max: int = Field(default=SECONDS_DEFAULT, ge=10, le=7 * 24 * 3600)
    jobs_max: int = Field(default=JOBS_DEFAULT, ge=1, le=4 * STEPS_MAX)
    earlier: str = Field(
        default="", max_length=HISTORY_CHARS_MAX, description="What was asked and answered before."
    )


class StepFacts(BaseModel):
    """How a step of a plan came out."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    number: int
    title: str
    kind: str
    state: StepState
    headline: str = ""
    """Its job's own sentence, or why it failed."""
    job_id: str = ""


class Source(BaseModel):
    """Something an answer cites."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: int
    step: str
    """Id of the step that brought it."""
    title: str
    url: str = ""
    file: str = ""
    """A file's name; it stays on the worker."""


class PlanOutput(Output):
    goal: str
    answer: str = ""
    """Plain text with [1], [2] … that name `sources`."""
    sources: tuple[Source, ...] = ()
    steps: tuple[StepFacts, ...] = ()
    replans: int = 0
    is_partial: bool = False
    """The budget ended it, or a step that could not be done was left out."""
    is_local: bool = False
    model: str = ""
    usage: UsageFacts = UsageFacts()
    cost_usd: float | None = None
    seconds: float = Field(default=0.0, ge=0)
    earlier: str = ""
    """What was asked and answered so far, for whoever goes on."""


KINDS = (
    Kind(
        name=PLAN,
        summary="Do a task in plain words: plan it, ask, carry it out, answer with sources",
        inputs=PlanInputs,
        output=PlanOutput,
        idempotent=False,
        resumable=True,
        timeout_seconds=24 * 3600,
        takes_slot=False,
        makes=("*",),
        is_shared=True,
        names_needs=("local",),
        named_by=("task",),
        is_named_by_words=True,
        words_input="task",
        carries=("earlier",),
    ),
)
