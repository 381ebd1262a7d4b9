"""The fleet: what its nodes and the hub tell each other, and what a scaler reads.

A *node* is one program `deskhand-fleet` with some slots; a *delivery* is one ticket that it took
from the broker. Nodes call with a key of scope `fleet`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from shared.api.parts import Body, Shown, Whole
from shared.events import (
    JobCancelled,
    JobFailed,
    JobInterrupted,
    JobLogged,
    JobParked,
    JobPlanned,
    JobResumed,
    JobSucceeded,
    QuestionAsked,
)
from shared.fleet import COUNT_MAX
from shared.ids import JobId
from shared.jobs import JobSpec, Priority
from shared.messages import Metrics

NODE = r"^[0-9A-Za-z][0-9A-Za-z._-]*$"
HELD_MAX = 1000


class HeldAttempt(Body):
    """A grant that a node has in hand."""

    job_id: JobId = Field(max_length=64)
    attempt: Whole = Field(ge=1, le=COUNT_MAX)
    fence: Whole = Field(ge=1, le=COUNT_MAX)


class StartAttempt(Body):
    """May this delivery begin? The first to ask has the attempt; asked again it hears the same."""

    attempt: Whole = Field(ge=1, le=COUNT_MAX)
    fence: Whole = Field(ge=1, le=COUNT_MAX)
    node: str = Field(max_length=100, pattern=NODE)
    delivery: str = Field(min_length=8, max_length=64, pattern=r"^[0-9A-Za-z-]+$")
    """Made by the node for each ticket that it takes."""


class AttemptStarted(Shown):
    """It is committed that this delivery, and no other, has begun."""

    spec: JobSpec
    attempt: int
    fence: int


FleetEventBody = Annotated[
    JobLogged
    | JobPlanned
    | QuestionAsked
    | JobResumed
    | JobParked
    | JobSucceeded
    | JobFailed
    | JobCancelled
    | JobInterrupted,
    Field(discriminator="type"),
]
"""What a node tells of an attempt after its start."""


class FleetEvent(Body):
    """Something happened to an attempt. Told again under the same number, it counts once.

    The numbers of a delivery begin at 1 and rise; what comes under one that is not higher than the
    last was taken in before. Tell the next only when the one before was answered.
    """

    delivery: str = Field(min_length=8, max_length=64, pattern=r"^[0-9A-Za-z-]+$")
    """As the start named it."""
    number: Whole = Field(ge=1, le=COUNT_MAX)
    event: FleetEventBody = Field(
        examples=[
            {
                "type": "job_logged",
                "job_id": "0198f3c2-7a02-7e55-b0f1-7a8b9c0d1e2f",
                "attempt": 1,
                "fence": 1,
                "lines": ["reading two pages"],
            }
        ]
    )
    """`job_id`, `attempt` and `fence` are the start's. A question's id is a UUID that the node
    makes; what it asks is answered by `GET /fleet/questions/{question_id}`, and `job_resumed`
    says that the job goes on with the answer."""


class FleetBeat(Body):
    """A node is here, with all that it has in hand; what it leaves out twice is lost."""

    node: str = Field(max_length=100, pattern=NODE)
    instance: str = Field(default="", max_length=200)
    """The container, machine or pod that it runs in, as its host calls it."""
    pool: str = Field(default="", max_length=60)
    kinds: tuple[Annotated[str, Field(max_length=100)], ...] = Field(max_length=64, strict=False)
    slots: Whole = Field(ge=1, le=1000)
    held: tuple[HeldAttempt, ...] = Field(default=(), max_length=HELD_MAX, strict=False)
    is_draining: bool = False
    """It takes nothing new, and ends when nothing is in its hands."""
    metrics: Metrics | None = None


class FleetStop(Shown):
    """What a node is to stop, and why."""

    job_id: str
    attempt: int
    reason: str


class FleetHeard(Shown):
    """The answer to a beat."""

    stops: tuple[FleetStop, ...]
    must_drain: bool
    """Take nothing new, finish what is in hand, and end."""
    next_seconds: float
    silent_seconds: float
    """Who says nothing for this long counts as gone, and what it had as lost."""


class FleetQueueShown(Shown):
    """Jobs of one kind and priority that the fleet is for."""

    kind: str
    priority: Priority
    waiting: int
    """Nobody works on them: queued at the hub for want of anybody else, or lying in the broker."""
    running: int
    """Nodes work on them, or have asked a person."""
    oldest_wait_seconds: float


class FleetNodeShown(Shown):
    node: str
    instance: str
    pool: str
    kinds: tuple[str, ...]
    slots: int
    held: int
    is_draining: bool
    idle_since: datetime | None = None
    """Since when nothing is in its hands; None while something is, and when it is not known."""
    since: datetime
    seen_at: datetime


class FleetShown(Shown):
    """All that a scaler needs, and a person who wonders."""

    is_configured: bool
    is_broker_up: bool
    broker_error: str = ""
    kinds: tuple[str, ...] = ()
    queues: tuple[FleetQueueShown, ...] = ()
    nodes: tuple[FleetNodeShown, ...] = ()
