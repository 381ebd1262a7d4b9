"""Tasks, and the notes that make a repeated request harmless."""

from __future__ import annotations

import sqlite3

from hub.core.task import Task
from hub.store.ledger import Entry
from shared.ids import ConversationId, JobId, PersonId, TaskId
from shared.times import from_ms, to_ms


def insert(entry: Entry, task: Task) -> None:
    entry.owed.tasks.append(
        (task.task_id, task.person_id, task.text, task.conversation, to_ms(task.created_at))
    )


def delete(entry: Entry, task_id: TaskId) -> None:
    entry.connection.execute("DELETE FROM tasks WHERE task_id = ?", (task_id,))


def load(connection: sqlite3.Connection, task_id: TaskId) -> Task | None:
    row = connection.execute("SELECT * FROM tasks WHERE task_id = ?", (task_id,)).fetchone()
    return _to_task(row) if row else None


def page(
    connection: sqlite3.Connection, person_id: PersonId | None, limit: int, before: TaskId | None
) -> list[Task]:
    """The newest first."""
    rows = connection.execute(
        "SELECT * FROM tasks WHERE (? IS NULL OR person_id = ?) AND (? IS NULL OR task_id < ?)"
        " ORDER BY task_id DESC LIMIT ?",
        (person_id, person_id, before, before, limit),
    )
    return [_to_task(row) for row in rows]


def remembered(entry: Entry, person_id: PersonId, dedupe: str) -> tuple[JobId, str] | None:
    """The job that a request made when it first came, and the digest of what it asked."""
    owed = entry.made_for(person_id, dedupe)
    if owed is not None:
        return owed
    row = entry.beside.execute(
        "SELECT job_id, digest FROM requests WHERE person_id = ? AND dedupe = ?",
        (person_id, dedupe),
    ).fetchone()
    return (JobId(row[0]), row[1]) if row else None


def remember(entry: Entry, person_id: PersonId, dedupe: str, job_id: JobId, digest: str) -> None:
    entry.owed.requests[person_id, dedupe] = (job_id, digest)


def _to_task(row: tuple[str, str, str, str, int]) -> Task:
    task_id, person_id, text, conversation, created_ms = row
    return Task(
        task_id=TaskId(task_id),
        person_id=PersonId(person_id),
        text=text,
        conversation=ConversationId(conversation),
        created_at=from_ms(created_ms),
    )
