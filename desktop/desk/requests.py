"""What the person asks for at this machine: each wish becomes an event of its log."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from desktop.store import purging, schedules
from desktop.store.schedules import ScheduleRow
from desktop.system.hardware import zone_name
from shared.environment import Environment
from shared.events import (
    AnswerGiven,
    CancelAsked,
    PurgeAsked,
    RequestEventBody,
    RetryAsked,
    ScheduleAsked,
    TaskRequested,
)
from shared.ids import JobId, QuestionId, ScheduleId, TaskId, WorkerId
from shared.kinds import JsonObject
from shared.schedules import ScheduleAction

T = TypeVar("T")
Say = Callable[[RequestEventBody], Awaitable[None]]
"""Writes down what is asked for, and does at once what can be done here.

Raises:
    NotFound: `not_paired`.
"""


class Look(Protocol):
    """Reads from the store."""

    async def __call__(self, read: Callable[[sqlite3.Connection], T]) -> T: ...


class Requests:
    """One for each desk."""

    def __init__(self, environment: Environment, look: Look, say: Say) -> None:
        self._environment = environment
        self._look = look
        self._say = say

    async def make(
        self,
        kind: str,
        inputs: JsonObject,
        *,
        text: str = "",
        title: str = "",
        worker_id: WorkerId | None = None,
    ) -> JobId:
        """Ask for something: makes a task with one job, known at once, told to the hub when it can.

        Args:
            kind: "ml.train", …
            inputs: what is known; what is missing will be asked.
            text: what the person said.
            title: a few words for lists; empty for the kind's own.
            worker_id: where it must run; None for any machine of this person. The owner's own
                rights ("local" in the policy) count only on this machine, when it is named.

        Raises:
            NotFound: `not_paired`.
        """
        job_id = JobId(self._environment.new_id())
        body = TaskRequested(
            task_id=TaskId(self._environment.new_id()),
            job_id=job_id,
            kind=kind,
            inputs=inputs,
            text=text,
            title=title,
            worker_id=worker_id,
        )
        await self._say(body)
        return job_id

    async def answer(self, question_id: QuestionId, job_id: JobId, value: str) -> None:
        """Answer a question; the first answer by the hub's order counts."""
        await self._say(AnswerGiven(question_id=question_id, job_id=job_id, value=value))

    async def cancel(self, job_id: JobId) -> None:
        await self._say(CancelAsked(job_id=job_id))

    async def retry(self, job_id: JobId) -> None:
        """Queue a job again that failed, died or was interrupted."""
        await self._say(RetryAsked(job_id=job_id))

    async def purge(self, task_id: TaskId) -> None:
        """Forget all that a task and its jobs told, here at once and then on all machines.

        Files and models that its jobs wrote stay where they are.

        Raises:
            NotFound: `task_unknown`, `not_paired`.
            Conflict: `purge_too_early`.
        """
        await self._look(lambda c: purging.check(c, task_id))
        await self._say(PurgeAsked(task_id=task_id))

    async def schedules(self) -> tuple[ScheduleRow, ...]:
        """What is done again and again, as far as this computer has heard."""
        return await self._look(schedules.rows)

    async def make_schedule(self, words: str, when: str) -> ScheduleId:
        """Have something done again and again; the hub says so, or why not, once it hears of it.

        Raises:
            NotFound: `not_paired`.
        """
        schedule_id = ScheduleId(self._environment.new_id())
        body = ScheduleAsked(
            schedule_id=schedule_id, action="create", words=words, when=when, zone=zone_name()
        )
        await self._say(body)
        return schedule_id

    async def change_schedule(self, schedule_id: ScheduleId, action: ScheduleAction) -> None:
        """Hold a schedule, let it go on, have it run now, or remove it.

        Raises:
            NotFound: `not_paired`.
        """
        await self._say(ScheduleAsked(schedule_id=schedule_id, action=action))
