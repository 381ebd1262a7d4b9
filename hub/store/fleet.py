"""The fleet's outbox: attempts that were granted to it, from the grant's own transaction on.

A row stands for as long as the fleet has the job in hand, and a little longer: whoever reads one
looks whether the grant is still in force. `published_ms` is empty until the broker has said that
it has the ticket, `delivery` until a node was told to begin.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from hub.core.job import Job
from hub.store import dead, queue
from hub.store.ledger import Entry
from shared.fleet import Ticket
from shared.ids import JobId, PersonId, WorkerId
from shared.jobs import Priority
from shared.times import from_ms

_COLUMNS = (
    "a.job_id, a.attempt, a.fence, a.kind, a.priority, a.traceparent, a.granted_ms,"
    " a.published_ms, a.delivery, a.node, a.started_ms, a.told"
)
_HELD = (
    f"SELECT {_COLUMNS}, j.worker_id, j.person_id, j.state, j.cancel_by FROM fleet_attempts a"
    " JOIN jobs j ON j.job_id = a.job_id AND j.is_held = 1 AND j.fence = a.fence"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetAttempt:
    """A grant in the fleet's hands."""

    ticket: Ticket
    granted_at: datetime
    published_at: datetime | None
    delivery: str
    """Which delivery has begun; empty: none has."""
    node: str
    started_at: datetime | None
    told: int
    """The number of the last report that was taken in."""
    worker_id: WorkerId
    """Which stands for the fleet."""
    person_id: PersonId
    is_asking: bool
    cancel_by: str

    @property
    def job_id(self) -> JobId:
        return self.ticket.job_id

    @property
    def fence(self) -> int:
        return self.ticket.fence

    @property
    def has_begun(self) -> bool:
        return bool(self.delivery)


def create(connection: sqlite3.Connection) -> None:
    """Make the table: one step of the hub's migrations."""
    for statement in (
        "CREATE TABLE fleet_attempts (job_id TEXT PRIMARY KEY, attempt INTEGER NOT NULL,"
        " fence INTEGER NOT NULL, kind TEXT NOT NULL, priority TEXT NOT NULL,"
        " traceparent TEXT NOT NULL, granted_ms INTEGER NOT NULL, published_ms INTEGER,"
        " delivery TEXT NOT NULL DEFAULT '', node TEXT NOT NULL DEFAULT '', started_ms INTEGER,"
        " told INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID",
        "CREATE INDEX fleet_unpublished ON fleet_attempts (granted_ms) WHERE published_ms IS NULL",
        "CREATE INDEX fleet_of_node ON fleet_attempts (node) WHERE node <> ''",
    ):
        connection.execute(statement)


def hand_over(entry: Entry, job: Job) -> None:
    """Note a grant that is to be published, in the transaction that grants it."""
    entry.connection.execute(
        "INSERT OR REPLACE INTO fleet_attempts (job_id, attempt, fence, kind, priority,"
        " traceparent, granted_ms) SELECT job_id, ?, ?, kind, priority, traceparent, ? FROM jobs"
        " WHERE job_id = ?",
        (job.life.attempt, job.life.fence, entry.now_ms, job.job_id),
    )


def load(connection: sqlite3.Connection, job_id: JobId) -> FleetAttempt | None:
    """Load what the fleet has in hand of a job; None when that is nothing."""
    row = connection.execute(f"{_HELD} WHERE a.job_id = ?", (job_id,)).fetchone()
    return _to_attempt(row) if row else None


def unpublished(connection: sqlite3.Connection, limit: int) -> list[FleetAttempt]:
    """Load what the broker does not have yet, the oldest first."""
    rows = connection.execute(
        f"{_HELD} WHERE a.published_ms IS NULL AND a.delivery = '' ORDER BY a.granted_ms LIMIT ?",
        (limit,),
    )
    return [_to_attempt(row) for row in rows]


def held(connection: sqlite3.Connection) -> list[FleetAttempt]:
    """Load all that the fleet has in hand, the oldest first."""
    return [_to_attempt(row) for row in connection.execute(f"{_HELD} ORDER BY a.granted_ms")]


def of_node(connection: sqlite3.Connection, node: str) -> list[FleetAttempt]:
    """Load what a node has begun and not ended."""
    rows = connection.execute(f"{_HELD} WHERE a.node = ? AND a.node <> ''", (node,))
    return [_to_attempt(row) for row in rows]


def note_published(entry: Entry, tickets: Iterable[Ticket]) -> None:
    """The broker has said that it has them."""
    entry.connection.executemany(
        "UPDATE fleet_attempts SET published_ms = ? WHERE job_id = ? AND fence = ?",
        [(entry.now_ms, ticket.job_id, ticket.fence) for ticket in tickets],
    )


def note_begun(entry: Entry, attempt: FleetAttempt, node: str, delivery: str) -> None:
    """A delivery begins; from here on no other can."""
    entry.connection.execute(
        "UPDATE fleet_attempts SET node = ?, delivery = ?, started_ms = ?"
        " WHERE job_id = ? AND fence = ?",
        (node, delivery, entry.now_ms, attempt.job_id, attempt.fence),
    )
    # The row above goes with the grant; a dead letter tells later where it was tried.
    dead.note_node(entry.connection, attempt.job_id, attempt.ticket.attempt, node)


def note_told(entry: Entry, attempt: FleetAttempt, number: int) -> None:
    """A report was taken in; none of its number or below counts again."""
    entry.connection.execute(
        "UPDATE fleet_attempts SET told = ? WHERE job_id = ? AND fence = ?",
        (number, attempt.job_id, attempt.fence),
    )


def sweep(entry: Entry) -> int:
    """Forget what the fleet has no more; returns how many."""
    return entry.connection.execute(
        "DELETE FROM fleet_attempts WHERE NOT EXISTS (SELECT 1 FROM jobs j"
        " WHERE j.job_id = fleet_attempts.job_id AND j.is_held = 1"
        " AND j.fence = fleet_attempts.fence)"
    ).rowcount


def job_in(entry: Entry, attempt: FleetAttempt) -> Job:
    """Load the job of an attempt that was just loaded."""
    job = queue.load_in(entry, attempt.job_id)
    assert job is not None
    return job


def _to_attempt(row: tuple[object, ...]) -> FleetAttempt:
    (job_id, attempt, fence, kind, priority, traceparent, granted, published, *rest) = row
    (delivery, node, started, told, worker_id, person_id, state, cancel_by) = rest
    assert isinstance(attempt, int)
    assert isinstance(fence, int)
    assert isinstance(told, int)
    ticket = Ticket(
        job_id=JobId(str(job_id)),
        attempt=attempt,
        fence=fence,
        kind=str(kind),
        priority=Priority(str(priority)),
        traceparent=str(traceparent),
    )
    granted_at = _moment(granted)
    assert granted_at is not None
    return FleetAttempt(
        ticket=ticket,
        granted_at=granted_at,
        published_at=_moment(published),
        delivery=str(delivery),
        node=str(node),
        started_at=_moment(started),
        told=told,
        worker_id=WorkerId(str(worker_id)),
        person_id=PersonId(str(person_id)),
        is_asking=state == "asking",
        cancel_by=str(cancel_by),
    )


def _moment(milliseconds: object) -> datetime | None:
    if milliseconds is None:
        return None
    assert isinstance(milliseconds, int)
    return from_ms(milliseconds)
