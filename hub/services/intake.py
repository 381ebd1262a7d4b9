"""Takes what people want: new tasks, answers, cancels, second chances.

Each is one transaction: the state, its events and the note that makes a repetition harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import structlog

from hub.core import seats
from hub.core.board import Board
from hub.core.job import HELD_STATES, Job, JobCard
from hub.core.placement import Waiting, why
from hub.core.question import Question
from hub.core.seats import Seat
from hub.core.session import Session
from hub.core.task import TaskCard
from hub.services import deeds, task_steps
from hub.services.deeds import Deeds, Made
from hub.services.requests import Request, checked_inputs
from hub.services.task_steps import TaskChange
from hub.store import queue, said
from hub.store.ledger import Entry, Ledger
from shared import trace
from shared.ids import JobId, PersonId, QuestionId, TaskId
from shared.jobs import JobState
from shared.kinds import Kind, needs_named
from shared.kinds.foreign import kind_for

log = structlog.get_logger()

PURGED_AT_ONCE = 100
"""Dead letters that one transaction forgets: others must not wait for long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The request is durable."""

    card: JobCard
    is_repeat: bool
    """It was here before under the same `dedupe`; nothing new was made."""
    waiting: Waiting | None
    """Why it has to wait; None when a worker that takes it is here, if only for its slot."""
    ended: Session | None = None
    """The session of its task that it would have gone on in, had that not been over."""


class Intake:
    def __init__(
        self,
        ledger: Ledger,
        board: Board,
        kinds: Mapping[str, Kind],
        stir: Callable[[], None],
    ) -> None:
        """`stir`: have somebody look at the board again."""
        self._ledger = ledger
        self._stir = stir
        self._board = board
        self.kinds = kinds
        self._deeds = Deeds(ledger.environment, board, kinds)

    async def request(self, request: Request) -> Receipt:
        """Queue a job, of a new task or of the one that it goes on with.

        Raises:
            BadInput: `kind_unknown`, `inputs_invalid`, `text_too_long`, `dedupe_too_long`,
                `session_foreign`, `session_elsewhere`.
            NotFound: `worker_unknown`, `task_unknown`, `session_unknown`.
            Conflict: `dedupe_reused`, the same key came with another request; `session_ended`,
                for a session that was named.
            LimitReached: `too_many_jobs`.
            Unavailable: `disk_full`, `store_failed`; nothing was taken.
        """
        kind = kind_for(request.kind, self.kinds)
        asked = replace(
            request,
            inputs=checked_inputs(kind, request),
            traceparent=request.traceparent or trace.current(),
        )
        seat = self._seat_for(asked, kind)
        try:
            made = await self._ledger.write(lambda entry: self._deeds.request(entry, asked, seat))
        finally:
            if seat is not None and seats.leave(self._board, seat):
                self._stir()
        return Receipt(
            card=made.card,
            is_repeat=made.is_repeat,
            waiting=await self._why_waiting(made.card.job),
            ended=made.ended,
        )

    def _seat_for(self, asked: Request, kind: Kind) -> Seat | None:
        """Keep a place for a job of a new task, where a worker takes it unasked."""
        if asked.worker_id or asked.worker_name or asked.task_id or asked.session_id:
            return None  # it has a place, which only the store knows
        return seats.take(
            self._board,
            asked.person_id,
            kind.name,
            needs_named(kind, asked.inputs),
            asked.origin,
            mint=self._deeds.new_session_id,
        )

    async def answer(
        self, person_id: PersonId, question_id: QuestionId, reply: str, by: str
    ) -> Question:
        """Answer a question: a choice's value, label or number, or free text where welcome.

        Args:
            person_id: whose question it must be.
            question_id: which.
            reply: as typed or tapped.
            by: who, in words: "anna on Telegram".

        Raises:
            NotFound: `question_unknown`.
            Conflict: `question_answered` (naming who was first), `question_closed`.
            BadInput: `answer_unfit`.
        """
        return await self._ledger.write(
            lambda entry: self._deeds.answer(entry, person_id, question_id, reply, by)
        )

    async def say(
        self, person_id: PersonId, task_id: TaskId, text: str, *, by: str, where: str
    ) -> None:
        """Keep a person's words on a task; nothing is done about them.

        Args:
            person_id: whose task it must be.
            task_id: which.
            text: plain.
            by: who says it, in words: "anna on the web".
            where: the frontend.

        Raises:
            NotFound: `task_unknown`.
            LimitReached: `too_many_messages`.
        """
        await self._ledger.write(
            lambda entry: deeds.say(entry, person_id, task_id, text, by=by, where=where)
        )

    async def cancel(self, person_id: PersonId, job_id: JobId, by: str) -> JobCard:
        """Cancel a job. One that a worker holds is `cancelled` only once that worker has stopped.

        Cancelling twice is no error.

        Raises:
            NotFound: `job_unknown`.
            Conflict: `too_late`.
        """
        return await self._ledger.write(
            lambda entry: deeds.cancel(entry, person_id, job_id, by), is_vital=True
        )

    async def retry(self, person_id: PersonId, job_id: JobId, by: str) -> JobCard:
        """Queue a job again that failed, died (a dead letter), or was interrupted.

        Raises:
            NotFound: `job_unknown`.
            Conflict: `job_not_ended`, `job_succeeded`, `job_cancelled`.
        """
        card = await self._ledger.write(lambda entry: deeds.retry(entry, person_id, job_id))
        log.info("job_requeued", job_id=job_id, by=by)
        return card

    async def retry_there(self, person_id: PersonId, job_id: JobId, by: str) -> Made:
        """Queue a job again as `retry` does, in its session; anywhere when that is over.

        Raises:
            NotFound: `job_unknown`.
            Conflict: `job_not_ended`, `job_succeeded`, `job_cancelled`.
        """
        made = await self._ledger.write(lambda entry: deeds.retry_there(entry, person_id, job_id))
        log.info("job_requeued", job_id=job_id, by=by)
        return made

    async def move(self, person_id: PersonId, job_id: JobId, worker_name: str, by: str) -> JobCard:
        """Let another worker run a job that still waits.

        Raises:
            NotFound: `job_unknown`, `worker_unknown`.
            Conflict: `job_not_waiting`.
        """
        card = await self._ledger.write(
            lambda entry: deeds.move(entry, person_id, job_id, worker_name)
        )
        log.info("job_moved", job_id=job_id, by=by)
        return card

    async def change_task(
        self,
        person_id: PersonId,
        task_id: TaskId,
        wanted: TaskChange,
        *,
        expected: frozenset[str] | None,
        by: str,
    ) -> TaskCard:
        """Change a task's title, or the priority of what still waits of it.

        Args:
            person_id: whose task it must be.
            task_id: which.
            wanted: what is to be different.
            expected: the versions of the task that this was decided on; None for any.
            by: who, in words.

        Raises:
            NotFound: `task_unknown`.
            Conflict: `task_changed`.
        """
        return await self._ledger.write(
            lambda entry: task_steps.change(
                entry, person_id, task_id, wanted, expected=expected, by=by
            )
        )

    async def purge(self, person_id: PersonId, task_id: TaskId, by: str) -> None:
        """Forget a task that has ended, its jobs and all they told, here and on every computer.

        Raises:
            NotFound: `task_unknown`.
            Conflict: `task_not_ended`.
        """
        await self._ledger.write(lambda entry: deeds.purge(entry, person_id, task_id, by))

    async def cancel_all(self, person_id: PersonId, by: str) -> int:
        """Cancel everything of a person that waits or runs; return how many jobs that were."""

        def run(entry: Entry) -> int:
            active = [
                job
                for state in (JobState.QUEUED, *HELD_STATES)
                for job in queue.in_state(entry.connection, person_id, state)
                if not job.life.cancel_by
            ]
            for job in active:
                deeds.cancel(entry, person_id, job.job_id, by)
            return len(active)

        return await self._ledger.write(run, is_vital=True)

    async def requeue_dead(self, person_id: PersonId) -> tuple[JobCard, ...]:
        """Queue every dead letter of a person again."""

        def run(entry: Entry) -> tuple[JobCard, ...]:
            dead = queue.in_state(entry.connection, person_id, JobState.DEAD)
            return tuple(deeds.retry(entry, person_id, job.job_id) for job in dead)

        return await self._ledger.write(run)

    async def unrequeue(self, person_id: PersonId, job_id: JobId, by: str) -> JobCard:
        """Take back that a dead letter was queued again, while it still waits for its first try.

        It is a dead letter with its reasons then.

        Raises:
            NotFound: `job_unknown`.
            Conflict: `job_moved_on`.
        """
        card = await self._ledger.write(lambda entry: deeds.unrequeue(entry, person_id, job_id))
        log.info("job_unrequeued", job_id=job_id, by=by)
        return card

    async def purge_dead(self, person_id: PersonId, job_id: JobId, by: str) -> None:
        """Forget the task of a dead letter and all it told, here and on every computer.

        Raises:
            NotFound: `job_unknown`.
            Conflict: `job_not_dead`, `task_not_ended`.
        """
        await self._ledger.write(lambda entry: deeds.purge_dead(entry, person_id, job_id, by))

    async def purge_all_dead(self, person_id: PersonId, by: str) -> int:
        """Forget every dead letter of a person; return how many were forgotten."""
        dead = await self._ledger.read(lambda c: queue.in_state(c, person_id, JobState.DEAD))
        count = 0
        for start in range(0, len(dead), PURGED_AT_ONCE):
            stretch = dead[start : start + PURGED_AT_ONCE]
            count += await self._ledger.write(partial(_purge, stretch, person_id, by))
        return count

    async def _why_waiting(self, job: Job) -> Waiting | None:
        ready = self._board.ready_of(job.job_id)
        if ready is None or self._board.has_worker_for(ready):
            return None
        registered, lacking = await self._ledger.read(lambda c: said.candidates(c, job.person_id))
        environment = self._ledger.environment
        now, wall = environment.monotonic(), environment.now()
        return why(ready, job, self._board, registered, now=now, wall=wall, lacking=lacking)


def _purge(dead: Sequence[Job], person_id: PersonId, by: str, entry: Entry) -> int:
    return sum(deeds.purge_if_dead(entry, person_id, job.job_id, by) for job in dead)
