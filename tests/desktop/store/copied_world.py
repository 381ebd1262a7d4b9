"""A copy of a hub's log to read from, and events to fill it."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

from desktop.store import copies
from desktop.store.database import MIGRATIONS
from shared.errors import ErrorBody
from shared.events import (
    EventBody,
    JobFailed,
    JobLogged,
    JobQueued,
    JobStarted,
    OwnEventBody,
    TaskCreated,
    WorkerPaired,
    write_event,
)
from shared.ids import JobId, PersonId, TaskId, WorkerId
from shared.messages import Numbered

ANNA = WorkerId("01900000-0000-7000-8000-00000000aaaa")
STUDIO = WorkerId("01900000-0000-7000-8000-00000000bbbb")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
GONE = ErrorBody(code="file_gone", message="sales.csv is gone.", hint="Choose another.")


def open_copy() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for migration in MIGRATIONS:
        migration(connection)
    happen(connection, WorkerPaired(worker_id=ANNA, name="anna-pc"))
    happen(connection, WorkerPaired(worker_id=STUDIO, name="Studio"))
    return connection


def job_id(number: int) -> JobId:
    return JobId(f"01900000-0000-7000-8000-{number:012d}")


def happen(
    connection: sqlite3.Connection, *bodies: EventBody, minutes: float = 0, device: str = ANNA
) -> None:
    """Let events come in; what a worker tells comes from `device`."""
    at = NOON + timedelta(minutes=minutes)
    for body in bodies:
        writer = device if isinstance(body, OwnEventBody) else "hub"
        (number,) = connection.execute("select count(*) + 1 from event").fetchone()
        event = write_event(body, device=writer, epoch=1, seq=number, at=at)
        copies.hear(connection, Numbered(hub_seq=number, event=event))


def queue(
    connection: sqlite3.Connection, number: int, title: str = "churn", kind: str = "ml.train"
) -> JobId:
    """Make a job that waits; its number is also the minute it was made in."""
    one = job_id(number)
    task = TaskId(one)
    happen(
        connection,
        TaskCreated(task_id=task, person_id=PersonId("p"), text=f"please {title}"),
        JobQueued(job_id=one, task_id=task, kind=kind, title=title, attempt=1),
        minutes=number,
    )
    return one


def start(connection: sqlite3.Connection, job: JobId, device: str = ANNA) -> None:
    happen(connection, JobStarted(job_id=job, attempt=1, fence=1), device=device)


def fail(connection: sqlite3.Connection, job: JobId, error: ErrorBody = GONE) -> None:
    happen(connection, JobFailed(job_id=job, attempt=1, fence=1, error=error))


def log(connection: sqlite3.Connection, job: JobId, *lines: str) -> None:
    happen(connection, JobLogged(job_id=job, attempt=1, fence=1, lines=lines))
