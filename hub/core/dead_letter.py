"""Dead letters: which ones are meant, and how a job came to be one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.core.job import JobCard
from shared.errors import Conflict, ErrorBody
from shared.ids import JobId, WorkerId
from shared.jobs import JobState


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadFilter:
    """Which dead letters; what is empty does not matter."""

    kind: str = ""
    worker: str = ""
    """The name or the id of the worker of the last try."""
    is_fleet: bool = False
    """Only those whose last try was on the fleet."""
    since: datetime | None = None
    """Only what died then or later."""
    before: JobId | None = None
    """The last one of the page before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A try that failed."""

    attempt: int
    started_at: datetime | None
    """None when it failed before it began."""
    at: datetime
    worker_id: WorkerId
    node: str
    """The fleet's node that it was on; empty for a machine of the person's own."""
    error: ErrorBody


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A job out of tries, and all that it was tried."""

    card: JobCard
    failures: tuple[Failure, ...]
    """The latest first."""


def job_not_dead(state: JobState) -> Conflict:
    return Conflict(
        "job_not_dead",
        f"Only a dead letter is meant here; this job is {state}.",
        "The dead letters are at /dead-letters.",
    )
