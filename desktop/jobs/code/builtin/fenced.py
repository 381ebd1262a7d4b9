"""Calls of models that cannot call tools: a block of JSON at the end of what they write."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from desktop.core.llm.message import Message, ToolCall

TEXT_CHARS_MAX = 400_000
_BLOCK = re.compile(r"```[a-z_]{0,20}[ \t]*\n|<tool_call>\s{0,10}|<function_call>\s{0,10}")
_NAMES = ("tool", "name", "function")
_ARGUMENTS = ("arguments", "parameters", "args", "input")


def read_call(text: str, names: Collection[str], number: int) -> tuple[str, ToolCall] | None:
    """Find the last block that calls one of these tools; return the words before it, and the call.

    Args:
        text: what the model wrote.
        names: of the tools.
        number: for the call's id, which such a model does not give.
    """
    for start in reversed(list(_BLOCK.finditer(text[:TEXT_CHARS_MAX]))):
        found = _call(text[start.end() :], names)
        if found is not None:
            name, arguments = found
            return text[: start.start()].strip(), ToolCall(
                id=f"fenced_{number}", name=name, arguments=arguments
            )
    return None


def _call(text: str, names: Collection[str]) -> tuple[str, str] | None:
    try:
        told, _ = json.JSONDecoder(strict=False).raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    name = next((told[one] for one in _NAMES if isinstance(told.get(one), str)), "")
    written = (told[one] for one in _ARGUMENTS if isinstance(told.get(one), dict))
    arguments: dict[str, object] = next(written, {})
    return (name, json.dumps(arguments, ensure_ascii=False)) if name in names else None


def plain(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Write a conversation without calls and results, for a model that knows none."""
    return tuple(_plain(message) for message in messages)


def _plain(message: Message) -> Message:
    if message.role == "tool":
        return Message("user", f"Result of {message.name}:\n{message.text}")
    if not message.calls:
        return message
    blocks = [
        f'```json\n{{"tool": {json.dumps(call.name)}, "arguments": {call.arguments or "{}"}}}\n```'
        for call in message.calls
    ]
    text = "\n".join(filter(None, [message.text, *blocks]))
    return replace(message, text=text, calls=(), thoughts=())
