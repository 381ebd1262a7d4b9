"""Sessions, as rows. What happens in one stands with its jobs: only opening and ending write here.

`due_ms` is when to look at an open session next. It is never later than half an hour from the
last sight of it, so whatever lies further ahead was written by a clock that has been set back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from hub.core.job import Job
from hub.core.session import IDLE_SECONDS, EndReason, Session, lives_until
from hub.store import queue
from hub.store.ledger import Entry
from shared.ids import JobId, PersonId, SessionId, TaskId, WorkerId
from shared.times import from_ms, to_ms

IDLE_MS = int(IDLE_SECONDS * 1000)
_COLUMNS = (
    "s.session_id, s.person_id, s.task_id, s.worker_id, s.opened_ms, s.active_ms, s.ended_ms,"
    " s.reason, s.ended_by"
)
# A look at what is to be read of a session beside its row; its jobs are few.
_ACTIVE = "(SELECT max(j.updated_ms) FROM jobs j WHERE j.task_id = s.task_id" \
    " AND j.session_id = s.session_id AND j.part_of IS NULL)"  # fmt: skip
_BUSY = "EXISTS (SELECT 1 FROM jobs j WHERE j.task_id = s.task_id" \
    " AND j.session_id = s.session_id AND j.part_of IS NULL AND j.is_held = 1)"  # fmt: skip
_SEEN = f"SELECT {_COLUMNS}, {_ACTIVE}, {_BUSY} FROM sessions s"


def create_sessions(connection: sqlite3.Connection) -> None:
    """Make the table, and let jobs name theirs: one step of the hub's migrations."""
    for statement in (
        "CREATE TABLE sessions (session_id TEXT PRIMARY KEY, person_id TEXT NOT NULL,"
        " task_id TEXT NOT NULL, worker_id TEXT NOT NULL, opened_ms INTEGER NOT NULL,"
        " active_ms INTEGER NOT NULL, ended_ms INTEGER, reason TEXT NOT NULL,"
        " ended_by TEXT NOT NULL, due_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID",
        "CREATE INDEX sessions_of_task ON sessions (task_id)",
        "CREATE INDEX sessions_of_person ON sessions (person_id, session_id)",
        "CREATE INDEX sessions_of_worker ON sessions (worker_id, session_id)",
        "CREATE INDEX sessions_due ON sessions (due_ms) WHERE ended_ms IS NULL",
        "ALTER TABLE jobs ADD COLUMN session_id TEXT",
    ):
        connection.execute(statement)


class Seen(NamedTuple):
    """A session with what its jobs tell of it."""

    session: Session
    """`active_at` counts what its jobs did."""
    is_busy: bool
    """A job of it is in its worker's hands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A session as lists show it."""

    seen: Seen
    task_text: str
    worker_name: str
    jobs: int
    title: str
    """Of the newest of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which sessions; what is None does not matter."""

    person_id: PersonId | None = None
    is_open: bool | None = None
    task_id: TaskId | None = None
    worker_id: WorkerId | None = None
    before: SessionId | None = None


def insert(entry: Entry, session: Session) -> bool:
    """Keep a new session; False when one of its id is there already."""
    row = entry.connection.execute(
        "SELECT 1 FROM sessions WHERE session_id = ?", (session.session_id,)
    ).fetchone()
    if row is None:
        add(entry, session)
    return row is None


def add(entry: Entry, session: Session) -> None:
    """Keep a new session whose id was made for it."""
    entry.owed.sessions.append(
        (
            session.session_id,
            session.person_id,
            session.task_id,
            session.worker_id,
            to_ms(session.opened_at),
            to_ms(session.active_at),
            to_ms(lives_until(session, entry.now)),
        )
    )


def save(entry: Entry, session: Session, due_at: datetime | None = None) -> None:
    """Write down what became of it, and when to look at it next (None: when it is over)."""
    due = lives_until(session, entry.now) if due_at is None else due_at
    entry.connection.execute(
        "UPDATE sessions SET opened_ms = ?, active_ms = ?, ended_ms = ?, reason = ?, ended_by = ?,"
        " due_ms = ? WHERE session_id = ?",
        (
            to_ms(session.opened_at),
            to_ms(session.active_at),
            None if session.ended_at is None else to_ms(session.ended_at),
            session.reason or "",
            session.ended_by,
            to_ms(due),
            session.session_id,
        ),
    )


def load(connection: sqlite3.Connection, session_id: SessionId) -> Seen | None:
    row = connection.execute(f"{_SEEN} WHERE s.session_id = ?", (session_id,)).fetchone()
    return _seen(row) if row else None


def newest_of_task(connection: sqlite3.Connection, task_id: TaskId) -> Seen | None:
    """The session of a task that was opened last, open ones before ended ones."""
    row = connection.execute(
        f"{_SEEN} WHERE s.task_id = ? ORDER BY s.ended_ms IS NULL DESC, s.session_id DESC LIMIT 1",
        (task_id,),
    ).fetchone()
    return _seen(row) if row else None


def open_of(connection: sqlite3.Connection, task_id: TaskId, worker_id: WorkerId) -> Seen | None:
    """The open session of a task on a worker."""
    row = connection.execute(
        f"{_SEEN} WHERE s.task_id = ? AND s.worker_id = ? AND s.ended_ms IS NULL"
        " ORDER BY s.session_id DESC LIMIT 1",
        (task_id, worker_id),
    ).fetchone()
    return _seen(row) if row else None


def open_of_worker(connection: sqlite3.Connection, worker_id: WorkerId) -> list[Seen]:
    rows = connection.execute(
        # By way of the open ones: of those that are over, there may be a million.
        f"{_SEEN} INDEXED BY sessions_due WHERE s.ended_ms IS NULL AND s.worker_id = ?"
        " ORDER BY s.session_id",
        (worker_id,),
    )
    return [_seen(row) for row in rows]


def of_task(connection: sqlite3.Connection, task_id: TaskId) -> list[Seen]:
    rows = connection.execute(f"{_SEEN} WHERE s.task_id = ? ORDER BY s.session_id", (task_id,))
    return [_seen(row) for row in rows]


def due(connection: sqlite3.Connection, now: datetime, limit: int) -> list[Seen]:
    """Open sessions to be looked at: their time has come, or their clock was wrong."""
    now_ms = to_ms(now)
    rows = connection.execute(
        f"{_SEEN} WHERE s.ended_ms IS NULL AND s.session_id IN ("
        " SELECT session_id FROM sessions INDEXED BY sessions_due"
        "  WHERE ended_ms IS NULL AND due_ms < ?"
        " UNION ALL SELECT session_id FROM sessions INDEXED BY sessions_due"
        "  WHERE ended_ms IS NULL AND due_ms > ? LIMIT ?)",
        (now_ms, now_ms + IDLE_MS, limit),
    )
    return [_seen(row) for row in rows]


def next_due(connection: sqlite3.Connection) -> datetime | None:
    """When to look again; None while none is open."""
    row = connection.execute(
        "SELECT min(due_ms) FROM sessions INDEXED BY sessions_due WHERE ended_ms IS NULL"
    ).fetchone()
    return None if row[0] is None else from_ms(row[0])


def opened_before(connection: sqlite3.Connection, moment: datetime) -> list[SessionId]:
    """Open sessions from before a moment: what a restart has to keep an eye on."""
    rows = connection.execute(
        "SELECT session_id FROM sessions WHERE ended_ms IS NULL AND opened_ms < ?",
        (to_ms(moment),),
    )
    return [SessionId(row[0]) for row in rows]


def queued_in(connection: sqlite3.Connection, session: Session) -> list[Job]:
    """Jobs that wait for their turn in a session."""
    return [
        job
        for job in queue.of_task(connection, session.task_id)
        if job.session_id == session.session_id and not job.life.is_held
        and not job.life.state.is_terminal
    ]  # fmt: skip


def kept(
    connection: sqlite3.Connection, wanted: Sequence[tuple[JobId, WorkerId]]
) -> dict[JobId, SessionId]:
    """The sessions that jobs were in and that are still open on the worker named beside each."""
    found = {}
    for job_id, worker_id in wanted:
        row = connection.execute(
            "SELECT s.session_id FROM jobs j JOIN sessions s ON s.session_id = j.session_id"
            " WHERE j.job_id = ? AND s.worker_id = ? AND s.ended_ms IS NULL",
            (job_id, worker_id),
        ).fetchone()
        if row is not None:
            found[job_id] = SessionId(row[0])
    return found


def page(connection: sqlite3.Connection, wanted: Wanted, limit: int) -> list[Listed]:
    """The newest first."""
    tests = ["1"]
    values: list[str | int] = []
    for test, value in (
        ("s.person_id = ?", wanted.person_id),
        ("s.task_id = ?", wanted.task_id),
        ("s.worker_id = ?", wanted.worker_id),
        ("s.session_id < ?", wanted.before),
    ):
        if value is not None:
            tests.append(test)
            values.append(value)
    if wanted.is_open is not None:
        tests.append(f"s.ended_ms IS {'NULL' if wanted.is_open else 'NOT NULL'}")
    # Of a million that are over, a handful is open: those have an index of their own.
    by_open = wanted.is_open and wanted.task_id is None
    rows = connection.execute(
        f"{_LISTED_OPEN if by_open else _LISTED} WHERE {' AND '.join(tests)}"
        " ORDER BY s.session_id DESC LIMIT ?",
        (*values, limit),
    )
    return [_listed(row) for row in rows]


def listed(connection: sqlite3.Connection, session_id: SessionId) -> Listed | None:
    row = connection.execute(f"{_LISTED} WHERE s.session_id = ?", (session_id,)).fetchone()
    return _listed(row) if row else None


def delete_of_task(entry: Entry, task_id: TaskId) -> None:
    entry.connection.execute("DELETE FROM sessions WHERE task_id = ?", (task_id,))


_LISTED = (
    f"SELECT {_COLUMNS}, {_ACTIVE}, {_BUSY}, t.text, w.name,"
    " (SELECT count(*) FROM jobs j WHERE j.task_id = s.task_id AND j.session_id = s.session_id"
    "  AND j.part_of IS NULL),"
    " (SELECT j.title FROM jobs j WHERE j.task_id = s.task_id AND j.session_id = s.session_id"
    "  AND j.part_of IS NULL ORDER BY j.job_id DESC LIMIT 1)"
    " FROM sessions s LEFT JOIN tasks t ON t.task_id = s.task_id"
    " LEFT JOIN workers w ON w.worker_id = s.worker_id"
)
_LISTED_OPEN = _LISTED.replace("sessions s", "sessions s INDEXED BY sessions_due")


def _listed(row: tuple[object, ...]) -> Listed:
    text, name, count, title = row[11:]
    assert isinstance(count, int)
    return Listed(
        seen=_seen(row[:11]),
        task_text=str(text or ""),
        worker_name=str(name or ""),
        jobs=count,
        title=str(title or ""),
    )


def _seen(row: tuple[object, ...]) -> Seen:
    (session_id, person_id, task_id, worker_id, opened, active, ended, reason, by, moved, busy) = (
        row
    )
    assert isinstance(opened, int)
    assert isinstance(active, int)
    session = Session(
        session_id=SessionId(str(session_id)),
        person_id=PersonId(str(person_id)),
        task_id=TaskId(str(task_id)),
        worker_id=WorkerId(str(worker_id)),
        opened_at=from_ms(opened),
        active_at=from_ms(active),
        ended_at=from_ms(ended) if isinstance(ended, int) else None,
        reason=EndReason(str(reason)) if reason else None,
        ended_by=str(by),
    )
    if session.is_open and isinstance(moved, int) and moved > active:
        session = replace(session, active_at=from_ms(moved))
    return Seen(session, bool(busy))
