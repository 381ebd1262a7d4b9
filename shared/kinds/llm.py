"""Language models: probe them with scenarios, ask them about texts and files.

Calls are made by workers alone, with keys that stay there. What a probe gives back are facts about
its transcript (who answered, how long it took, what it chose); the words stay on the machine.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from shared.finite import FiniteObject
from shared.kinds import FILE_HELP, Inputs, Kind, Output
from shared.plan import OutputType, Permission, PlanFace

CELLS_MAX = 100_000
"""Probes of one run."""
REPEATS_MAX = 1000
MODELS_MAX = 64
NAME_CHARS_MAX = 200
TEXT_CHARS_MAX = 100_000
RUN_SECONDS_MAX = 14 * 24 * 3600.0
MODEL_HELP = "A model, as in openai:gpt-5-mini or local:tiny."
LOCAL_HELP = "Use no model that is not on this machine or in its own network."
RUN_HELP = "A run's id, or its number in the list of /runs."

ModelName = Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]


def listed(value: object) -> object:
    """Take "a, b" as people type it for the list that it is."""
    if not isinstance(value, str):
        return value
    return tuple(word for word in (part.strip() for part in value.split(",")) if word)


class ProbeInputs(Inputs):
    run: str | None = Field(default=None, max_length=64, description=RUN_HELP)
    index: int = Field(default=0, ge=0, lt=CELLS_MAX, description="Which cell of the run.")
    model: ModelName | None = Field(default=None, description=MODEL_HELP)
    scenario: FiniteObject | None = Field(
        default=None,
        description="A scenario on its own, as in a definition file; instead of a run's cell.",
    )


class UsageFacts(BaseModel):
    """Tokens, as the provider reported them or, if it did not, as counted here."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    input_tokens: int = Field(default=0, ge=0)
    """All that was read, cached parts included."""
    output_tokens: int = Field(default=0, ge=0)
    """All that was written, reasoning included."""
    cached_tokens: int = Field(default=0, ge=0)
    """The part of the input that a cache held."""
    cache_write_tokens: int = Field(default=0, ge=0)
    reasoning_tokens: int = Field(default=0, ge=0)
    """The part of the output that is reasoning."""
    is_estimated: bool = False
    """Counted on this machine, because the provider told nothing."""


class ProbeOutput(Output):
    run: str
    index: int
    scenario: str
    model: str
    """As asked for: "endpoint:model"."""
    model_reported: str = ""
    repeat: int = 0
    state: Literal["answered", "refused"]
    choice: str = ""
    """The label that was chosen, if the scenario offers choices; empty when none could be read."""
    turns: int = Field(ge=0)
    usage: UsageFacts = UsageFacts()
    cost_usd: float | None = None
    """By the offline price table; None when the model has no price there."""
    total_ms: float = Field(ge=0)
    attempts: int = Field(default=1, ge=1)


class RunInputs(Inputs):
    definition: str | None = Field(default=None, max_length=4096, description=FILE_HELP)
    inline: FiniteObject | None = Field(
        default=None, description="The definition itself, instead of a file."
    )
    models: Annotated[tuple[ModelName, ...] | None, BeforeValidator(listed)] = Field(
        default=None,
        max_length=MODELS_MAX,
        description="Models to ask; those of the definition when left out.",
    )
    repeats: int | None = Field(
        default=None, ge=1, le=REPEATS_MAX, description="How often each model gets each scenario."
    )
    scenarios_max: int | None = Field(
        default=None, ge=1, le=CELLS_MAX, description="Only so many scenarios, the first ones."
    )
    seed: int | None = Field(default=None, ge=0, lt=2**31, description="Passed to the models.")
    cost_usd_max: float | None = Field(
        default=None, gt=0, description="The run asks before it costs more than this."
    )
    again: str | None = Field(
        default=None,
        max_length=64,
        description="Go on with a run: ask only what has no answer yet.",
    )


class ModelTally(BaseModel):
    """How one model fared in a run."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: str
    answered: int = 0
    refused: int = 0
    failed: int = 0
    cost_usd: float | None = None


class RunOutput(Output):
    run: str
    name: str
    total: int
    answered: int = 0
    refused: int = 0
    failed: int = 0
    faults: dict[str, int] = Field(default_factory=dict)
    """Failed probes by class, as in {"RATE_LIMIT": 3}."""
    models: tuple[ModelTally, ...] = ()
    usage: UsageFacts = UsageFacts()
    cost_usd: float | None = None
    seconds: float = Field(default=0.0, ge=0)


class StatsInputs(Inputs):
    run: str | None = Field(default=None, max_length=64, description=RUN_HELP)
    seed: int = Field(default=0, ge=0, lt=2**32, description="Of the bootstrap.")


class Rate(BaseModel):
    """A share with its interval (95 %)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    count: int = Field(ge=0)
    n: int = Field(ge=0)
    share: float
    low: float
    high: float


class WinRate(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    model: str
    value: str
    rate: Rate
    """With the interval that takes clusters into account."""


class StatsOutput(Output):
    run: str
    n: int = Field(ge=0)
    """Cells with an answer."""
    total: int = Field(ge=0)
    """Cells of the run; more than `n` when some failed or were not asked."""
    wins: tuple[WinRate, ...] = Field(default=(), max_length=200)
    table: str = Field(default="", max_length=8000)
    """The figures as text, for a chat and a terminal."""


class AskInputs(Inputs):
    task: Literal["analyze", "summarize", "extract", "reason"] | None = Field(
        default=None, description="What to do: analyze, summarize, extract or reason."
    )
    text: str | None = Field(default=None, max_length=TEXT_CHARS_MAX, description="The text.")
    file: str | None = Field(default=None, max_length=4096, description=FILE_HELP)
    question: str | None = Field(
        default=None, max_length=4000, description="What you want to know of it."
    )
    fields: Annotated[tuple[str, ...] | None, BeforeValidator(listed)] = Field(
        default=None, max_length=50, description="For extract: what to look for."
    )
    model: ModelName | None = Field(default=None, description=MODEL_HELP)
    local: bool = Field(default=False, description=LOCAL_HELP)


class AskOutput(Output):
    model: str
    model_reported: str = ""
    text: str = ""
    found: FiniteObject | None = None
    """For extract: field -> what was found."""
    usage: UsageFacts = UsageFacts()
    cost_usd: float | None = None
    total_ms: float = Field(default=0.0, ge=0)


class HealthInputs(Inputs):
    models: Annotated[tuple[ModelName, ...] | None, BeforeValidator(listed)] = Field(
        default=None, max_length=MODELS_MAX, description="Only what these need; all when left out."
    )
    fresh: bool = Field(default=False, description="Look again, whatever is remembered.")


class HealthLine(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    """"python", "packages", "clock", "disk", "tokenizer", or an endpoint."""
    is_good: bool | None
    """None when it could not be tried, or is not needed."""
    sentence: str


class HealthOutput(Output):
    lines: tuple[HealthLine, ...] = ()
    is_good: bool
    seconds: float = Field(default=0.0, ge=0)


class TranscriptInputs(Inputs):
    run: str | None = Field(default=None, max_length=64, description=RUN_HELP)
    index: int = Field(default=0, ge=0, lt=CELLS_MAX, description="Which probe of the run.")


class TurnFacts(BaseModel):
    """One turn as a person reads it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    asked: str
    answered: str
    finish_reason: str = ""
    first_token_ms: float | None = None
    total_ms: float = 0.0
    usage: UsageFacts = UsageFacts()


class TranscriptOutput(Output):
    run: str
    index: int
    scenario: str
    model: str
    model_reported: str = ""
    preamble: str = ""
    state: str = ""
    choice: str = ""
    turns: tuple[TurnFacts, ...] = ()
    is_cut: bool = False
    """Texts were shortened to fit; the machine has them whole."""


class RunsInputs(Inputs):
    pass


class RunFacts(BaseModel):
    """What a list shows of a run."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run: str
    name: str
    created_at: str
    """RFC 3339, UTC."""
    models: tuple[str, ...]
    total: int
    answered: int = 0
    refused: int = 0
    failed: int = 0
    cost_usd: float | None = None


class RunsOutput(Output):
    runs: tuple[RunFacts, ...] = ()


KINDS = (
    Kind(
        name="llm.probe",
        summary="Put one scenario to one model",
        inputs=ProbeInputs,
        output=ProbeOutput,
        idempotent=True,
        resumable=True,
        timeout_seconds=3600,
        takes_slot=False,
        is_shared=True,
        is_offered=False,
        is_for_fleet=True,
        home_inputs=("run",),
    ),
    Kind(
        name="llm.run",
        summary="Put the scenarios of a file to several models: /probe FILE MODELS",
        inputs=RunInputs,
        output=RunOutput,
        idempotent=True,
        resumable=True,
        timeout_seconds=RUN_SECONDS_MAX,
        makes=("llm.probe", "llm.stats"),
        takes_slot=False,
        is_shared=True,
    ),
    Kind(
        name="llm.stats",
        summary="Statistics of a run",
        inputs=StatsInputs,
        output=StatsOutput,
        idempotent=True,
        timeout_seconds=600,
        takes_slot=False,
        is_offered=False,
    ),
    Kind(
        name="llm.ask",
        summary="Ask a model about a text or a file: /ask",
        inputs=AskInputs,
        output=AskOutput,
        idempotent=True,
        timeout_seconds=3600,
        takes_slot=False,
        is_shared=True,
        names_needs=("local",),
        is_for_fleet=True,
        home_inputs=("file",),
        planned=PlanFace(
            permission=Permission.READ,
            words="question",
            takes={
                "text": "The text that it is about; outputs of several steps may fill it.",
                "file": "A file that it is about, instead of a text.",
            },
            gives={"text": OutputType.TEXT},
            joins=("text",),
            files=("file",),
            uses_model=True,
        ),
    ),
    Kind(
        name="llm.health",
        summary="See whether models can be asked from a machine",
        inputs=HealthInputs,
        output=HealthOutput,
        idempotent=True,
        timeout_seconds=60,
        takes_slot=False,
        is_shared=True,
    ),
    Kind(
        name="llm.runs",
        summary="List the runs of a machine: /runs",
        inputs=RunsInputs,
        output=RunsOutput,
        idempotent=True,
        timeout_seconds=60,
        takes_slot=False,
        is_shared=True,
    ),
    Kind(
        name="llm.transcript",
        summary="Show what was said in one probe",
        inputs=TranscriptInputs,
        output=TranscriptOutput,
        idempotent=True,
        timeout_seconds=60,
        takes_slot=False,
        is_shared=True,
        is_offered=False,
    ),
)
