"""The queue: how deep it is, and what workers call for that fetch their work.

A fetched job is named with its `attempt` and `fence` in every call about it: whoever was given it
later has a higher fence, and an older one is answered with 409 `fence_stale`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue

from shared.api.parts import ID, WHOLE, Body, Shown, Whole
from shared.events import LINE_CHARS_MAX, LINES_MAX
from shared.ids import COUNT_MAX
from shared.jobs import JobSpec, Priority
from shared.messages import HELD_MAX, Metrics
from shared.questions import Answer, Asking

CLAIM_SECONDS_MAX = 20.0
KINDS_MAX = 64
KindName = Annotated[str, Field(min_length=1, max_length=100)]


class DepthShown(Shown):
    waiting: int
    """Jobs that nobody works on yet, waits after a failure included."""
    running: int
    oldest_waiting_seconds: float
    """0 when none waits."""


class KindDepth(Shown):
    kind: str
    waiting: int
    running: int


class QueueShown(Shown):
    priorities: dict[Priority, DepthShown]
    kinds: tuple[KindDepth, ...]
    """Those that wait or run, by name."""
    waiting: int
    running: int
    asking: int
    interrupted: int
    dead: int
    oldest_waiting_seconds: float
    workers_online: int
    slots: int


class NewClaim(Body):
    # Tuples come as JSON lists, which strict mode would refuse.
    kinds: tuple[KindName, ...] | None = Field(
        default=None, min_length=1, max_length=KINDS_MAX, strict=False, examples=[["ml.train"]]
    )
    """Only these; null for all that the worker was registered for."""
    wait_seconds: float = Field(default=CLAIM_SECONDS_MAX, ge=0, le=CLAIM_SECONDS_MAX)
    """How long to wait for a job when there is none."""


class ClaimShown(Shown):
    job: JobSpec
    attempt: int
    fence: int


class OfAttempt(Body):
    """Which attempt is spoken of: as the fetch told it."""

    attempt: Whole = Field(ge=1, le=COUNT_MAX, examples=[1])
    fence: Whole = Field(ge=1, le=COUNT_MAX, examples=[1])


class NewProgress(OfAttempt):
    stage: str = Field(default="", max_length=200, examples=["fold 2 of 5"])
    done: float = Field(ge=0, allow_inf_nan=False)
    total: float = Field(default=0, ge=0, allow_inf_nan=False)
    """0 when unknown."""
    eta_seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class NewLines(OfAttempt):
    lines: tuple[Annotated[str, Field(max_length=LINE_CHARS_MAX)], ...] = Field(
        min_length=1, max_length=LINES_MAX, strict=False
    )


class NewQuestion(OfAttempt):
    asking: Asking = Field(strict=False)


class NewResult(OfAttempt):
    result: dict[str, JsonValue] = Field(examples=[{"headline": "Done."}])
    """What the job's kind gives."""
    running_seconds: float = Field(default=0, ge=0, allow_inf_nan=False)


class NewError(Body):
    code: str = Field(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_]*$")
    """Stable, snake_case."""
    message: str = Field(min_length=1, max_length=2000)
    """What happened, for a person."""
    hint: str = Field(default="", max_length=1000)
    """The next step."""
    retryable: bool = False
    """Whether the same attempt may succeed later without anyone changing anything."""
    retry_after_seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class NewFailure(OfAttempt):
    error: NewError


class Parking(OfAttempt):
    question_id: str = Field(pattern=ID)
    """What is waited for: the job starts again with the answer."""


class Told(Shown):
    """The report was taken in."""

    stop: str
    """Why the job is to stop; empty: go on. End it with `fail` then."""


class QuestionNoted(Shown):
    question_id: str


class AnswerShown(Shown):
    question_id: str
    state: str
    """`open`: ask again. `parked`: nobody answered for long; park the job, or go on asking.
    `answered`. `closed`: the job has moved on, stop it."""
    answer: Answer | None


class HeldJob(Body):
    job_id: str = Field(pattern=ID)
    attempt: Whole = Field(ge=1, le=COUNT_MAX)
    fence: Whole = Field(ge=1, le=COUNT_MAX)


class Heartbeat(Body):
    held: tuple[HeldJob, ...] = Field(max_length=HELD_MAX, strict=False, examples=[[]])
    """All jobs in hand. What is left out for some seconds counts as lost."""
    slots: Annotated[int, Field(ge=0, le=1000), WHOLE] | None = Field(default=None)
    """How many jobs it takes at once from now on."""
    metrics: Metrics | None = Field(default=None, strict=False)


class StopShown(Shown):
    job_id: str
    attempt: int
    reason: str


class HeartbeatShown(Shown):
    is_paused: bool
    """It is given nothing new now; what it has goes on."""
    stop: tuple[StopShown, ...]
    """What to end now, with `fail`, or without a word where the job has moved on."""
    next_seconds: float
    """When to call again at the latest."""
    silent_seconds: float
    """Who says nothing for this long is taken for gone."""
