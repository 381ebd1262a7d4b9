"""A task: what a person asked for, in plain words or as a command."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from hub.core.job import JobCard
from shared.errors import Conflict, NotFound
from shared.ids import ConversationId, PersonId, TaskId

TEXT_CHARS_MAX = 16_000
VERSION_DIGITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    task_id: TaskId
    person_id: PersonId
    text: str
    conversation: ConversationId
    """Where it was asked, and where its news goes; empty when nowhere."""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCard:
    """A task and all of its jobs."""

    task: Task
    jobs: tuple[JobCard, ...]
    """The oldest first; never none."""

    @property
    def newest(self) -> JobCard:
        """The job that stands for the task in lists."""
        return self.jobs[-1]

    @property
    def version(self) -> str:
        """Another one whenever anything of it was changed: told as an ETag."""
        told = hashlib.sha256(self.task.task_id.encode())
        for card in self.jobs:
            life = card.job.life
            facts = (card.job_id, card.title, life.state, life.attempt, card.job.priority)
            told.update(repr((*map(str, facts), str(card.updated_at))).encode())
        return told.hexdigest()[:VERSION_DIGITS]


def check_version(version: str, expected: frozenset[str] | None) -> None:
    """Let a change pass that was decided on what stands there now.

    Args:
        version: of the task as it is.
        expected: those that the change is for; None for any.

    Raises:
        Conflict: `task_changed`.
    """
    if expected is not None and version not in expected:
        raise Conflict(
            "task_changed",
            "The task has changed since it was read.",
            "Read it again and decide anew.",
        )


def task_unknown() -> NotFound:
    return NotFound("task_unknown", "There is no such task.", "GET /tasks lists them.")
