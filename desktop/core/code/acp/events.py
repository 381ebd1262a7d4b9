"""What an agent says and wants, whichever version of the protocol it speaks.

Everything here was written by an agent, or by a model behind it: nothing of it is believed, and
what people see of it goes through `shared.plain_text` first.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue


class StopReason(StrEnum):
    """Why a turn ended."""

    END_TURN = "end_turn"
    MAX_TOKENS = "max_tokens"
    MAX_TURN_REQUESTS = "max_turn_requests"
    REFUSAL = "refusal"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """A reason this program has not heard of."""


class OptionKind(StrEnum):
    """What an option of a permission request means; its id and its label are the agent's own."""

    ALLOW_ONCE = "allow_once"
    ALLOW_ALWAYS = "allow_always"
    REJECT_ONCE = "reject_once"
    REJECT_ALWAYS = "reject_always"


class FieldType(StrEnum):
    TEXT = "text"
    CHOICE = "choice"
    """One of the options."""
    CHOICES = "choices"
    """Any of the options."""
    NUMBER = "number"
    INTEGER = "integer"
    YES_NO = "yes_no"
    STRANGE = "strange"
    """Nothing this program can ask a person for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentUsage:
    """Tokens of the session so far, by the agent's own count."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUse:
    """A tool call as it is known by now: updates are laid over what was told before."""

    id: str
    title: str = ""
    kind: str = ""
    """As the agent says: read, edit, delete, move, search, execute, think, fetch, other."""
    status: str = ""
    """pending, in_progress, completed, failed."""
    paths: tuple[str, ...] = ()
    """Files it concerns, as the agent names them."""
    command: str = ""
    """What would be run, if it is that sort of tool."""
    given: str = ""
    """All its arguments as one line of JSON, bounded."""
    digest: str = ""
    """Of all its arguments, so that two that begin alike are not taken for one."""


@dataclass(frozen=True, slots=True)
class PermissionOption:
    id: str
    kind: OptionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigOption:
    """A selector of a session: mode, model, and whatever an agent has."""

    id: str
    category: str
    value: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormOption:
    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    name: str
    type: FieldType
    title: str = ""
    description: str = ""
    options: tuple[FormOption, ...] = ()
    default: JsonValue = None
    is_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialized:
    """The agent told what it is."""

    call: int
    protocol: int
    """The version of the protocol that it wants to speak."""
    name: str
    version: str
    can_load: bool
    can_resume: bool
    """It says so. Some say so and cannot: try it."""
    sign_ins: tuple[str, ...]
    """Ways in which a person could sign in, by title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReady:
    call: int
    session_id: str
    modes: tuple[str, ...] = ()
    mode: str = ""
    options: tuple[ConfigOption, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """Something that has no result was done: a mode is set."""

    call: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded:
    call: int
    reason: StopReason
    usage: AgentUsage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The agent answered a call of ours with an error."""

    call: int
    method: str
    message: str
    is_unknown_method: bool = False
    is_sign_in: bool = False
    """It wants somebody to sign in first."""


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of what the agent writes to the person."""

    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    text: str


@dataclass(frozen=True, slots=True)
class ToolTold:
    tool: ToolUse
    is_new: bool


@dataclass(frozen=True, slots=True)
class PlanStep:
    text: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class Planned:
    """The agent's plan, as a whole."""

    steps: tuple[PlanStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextTold:
    """How full the model's context is."""

    used_tokens: int
    size_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionWanted:
    asked: int
    """Number to answer by."""
    tool: ToolUse
    options: tuple[PermissionOption, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormWanted:
    asked: int
    message: str
    fields: tuple[FormField, ...]


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The agent needs no answer any more."""

    asked: int


Reply = Initialized | SessionReady | Done | TurnEnded | Refused
News = Said | Thought | ToolTold | Planned | ContextTold
Unasked = News | PermissionWanted | FormWanted | Withdrawn
"""What an agent says of its own accord."""
Event = Reply | Unasked


def now_called(tool: ToolUse) -> str:
    """Say what a tool does, in as few words as are there: titles may be missing."""
    return tool.title or tool.command or " ".join((tool.kind or "tool", *tool.paths[:1]))
