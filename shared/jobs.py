"""A job as it travels: what is to be done, how urgent it is, and where it came from."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from shared.finite import FiniteObject
from shared.ids import JobId, SessionId, TaskId

TITLE_CHARS_MAX = 200
NO_SESSION = SessionId("")
ATTEMPTS_MAX = 3
"""Failed attempts before a job becomes a dead letter."""
LIGHT_MAX = 64
"""Jobs that take no slot (`Kind.takes_slot`), given to one worker at once."""


class Priority(StrEnum):
    HIGH = "high"
    DEFAULT = "default"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 is served first."""
        return _RANKS[self]


_RANKS = {priority: rank for rank, priority in enumerate(Priority)}


class JobState(StrEnum):
    """Where a job is in its life (the drawing is in `hub.core.job`)."""

    QUEUED = "queued"
    OFFERED = "offered"
    GRANTED = "granted"
    RUNNING = "running"
    ASKING = "asking"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """Failed in a way that no retry mends, and nobody has asked for one."""
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    """Its worker stopped in the middle; a person decides what is true."""
    DEAD = "dead"
    """Out of tries; kept with its reasons as a dead letter."""

    @property
    def is_terminal(self) -> bool:
        return self in (
            JobState.SUCCEEDED,
            JobState.FAILED,
            JobState.CANCELLED,
            JobState.DEAD,
        )


class Origin(StrEnum):
    """Who said so. The worker's policy decides per origin; it is never authority by itself."""

    LOCAL = "local"
    CHAT = "chat"
    GROUP = "group"
    API = "api"


class JobSpec(BaseModel):
    """All a worker needs to decide on a job and to run it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job_id: JobId
    task_id: TaskId
    kind: str = Field(max_length=100)
    title: str = Field(max_length=TITLE_CHARS_MAX)
    inputs: FiniteObject = Field(default_factory=dict)
    """Checked against the kind by hub and worker; what is missing will be asked."""
    answers: dict[str, str] = Field(default_factory=dict)
    """Answers given to earlier attempts, by question key."""
    origin: Origin = Origin.LOCAL
    traceparent: str = Field(default="", max_length=64)
    """W3C trace context, minted where the command came in."""
    session_id: SessionId = Field(
        default=NO_SESSION,
        max_length=64,
        pattern=r"^[0-9A-Za-z-]*$",
        exclude_if=lambda session_id: not session_id,
    )
    """The working context that it is run in: jobs of one session share a folder on their worker.
    Empty, and then not written either, for a job that has none (yet)."""
