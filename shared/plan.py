"""A plan: the steps of a task in plain words, as models write them and as people see them.

The schema is what all providers' structured outputs take: every field is required, null instead
of left out, no free maps, no recursion, everything bounded. What a plan may be beyond its shape is
checked by code (`desktop.core.plan`); what a model says here is a wish and no authority.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.ids import JobId

STEPS_MAX = 24
INPUTS_MAX = 16
OUTPUTS_MAX = 8
CRITERIA_MAX = 5
QUESTIONS_MAX = 3
ASSUMPTIONS_MAX = 12
GOAL_CHARS_MAX = 2000
TITLE_CHARS_MAX = 120
INSTRUCTIONS_CHARS_MAX = 4000
VALUE_CHARS_MAX = 4000
NAME_PATTERN = r"^[a-z][a-z0-9_]{0,31}$"
"""Of steps, inputs and outputs."""

Name = Annotated[str, Field(pattern=NAME_PATTERN)]


class Permission(StrEnum):
    """What a step does beyond thinking; each is more than the one before."""

    READ = "read"
    """It looks, in allowed folders or on public pages, and changes nothing."""
    WRITE = "write"
    """It writes or changes files in allowed folders."""
    EXECUTE = "execute"
    """It runs programs of others: a repository's tests, say."""
    SPEND = "spend"
    """It costs more than a model's words."""
    EXTERNAL = "external"
    """Others can see its effect: a push, a message."""

    @property
    def rank(self) -> int:
        """From 0; what is allowed one is allowed all of lower ranks."""
        return tuple(Permission).index(self)


class OutputType(StrEnum):
    TEXT = "text"
    JSON = "json"
    FILE = "file"
    """Flows as "#" and the id of the job that wrote it, on the worker that has it."""
    URL_LIST = "url_list"


class CriterionKind(StrEnum):
    """How it is seen that a step has done what it was to do."""

    NONEMPTY = "nonempty"
    """`arg` names an output; empty for all of them."""
    JSON_SCHEMA = "json_schema"
    """`arg` is a JSON schema for the step's first output of type json."""
    REGEX = "regex"
    """`arg` is searched in the step's first text."""
    FILE_EXISTS = "file_exists"
    """`arg` names an output of type file; empty for all of them."""
    COMMAND_OK = "command_ok"
    """The worker's own tests of a coding step have passed; `arg` is not run."""
    LLM_JUDGE = "llm_judge"
    """`arg` is a yes-or-no question about the step's outputs, put to the plan's model."""
    HUMAN = "human"
    """`arg` is put to the person, with the outputs, as an approval."""


class Part(BaseModel):
    """A piece of a plan; models must fill in every field."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StepInput(Part):
    """One input of a step: a value, or an output of a step before it."""

    name: Name
    value: Annotated[str, Field(max_length=VALUE_CHARS_MAX)] | None
    from_step: Name | None
    from_output: Name | None


class StepOutput(Part):
    name: Name
    type: OutputType


class Criterion(Part):
    kind: CriterionKind
    arg: str = Field(max_length=2000)


class Step(Part):
    """One step; it becomes one job of the kind that `capability` names."""

    id: Name
    title: str = Field(min_length=1, max_length=TITLE_CHARS_MAX)
    capability: str = Field(max_length=100)
    """A kind of job that one of the person's workers offers now."""
    instructions: str = Field(max_length=INSTRUCTIONS_CHARS_MAX)
    inputs: Annotated[tuple[StepInput, ...], Field(max_length=INPUTS_MAX)]
    depends_on: Annotated[tuple[Name, ...], Field(max_length=STEPS_MAX)]
    outputs: Annotated[tuple[StepOutput, ...], Field(max_length=OUTPUTS_MAX)]
    success_criteria: Annotated[tuple[Criterion, ...], Field(min_length=1, max_length=CRITERIA_MAX)]
    permission: Permission
    est_tokens: int = Field(ge=0, le=10_000_000)
    max_seconds: int = Field(ge=1, le=24 * 3600)
    max_attempts: int = Field(ge=1, le=3)


class Plan(Part):
    type: Literal["plan"]
    goal: str = Field(min_length=1, max_length=GOAL_CHARS_MAX)
    assumptions: Annotated[
        tuple[Annotated[str, Field(max_length=400)], ...], Field(max_length=ASSUMPTIONS_MAX)
    ]
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=STEPS_MAX)]
    final: Name
    """The step whose outputs the answer is made of, with those of all others at hand."""


class ClarifyQuestion(Part):
    text: str = Field(min_length=1, max_length=1000)
    choices: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(max_length=8)
    ]
    default: Annotated[str, Field(max_length=1000)] | None


class Clarify(Part):
    """What has to be known before a plan can be made; asked once."""

    type: Literal["clarify"]
    questions: Annotated[tuple[ClarifyQuestion, ...], Field(min_length=1, max_length=QUESTIONS_MAX)]
    why: str = Field(max_length=1000)


class PlanStage(StrEnum):
    """How far a plan is; told with `shared.events.JobPlanned`."""

    PROPOSED = "proposed"
    """It waits for its person."""
    APPROVED = "approved"
    """Its person, or the rules for plans that only read, said yes: it runs."""
    RUNNING = "running"
    """Nothing but the states of its steps has changed; told whenever one of them has."""
    REPLANNED = "replanned"
    """What was unfinished was planned anew, within what was approved."""
    REJECTED = "rejected"


class StepState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not needed any more, or what it needs has failed."""


class ShownStep(BaseModel):
    """A step as it is told to people: what and after what, not how."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(max_length=64)
    number: int = Field(ge=1)
    """Counted from one through all plans of the job; the part's index is one less."""
    title: str = Field(max_length=TITLE_CHARS_MAX)
    kind: str = Field(max_length=100)
    depends_on: tuple[str, ...] = ()
    permission: Permission = Permission.READ
    state: StepState = StepState.WAITING
    """When it was told; it is told anew whenever a step's state changes."""
    worker: str = Field(default="", max_length=100)
    """Where it is to run, in words; empty when that is open."""
    job_id: str = Field(default="", max_length=64)
    """Its job's, once that was made."""
    note: str = Field(default="", max_length=400)
    """What came of it, or why it failed: a sentence."""


class ShownPlan(BaseModel):
    """A plan as it is told to people."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    goal: str = Field(max_length=GOAL_CHARS_MAX)
    assumptions: tuple[str, ...] = ()
    steps: tuple[ShownStep, ...] = Field(default=(), max_length=4 * STEPS_MAX)
    seconds: int = Field(default=0, ge=0)
    """About, when all goes well."""
    tokens: int = Field(default=0, ge=0)
    """At most, by the plan's own estimate."""
    cost_usd: float | None = None
    """At most; None when nobody knows a price, 0 when nothing costs anything."""
    is_local: bool = False
    """No model elsewhere is used."""
    model: str = Field(default="", max_length=200)
    """The one that planned, "endpoint:model"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFace:
    """What a kind of job is in a plan."""

    permission: Permission
    """What a step of it needs at least."""
    words: str = ""
    """The input that a step's instructions fill."""
    takes: Mapping[str, str] = field(default_factory=dict)
    """Inputs that a plan may fill: name -> what to put there."""
    gives: Mapping[str, OutputType] = field(default_factory=dict)
    """Outputs by name. Each is the field of that name of the kind's Output; one of type file is
    "#" and the job's id instead."""
    joins: tuple[str, ...] = ()
    """Inputs that take several values, one text after the other."""
    files: tuple[str, ...] = ()
    """Inputs that name a file: a path, or what a step wrote."""
    named: tuple[str, ...] = ()
    """Inputs that the plan itself names: what a step before wrote may not fill them, for whoever
    approves the plan has to see what it is done to, and with what."""
    goes_out: bool = False
    """What it is given may be seen by others: an address it goes to, words it searches for."""
    uses_model: bool = False
    """It calls a model, and has the input `local`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnded:
    """How a step's job came out."""

    job_id: JobId
    state: Literal["succeeded", "failed", "cancelled"]
    output: Mapping[str, object] | None = None
    error: str = ""
    """A sentence; empty when it succeeded."""
    code: str = ""
    seconds: float = 0.0
