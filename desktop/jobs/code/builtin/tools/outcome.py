"""What a tool gives back, and why it may not: in words that help a model to do better."""

from __future__ import annotations

from dataclasses import dataclass


class ToolFault(Exception):
    """A tool could not do what was wanted; the words are for the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A file that was, or would be, written."""

    path: str
    """Absolute."""
    old: str | None
    """None for a new file."""
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a call."""

    text: str
    """For the model."""
    change: Change | None = None
    is_error: bool = False
