"""Answers questions about the state of things; changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.core.fact import Fact
from hub.core.job import JobCard
from hub.core.placement import Waiting
from hub.core.question import Question
from hub.core.task import Task
from hub.core.worker import WorkerCard
from shared.ids import ConversationId, JobId, PersonId, QuestionId, TaskId, WorkerId
from shared.jobs import JobState, Priority

PAGE_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    waiting: Mapping[Priority, int]
    """Jobs that nobody works on yet, retry waits included."""
    running: int
    """Granted or running."""
    asking: int
    interrupted: int
    dead: int
    oldest_waiting_seconds: float
    """0 when none waits."""
    workers_online: int
    slots: int
    """Of all workers online."""


class Views:
    """Reads. `person_id` None means the hub's own operator: everybody's things."""

    async def jobs(
        self,
        person_id: PersonId | None,
        *,
        states: frozenset[JobState] = frozenset(),
        conversation: ConversationId | None = None,
        limit: int = 50,
        before: JobId | None = None,
    ) -> tuple[JobCard, ...]:
        """A page of jobs, the newest first.

        Args:
            person_id: whose.
            states: only these; all when empty.
            conversation: only those asked for there.
            limit: 1 to PAGE_MAX.
            before: the last job of the page before; None for the first page.
        """
        raise NotImplementedError

    async def job(self, person_id: PersonId | None, job_id: JobId) -> JobCard:
        """One job.

        Raises:
            NotFound: `job_unknown`; also for another person's.
        """
        raise NotImplementedError

    async def find_job(self, person_id: PersonId | None, name: str) -> JobCard:
        """One job by its id or by what people see ("K7Q2", "#k7q2"); the newest of that name.

        Raises:
            NotFound: `job_unknown`.
        """
        raise NotImplementedError

    async def history(self, person_id: PersonId | None, job_id: JobId) -> tuple[Fact, ...]:
        """Everything that happened to a job, in hub order.

        Raises:
            NotFound: `job_unknown`.
        """
        raise NotImplementedError

    async def task(self, task_id: TaskId) -> Task | None:
        raise NotImplementedError

    async def tasks(
        self, person_id: PersonId | None, *, limit: int = 50, before: TaskId | None = None
    ) -> tuple[Task, ...]:
        """A page of tasks, the newest first."""
        raise NotImplementedError

    async def jobs_of_task(self, task_id: TaskId) -> tuple[JobCard, ...]:
        raise NotImplementedError

    async def open_questions(
        self, person_id: PersonId | None, *, conversation: ConversationId | None = None
    ) -> tuple[Question, ...]:
        """Questions that can be answered, the oldest first; parked ones included."""
        raise NotImplementedError

    async def question(self, question_id: QuestionId) -> Question | None:
        """A question in any state."""
        raise NotImplementedError

    async def dead_letters(self, person_id: PersonId | None) -> tuple[JobCard, ...]:
        """Jobs out of tries, the newest first; their reasons are in `error` and `history`."""
        raise NotImplementedError

    async def workers(self, person_id: PersonId | None) -> tuple[WorkerCard, ...]:
        """Paired machines that are not revoked, by name."""
        raise NotImplementedError

    async def worker(self, worker_id: WorkerId) -> WorkerCard | None:
        """One paired machine, revoked ones included."""
        raise NotImplementedError

    async def queue_status(self, person_id: PersonId | None) -> QueueStatus:
        raise NotImplementedError

    async def why_waiting(self, job_id: JobId) -> Waiting | None:
        """Why a job does not run; None when it does, or has ended."""
        raise NotImplementedError

    async def jobs_ahead(self, job_id: JobId) -> int:
        """How many queued jobs of its person would start before it."""
        raise NotImplementedError
