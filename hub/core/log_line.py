"""What a job said while it worked: its lines, numbered over all of its attempts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

LINES_PER_PAGE_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    number: int
    """1, 2, 3 … over all attempts; they move up when old lines are forgotten."""
    at: datetime
    """When the worker sent it, by its own clock."""
    attempt: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Which lines."""

    after: int = 0
    """Those after this number."""
    limit: int = 200
    """1 to LINES_PER_PAGE_MAX."""
    words: str = ""
    """Only lines with this in them, in any case."""
    is_tail: bool = False
    """The last ones there are, whatever `after` says; no words are looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    lines: tuple[LogLine, ...]
    total: int
    """How many lines there are."""
    looked_at: int
    """The number up to which lines were looked at: where the next page begins."""

    @property
    def has_more(self) -> bool:
        return self.looked_at < self.total
