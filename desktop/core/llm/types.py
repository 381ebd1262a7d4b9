"""What probing is about: endpoints, messages, replies, turns, cells, and rows for statistics."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from desktop.core.llm.message import Message as Message  # noqa: PLC0414 - known from here, too
from desktop.core.llm.message import Thought, Tool, ToolCall
from shared.kinds import JsonObject
from shared.kinds.llm import UsageFacts


class Format(StrEnum):
    """How an endpoint is spoken to."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GOOGLE = "google"


class Endpoint(BaseModel):
    """A place that answers: a provider's API, or a server on this machine or in this house."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")
    """What stands before the colon in "local:tiny"."""
    label: str = ""
    """As people call it: "OpenAI"."""
    base_url: str
    format: Format = Format.OPENAI
    key_name: str = ""
    """Of the key in the safe or the environment; empty when none is needed."""
    is_local: bool = False
    """What is sent there does not leave this machine."""
    is_barred: bool = False
    """It may not be called now (`desktop.core.llm.locality`)."""
    models: tuple[str, ...] = ()
    """Model names that lead here without the endpoint's name before them."""
    requests_per_minute: int | None = Field(default=None, ge=1)
    tokens_per_minute: int | None = Field(default=None, ge=1)
    concurrency_max: int = Field(default=64, ge=1, le=1000)
    timeout_seconds: float = Field(default=600.0, gt=0, le=3600)


@dataclass(frozen=True, slots=True)
class Model:
    """A model at an endpoint."""

    endpoint: Endpoint
    name: str
    """As the endpoint knows it."""

    @property
    def full_name(self) -> str:
        return f"{self.endpoint.name}:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """What a definition asks of the sampler; None leaves it to the provider."""

    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    tokens_max: int | None = None
    """Of one reply."""
    response_schema: JsonObject | None = None
    """JSON schema that the reply has to fit, where the endpoint can do that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSampling(Sampling):
    """What a turn with tools asks; its conversation grows, so providers are asked to cache it."""

    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What one call gave back.

    Never empty, never cut short: such a reply is a fault. With tools a reply may be calls alone,
    and one that was cut says so.
    """

    text: str
    model_reported: str
    request_id: str = ""
    fingerprint: str = ""
    finish_reason: str = ""
    """The provider's own word."""
    is_refusal: bool = False
    """The provider says that the model refused, or its filter did."""
    calls: tuple[ToolCall, ...] = ()
    thoughts: tuple[Thought, ...] = ()
    is_cut: bool = False
    """It was longer than allowed; calls that were begun are left out."""
    usage: UsageFacts = field(default_factory=UsageFacts)
    first_token_ms: float | None = None
    """None when the reply did not come as a stream."""
    total_ms: float
    sent: JsonObject = field(default_factory=dict)
    """Parameters of the request as it went out, from its body; no messages, no key."""
    prompt_sha256: str
    """Of the messages as they went out."""


class CellState(StrEnum):
    OPEN = "open"
    """Not asked to the end yet."""
    ANSWERED = "answered"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One scenario for one model, once."""

    run_id: str
    index: int
    scenario: str
    """The scenario's id in the run's definition."""
    model: str
    """"endpoint:model", as asked for."""
    repeat: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One question and its reply, as they happened."""

    number: int
    """From 0."""
    asked: str
    reply: Reply
    attempts: int
    """Calls that this turn took, failed ones included."""
    at: datetime
    """When the reply was complete; aware, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellEnd:
    """How a cell came out."""

    state: CellState
    choice: str = ""
    fault: str = ""
    """Class of the fault (`FaultClass`), when it failed."""
    message: str = ""
    """The fault in words."""
    cost_usd: float | None = None
    attempts: int = 1
    """Tries of the whole probe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRow:
    """A cell as statistics read it."""

    index: int
    scenario: str
    cluster: str
    """Scenarios of one cluster are no independent evidence; the scenario itself by default."""
    model: str
    repeat: int
    state: CellState
    choice: str = ""
    options: tuple[tuple[str, str], ...] = ()
    """(label, the value that it stands for) of each choice the scenario offers."""
    fault: str = ""
    tokens: int = 0
    cost_usd: float | None = None
    total_ms: float = 0.0

    @property
    def chosen_value(self) -> str:
        """The value that the chosen label stands for; empty when none was chosen."""
        return dict(self.options).get(self.choice, "")
