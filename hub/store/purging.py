"""Forgetting: all that a task and its jobs told, and the lines of old logs.

What is deleted here is gone from this hub's log, too; the numbers it had stay empty. The one event
that says so (`task_purged`) stays, so that computers forget it as well and nobody brings it back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from hub.core.fact import HUB_DEVICE
from hub.core.stored_file import FileState
from hub.store import chat, tasks
from hub.store.ledger import Entry
from shared.ids import JobId, PersonId, SessionId, TaskId

KEPT_TYPES = "('purge_asked', 'task_purged')"
"""What says that something was forgotten."""
LINES_PLACE = "lines_forgotten_upto"
"""Up to which place of the log old lines have been deleted."""
STRETCH_MAX = 5000


def jobs_of(connection: sqlite3.Connection, task_id: TaskId) -> list[JobId]:
    rows = connection.execute(
        "SELECT job_id FROM jobs WHERE task_id = ? ORDER BY job_id", (task_id,)
    )
    return [JobId(row[0]) for row in rows]


def is_purged(connection: sqlite3.Connection, person_id: PersonId, task_id: TaskId) -> bool:
    """Say whether a person wanted a task to be forgotten."""
    row = connection.execute(
        "SELECT 1 FROM events INDEXED BY idx_events_entity"
        " WHERE entity = ? AND person_id = ? AND type = 'task_purged' LIMIT 1",
        (task_id, person_id),
    ).fetchone()
    return row is not None


def purge(entry: Entry, task_id: TaskId, session_ids: Sequence[SessionId] = ()) -> list[JobId]:
    """Delete a task, its jobs and all they told; return which jobs those were, but for parts.

    Computers know the parts of their jobs; thousands of ids would not fit a frame.
    Files of theirs that lie here are left to the next sweep, which deletes them.
    """
    connection = entry.connection
    job_ids = jobs_of(connection, task_id)
    told = connection.execute(
        "SELECT job_id FROM jobs WHERE task_id = ? AND part_of IS NULL ORDER BY job_id", (task_id,)
    ).fetchall()
    # Freed pages are overwritten: words that are gone from a table must be gone from the file.
    connection.execute("PRAGMA secure_delete = ON")
    for job_id in job_ids:
        connection.execute(
            "UPDATE files SET announced_ms = 0, state = CASE state WHEN ? THEN ? ELSE state END"
            " WHERE job_id = ?",
            (FileState.ANNOUNCED, FileState.GONE, job_id),
        )
        for table in ("questions", "requests", "fleet_tries", "jobs"):
            connection.execute(f"DELETE FROM {table} WHERE job_id = ?", (job_id,))
        entry.forget(job_id)
    for entity in (task_id, *job_ids, *session_ids):
        connection.execute(
            f"DELETE FROM events WHERE entity = ? AND type NOT IN {KEPT_TYPES}", (entity,)
        )
    chat.forget(connection, task_id, job_ids)
    tasks.delete(entry, task_id)
    connection.execute("PRAGMA secure_delete = OFF")
    return [JobId(job_id) for (job_id,) in told]


def forget_lines(entry: Entry, before: datetime) -> bool:
    """Delete what jobs logged before a moment, a stretch of the log at a time; results stay.

    The hub's own clock counts, by what it wrote around them: a worker's may be years off.

    Returns:
        Whether there may be more to do.
    """
    connection = entry.connection
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (LINES_PLACE,)).fetchone()
    start = int(row[0]) if row else 0
    stretch = connection.execute(
        "SELECT hub_seq, device, at FROM events WHERE hub_seq > ? ORDER BY hub_seq LIMIT ?",
        (start, STRETCH_MAX),
    ).fetchall()
    old = [
        hub_seq
        for hub_seq, device, at in stretch
        if device == HUB_DEVICE and datetime.fromisoformat(at) < before
    ]
    if not old:
        return False
    connection.execute(
        "DELETE FROM events WHERE hub_seq > ? AND hub_seq <= ? AND type = 'job_logged'"
        " AND entity NOT IN (SELECT job_id FROM jobs WHERE is_held = 1)",
        (start, old[-1]),
    )
    connection.execute(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (LINES_PLACE, str(old[-1])),
    )
    return len(stretch) == STRETCH_MAX
