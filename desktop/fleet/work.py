"""One ticket in a node's hands: from its taking to the moment when the hub has its outcome.

taken ──▶ starting ── may begin ──▶ running ◀──▶ asking ──▶ telling ──▶ over
├── another delivery has it ──▶ stale, dropped       (slot freed where `freed` says)
└── the hub is away for long ──▶ given back to the broker
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum

from desktop.core.attempt import Attempt
from desktop.fleet.reports import Reports
from shared.api.fleet import FleetEventBody, HeldAttempt
from shared.errors import AppError, ErrorBody, Unavailable
from shared.events import JobCancelled, JobParked, JobSucceeded
from shared.fleet import Ticket
from shared.ids import QuestionId


class Took(StrEnum):
    """What the broker's side is told of a ticket; the slot is free then."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ASKING = "asking"
    """It waits for a person, without a slot; it goes on here once there is an answer."""
    PARKED = "parked"
    STALE = "stale"
    """The hub lets another delivery run the attempt, or nobody: the ticket is worth nothing."""
    BACK = "back"
    """Nothing was begun: the ticket is for somebody else."""


TOOK: dict[type[FleetEventBody], Took] = {
    JobSucceeded: Took.SUCCEEDED,
    JobCancelled: Took.CANCELLED,
    JobParked: Took.PARKED,
}
"""What a slot is freed with, by the outcome; everything else has failed."""


@dataclass(slots=True, eq=False)
class Work:
    """A ticket in hand."""

    ticket: Ticket
    delivery: str
    reports: Reports
    freed: asyncio.Future[Took]
    """Resolved when its slot is free."""
    attempt: Attempt | None = None
    """What the hub let this delivery begin; None before it has."""
    took: Took = Took.FAILED
    """By its outcome."""
    is_unwanted: bool = False
    """Nobody waits for its outcome any more: its child goes without a word."""
    question_id: QuestionId | None = None
    waiter: asyncio.Task[None] | None = None
    """Waits for the answer."""
    child_gone: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def held(self) -> HeldAttempt:
        """How beats tell of it; before its start, too, for the answer to that may be lost."""
        ticket = self.ticket
        return HeldAttempt(job_id=ticket.job_id, attempt=ticket.attempt, fence=ticket.fence)

    def free(self, took: Took) -> None:
        """Let the broker's side go on, if it still waits; the first word counts."""
        if not self.freed.done():
            self.freed.set_result(took)


def node_ended(node: str) -> Unavailable:
    return Unavailable(
        "node_ended",
        f"The node {node} of the fleet was stopped before the job was done.",
        "It is tried again by itself.",
        retryable=True,
    )


def job_alone() -> ErrorBody:
    return AppError(
        "fleet_job_alone",
        "A job of the fleet has no parts and no steps.",
        "Leave this kind to your own computers.",
    ).body
