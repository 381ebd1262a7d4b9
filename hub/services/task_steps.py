"""What a person may change about a task of theirs, as steps of a transaction."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from hub.core import job as core
from hub.core.task import TaskCard, check_version, task_unknown
from hub.services.locked import check_unlocked
from hub.store import jobs, queue, tasks
from hub.store.jobs import Filter
from hub.store.ledger import Entry
from shared.events import TaskChanged
from shared.ids import PersonId, TaskId
from shared.jobs import JobState, Priority

JOBS_MAX = 1000
"""Of one task, that are read together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChange:
    """What is to be different; None stays."""

    title: str | None = None
    """Of the newest job, which stands for the task."""
    priority: Priority | None = None
    """Of those jobs that still wait."""


def card_of(
    connection: sqlite3.Connection, person_id: PersonId | None, task_id: TaskId
) -> TaskCard:
    """Read a task with its jobs.

    Raises:
        NotFound: `task_unknown`; also for another person's.
    """
    task = tasks.load(connection, task_id)
    if task is None or person_id not in (None, task.person_id):
        raise task_unknown()
    newest_first = jobs.page(connection, Filter(task_id=task_id), JOBS_MAX)
    if not newest_first:
        raise task_unknown()
    return TaskCard(task=task, jobs=tuple(reversed(newest_first)))


def change(
    entry: Entry,
    person_id: PersonId,
    task_id: TaskId,
    wanted: TaskChange,
    *,
    expected: frozenset[str] | None,
    by: str,
) -> TaskCard:
    """Change a task, if it is as `expected`; nothing is told when nothing is different.

    Raises:
        NotFound: `task_unknown`.
        Conflict: `task_changed`.
        NotAllowed: `account_locked`.
    """
    check_unlocked(entry, person_id)
    card = card_of(entry.connection, person_id, task_id)
    check_version(card.version, expected)
    title = wanted.title if wanted.title not in (None, card.newest.title) else None
    waiting = [
        job.job
        for job in card.jobs
        if job.state is JobState.QUEUED and wanted.priority not in (None, job.job.priority)
    ]
    if title is not None:
        queue.set_title(entry, card.newest.job_id, title)
    if wanted.priority is not None:
        for job in waiting:
            queue.reorder(entry, job, core.reorder(job.life), wanted.priority)
    if title is not None or waiting:
        body = TaskChanged(
            task_id=task_id,
            title=title or "",
            priority=wanted.priority if waiting else None,
            by=by[:100],
        )
        entry.tell(person_id, body, entity=task_id)
        # A worker is offered what the job is called now.
        entry.specs.extend(queue.specs(entry.connection, [card.newest.job_id]).values())
    return card_of(entry.connection, person_id, task_id)
