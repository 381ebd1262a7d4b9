"""Dead letters: jobs that ran out of tries, kept with their reasons."""

from __future__ import annotations

from datetime import datetime

from shared.api.jobs import JobShown
from shared.api.parts import Shown
from shared.errors import ErrorBody

NAME_CHARS_MAX = 100


class DeadTryShown(Shown):
    """A try that failed."""

    attempt: int
    worker_id: str
    worker: str
    """The computer's name; "fleet" for the fleet."""
    node: str
    """The fleet's node; empty for a computer of the person's own."""
    started_at: datetime | None
    """Null when it failed before it began."""
    failed_at: datetime
    error: ErrorBody


class DeadLetterShown(Shown):
    job: JobShown
    tries: tuple[DeadTryShown, ...]
    """The first in front; of very many, the latest."""


class PurgedShown(Shown):
    purged: int
    """How many dead letters were forgotten."""
