"""What is said to a model and what it says: texts, calls of tools, and what tools gave back.

Dataclasses of the standard library alone: programs that start in a moment speak of the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """What a model may call."""

    name: str
    description: str
    schema: Mapping[str, object]
    """JSON schema of its arguments, an object's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A model's wish to have a tool run."""

    id: str
    name: str
    arguments: str
    """JSON as the model wrote it, which may be none."""
    mark: str = ""
    """What a provider wants back with it, as JSON; nobody else reads it."""
    provider: str = ""
    """Who wrote the mark, as the library calls it: nobody else is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thought:
    """Reasoning that a provider wants back with the calls that came of it."""

    text: str
    id: str = ""
    signature: str = ""
    provider: str = ""
    mark: str = ""
    """As `ToolCall.mark`."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    calls: tuple[ToolCall, ...] = ()
    """Of the assistant."""
    thoughts: tuple[Thought, ...] = ()
    """Of the assistant, before its text."""
    call_id: str = ""
    """Of a tool's result: which call it belongs to."""
    name: str = ""
    """Of a tool's result: the tool."""
    is_error: bool = False
    """Of a tool's result: it could not do what was wanted."""
