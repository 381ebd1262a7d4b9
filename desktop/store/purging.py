"""Empties what a person wants to be forgotten: events, the copy, and what is beside it.

The events stay as empty envelopes, so that no log has a gap; the files that a job wrote stay, too.
"""

from __future__ import annotations

import json
import sqlite3

from pydantic import ValidationError

from desktop.store import facts, forgotten, outbox, rebuilt
from shared.errors import Conflict, NotFound
from shared.events import Event, PurgeAsked, TaskPurged, body_of
from shared.ids import TaskId
from shared.jobs import JobState

PURGES = ("purge_asked", "task_purged")
"""The types of events that tell of it; they hold ids alone, and stay."""


def check(connection: sqlite3.Connection, task_id: TaskId) -> None:
    """Say whether a task may be purged.

    Raises:
        NotFound: `task_unknown`.
        Conflict: `purge_too_early`, `purge_untold`.
    """
    rows = connection.execute(
        "select title, state from copy_job where task_id = ?", (task_id,)
    ).fetchall()
    if not rows:
        raise NotFound("task_unknown", "This computer knows no such task.", "deskhand jobs")
    for title, state in rows:
        if not JobState(state).is_terminal:
            raise Conflict(
                "purge_too_early",
                f"'{title}' is not over: it is {state}.",
                "Cancel it first, then purge it.",
            )
    if _is_untold(connection, task_id):
        # Emptied before the hub has heard how it ended, it would be run again there.
        raise Conflict(
            "purge_untold",
            "The hub has not heard yet how it ended.",
            "Purge it when this computer is connected again.",
        )


def _is_untold(connection: sqlite3.Connection, task_id: TaskId) -> bool:
    """Say whether events of this machine about a task still have to reach the hub."""
    row = connection.execute(
        "select 1 from event join copy_job using (job_id) where task_id = ?"
        " and device = ? and epoch = ? and seq > ? limit 1",
        (
            task_id,
            facts.get(connection, "worker_id"),
            facts.epoch(connection),
            outbox.acked_seq(connection),
        ),
    ).fetchone()
    return row is not None


def obey(connection: sqlite3.Connection, event: Event) -> bool:
    """Empty what an event says is to be forgotten; nothing happens for any other. Idempotent.

    Returns:
        Whether words were deleted.
    """
    if event.type not in PURGES:
        return False
    try:
        body = body_of(event)
    except ValidationError:
        return False
    match body:
        case PurgeAsked():
            return _empty(connection, body.task_id, ())
        case TaskPurged():
            return _empty(connection, body.task_id, body.job_ids)
        case _:
            return False


def _empty(connection: sqlite3.Connection, task_id: str, told: tuple[str, ...]) -> bool:
    # What is overwritten or freed from here on leaves nothing in the file (sqlite.org/pragma).
    connection.execute("pragma secure_delete = on")
    known = connection.execute("select job_id from copy_job where task_id = ?", (task_id,))
    ids = sorted({*told, *(job_id for (job_id,) in known)})
    jobs = json.dumps(ids)
    of_jobs = "job_id in (select value from json_each(?))"
    types = ", ".join("?" * len(PURGES))
    emptied = connection.execute(
        "update event set body = '{}', job_id = '' where body != '{}'"
        f" and type not in ({types})"
        " and (entity = ? or entity in (select value from json_each(?))"
        " or job_id in (select value from json_each(?)))",
        (*PURGES, task_id, jobs, jobs),
    )
    for table in ("asked_here", "written"):
        connection.execute(f"delete from {table} where {of_jobs}", (jobs,))
    connection.execute("delete from copy_read where task_id = ?", (task_id,))
    if emptied.rowcount:
        forgotten.note(connection, ids)
        # Lines of logs and numbers are without gaps again after that.
        rebuilt.rebuild(connection)
        for words in ("copy_line_words", "copy_job_words"):
            connection.execute(f"insert into {words}({words}) values ('optimize')")
    return emptied.rowcount > 0
