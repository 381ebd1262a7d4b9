"""One turn of a model with tools, as the built-in agent asks the gateway for it.

`POST /deskhand/turn` takes a `Turn` as JSON and gives a `TurnReply`, or a `TurnFault` with a status
of 400 and above. Dataclasses of the standard library alone, read by hand at the border: the agent
starts in a moment, and the gateway takes nothing from it on trust.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from desktop.core.llm.message import Message, Thought, Tool, ToolCall

PATH = "/deskhand/turn"
TURN_BYTES_MAX = 16 * 1024 * 1024
"""Of a request; a window of a million tokens is a quarter of it."""

Object = Mapping[str, object]
_ROLES = ("system", "user", "assistant", "tool")
_STOPS = ("end", "calls", "cut", "refusal")
_CALL = ("id", "name", "arguments", "mark", "provider")
_THOUGHT = ("text", "id", "signature", "provider", "mark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What the agent asks: the whole conversation, and what may be called."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    tokens_max: int | None = None
    """Of the reply; as the model has it when None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnReply:
    """What the model said, and what the agent needs to know of it."""

    message: Message
    """The assistant's, to be sent back as it is."""
    stop: Literal["end", "calls", "cut", "refusal"]
    """Why it ended: with words, with calls, longer than allowed, or refused."""
    model: str = ""
    """As it calls itself."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    """Of this turn."""
    window_tokens: int | None = None
    """What the model takes at once, where that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFault:
    """Why there is no reply."""

    code: str
    """As `LlmFault.code`; "budget_used" when the work order's budget is."""
    message: str
    hint: str = ""


def turn_json(turn: Turn) -> bytes:
    return _json(asdict(turn))


def reply_json(reply: TurnReply) -> bytes:
    return _json(asdict(reply))


def fault_json(fault: TurnFault) -> bytes:
    return _json({"error": asdict(fault)})


def read_turn(raw: bytes) -> Turn:
    """Read what an agent sent.

    Raises:
        ValueError: it is no turn; says what is wrong.
    """
    told = _parsed(raw)
    tokens_max = told.get("tokens_max")
    if tokens_max is not None and (not isinstance(tokens_max, int) or tokens_max < 1):
        raise ValueError("tokens_max is a number above 0")
    messages = tuple(message_of(one) for one in _list(told, "messages"))
    if not messages:
        raise ValueError("there are no messages")
    tools = tuple(_tool(one) for one in _list(told, "tools"))
    return Turn(messages=messages, tools=tools, tokens_max=tokens_max)


def read_reply(raw: bytes) -> TurnReply:
    """Read what the gateway sent.

    Raises:
        ValueError: it is no reply.
    """
    told = _parsed(raw)
    stop = told.get("stop")
    cost, window = told.get("cost_usd"), told.get("window_tokens")
    return TurnReply(
        message=message_of(told.get("message")),
        stop=stop if stop in ("calls", "cut", "refusal") else "end",
        model=_text(told, "model"),
        input_tokens=_count(told, "input_tokens"),
        output_tokens=_count(told, "output_tokens"),
        cost_usd=float(cost) if isinstance(cost, int | float) else None,
        window_tokens=window if isinstance(window, int) and window > 0 else None,
    )


def read_fault(raw: bytes, status: int) -> TurnFault:
    """Read why there is no reply; whatever came, this is told in words."""
    try:
        error = _parsed(raw).get("error")
    except ValueError:
        error = None
    if not isinstance(error, dict) or not error.get("message"):
        return TurnFault(code="gateway", message=f"The gateway answered with status {status}.")
    return TurnFault(
        code=_text(error, "code") or "gateway",
        message=_text(error, "message"),
        hint=_text(error, "hint"),
    )


def message_json(message: Message) -> dict[str, object]:
    """Write a message as short as it can be read again."""
    return {name: part for name, part in asdict(message).items() if part or name == "text"}


def message_of(told: object) -> Message:
    """Read a message from JSON.

    Raises:
        ValueError: it is none.
    """
    fields = _object(told)
    role = fields.get("role")
    if role not in _ROLES:
        raise ValueError(f"a message has a role of {', '.join(_ROLES)}")
    return Message(
        role=role,  # type: ignore[arg-type]
        text=_text(fields, "text"),
        calls=tuple(ToolCall(**_texts(one, _CALL)) for one in _list(fields, "calls")),
        thoughts=tuple(Thought(**_texts(one, _THOUGHT)) for one in _list(fields, "thoughts")),
        call_id=_text(fields, "call_id"),
        name=_text(fields, "name"),
        is_error=fields.get("is_error") is True,
    )


def _tool(told: object) -> Tool:
    fields = _object(told)
    schema = _object(fields.get("schema"))
    return Tool(name=_text(fields, "name"), description=_text(fields, "description"), schema=schema)


def _json(told: object) -> bytes:
    # Half a pair of surrogates, as a file's name may have, is written as what cannot be read.
    return json.dumps(told, ensure_ascii=False).encode(errors="replace")


def _parsed(raw: bytes) -> Object:
    try:
        return _object(json.loads(raw))
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _object(told: object) -> Object:
    if not isinstance(told, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - of what came, not of our types
    return told


def _list(fields: Object, name: str) -> list[object]:
    told = fields.get(name, [])
    if not isinstance(told, list):
        raise ValueError(f"{name} is no list")  # noqa: TRY004
    return told


def _text(fields: Object, name: str) -> str:
    told = fields.get(name, "")
    if not isinstance(told, str):
        raise ValueError(f"{name} is no text")  # noqa: TRY004
    return told


def _texts(told: object, names: tuple[str, ...]) -> dict[str, str]:
    fields = _object(told)
    return {name: _text(fields, name) for name in names}


def _count(fields: Object, name: str) -> int:
    told = fields.get(name, 0)
    return told if isinstance(told, int) and told > 0 else 0
