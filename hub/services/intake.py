"""Takes what people want: new tasks, answers, cancels, second chances.

Each is one transaction: the state, its events and the note that makes a repetition harmless.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import structlog

from hub.core import job as core
from hub.core.board import Board
from hub.core.job import HELD_STATES, Job, JobCard
from hub.core.placement import Waiting, why
from hub.core.question import Question, settle
from hub.core.task import Task
from hub.services import endings
from hub.services.locked import check_unlocked
from hub.services.requests import (
    Request,
    checked_inputs,
    digest_of,
    job_unknown,
    repeated,
    title_of,
    with_writer,
    worker_for,
    worker_named,
)
from hub.store import jobs, questions, queue, said, tasks
from hub.store.ledger import Entry, Ledger
from shared.errors import LimitReached, NotFound
from shared.events import JobCancelRequested, JobQueued, QuestionAnswered, TaskCreated
from shared.ids import (
    JobId,
    PersonId,
    QuestionId,
    TaskId,
)
from shared.jobs import TITLE_CHARS_MAX, JobState
from shared.kinds import Kind
from shared.kinds.catalogue import kind_named
from shared.questions import Answer

log = structlog.get_logger()

QUEUED_MAX = 100_000
"""Jobs of one person that may wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The request is durable."""

    card: JobCard
    is_repeat: bool
    """It was here before under the same `dedupe`; nothing new was made."""
    waiting: Waiting | None
    """Why it has to wait; None when a worker that takes it is here, if only for its slot."""


class Intake:
    def __init__(self, ledger: Ledger, board: Board, kinds: Mapping[str, Kind]) -> None:
        self._ledger = ledger
        self._board = board
        self._kinds = kinds

    async def request(self, request: Request) -> Receipt:
        """Make a task with one job and queue it.

        Raises:
            BadInput: `kind_unknown`, `inputs_invalid`, `text_too_long`, `dedupe_too_long`.
            NotFound: `worker_unknown`.
            Conflict: `dedupe_reused`, the same key came with another request.
            LimitReached: `too_many_jobs`.
            Unavailable: `disk_full`, `store_failed`; nothing was taken.
        """
        kind = kind_named(request.kind, self._kinds)
        inputs = checked_inputs(kind, request)
        card, is_repeat = await self._ledger.write(
            lambda entry: self._take(entry, replace(request, inputs=inputs))
        )
        return Receipt(card=card, is_repeat=is_repeat, waiting=await self._why_waiting(card.job))

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
            lambda entry: self._answer(entry, person_id, question_id, reply, by)
        )

    async def cancel(self, person_id: PersonId, job_id: JobId, by: str) -> JobCard:
        """Cancel a job. One that a worker holds is `cancelled` only once that worker has stopped.

        Cancelling twice is no error.

        Raises:
            NotFound: `job_unknown`.
            Conflict: `too_late`.
        """
        return await self._ledger.write(lambda entry: _cancel(entry, person_id, job_id, by))

    async def retry(self, person_id: PersonId, job_id: JobId, by: str) -> JobCard:
        """Queue a job again that failed, died (a dead letter), or was interrupted.

        Raises:
            NotFound: `job_unknown`.
            Conflict: `job_not_ended`, `job_succeeded`, `job_cancelled`.
        """
        card = await self._ledger.write(lambda entry: _retry(entry, person_id, job_id))
        log.info("job_requeued", job_id=job_id, by=by)
        return card

    async def move(self, person_id: PersonId, job_id: JobId, worker_name: str, by: str) -> JobCard:
        """Let another worker run a job that still waits.

        Raises:
            NotFound: `job_unknown`, `worker_unknown`.
            Conflict: `job_not_waiting`.
        """
        card = await self._ledger.write(lambda entry: _move(entry, person_id, job_id, worker_name))
        log.info("job_moved", job_id=job_id, by=by)
        return card

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
                _cancel(entry, person_id, job.job_id, by)
            return len(active)

        return await self._ledger.write(run)

    async def requeue_dead(self, person_id: PersonId) -> tuple[JobCard, ...]:
        """Queue every dead letter of a person again."""

        def run(entry: Entry) -> tuple[JobCard, ...]:
            dead = queue.in_state(entry.connection, person_id, JobState.DEAD)
            return tuple(_retry(entry, person_id, job.job_id) for job in dead)

        return await self._ledger.write(run)

    async def _why_waiting(self, job: Job) -> Waiting | None:
        ready = self._board.ready_of(job.job_id)
        if ready is None or self._board.has_worker_for(ready):
            return None
        registered, lacking = await self._ledger.read(lambda c: said.candidates(c, job.person_id))
        environment = self._ledger.environment
        now, wall = environment.monotonic(), environment.now()
        return why(ready, job, self._board, registered, now=now, wall=wall, lacking=lacking)

    def _take(self, entry: Entry, request: Request) -> tuple[JobCard, bool]:
        connection = entry.connection
        digest = digest_of(request) if request.dedupe else ""
        if request.dedupe:
            known = tasks.remembered(connection, request.person_id, request.dedupe)
            if known is not None:
                return repeated(entry, known, digest), True

        check_unlocked(entry, request.person_id)
        if self._board.ready_count(request.person_id) >= QUEUED_MAX:
            raise LimitReached(
                "too_many_jobs",
                f"{QUEUED_MAX:,} jobs are waiting already.",
                "Cancel some, or wait until they have run.",
            )
        card = self._make(entry, with_writer(entry, request))
        if request.dedupe:
            tasks.remember(entry, request.person_id, request.dedupe, card.job_id, digest)
        return card, False

    def _make(self, entry: Entry, request: Request) -> JobCard:
        new_id = self._ledger.environment.new_id
        kind = self._kinds[request.kind]
        title = request.title[:TITLE_CHARS_MAX] or title_of(kind, request.inputs)
        task = Task(
            task_id=TaskId(new_id()),
            person_id=request.person_id,
            text=request.text or title,
            conversation=request.conversation,
            created_at=entry.now,
        )
        job = Job(
            job_id=JobId(new_id()),
            task_id=task.task_id,
            person_id=request.person_id,
            kind=kind.name,
            priority=request.priority,
            pinned_to=worker_for(entry, request),
            created_at=entry.now,
        )
        tasks.insert(entry, task)
        new = queue.NewJob(
            job=job,
            title=title,
            inputs=request.inputs,
            origin=request.origin,
            traceparent=request.traceparent,
        )
        queue.insert(entry, new)
        body = TaskCreated(task_id=task.task_id, person_id=task.person_id, text=task.text)
        entry.tell(request.person_id, body, entity=task.task_id)
        entry.tell(
            request.person_id,
            JobQueued(
                job_id=job.job_id,
                task_id=job.task_id,
                kind=job.kind,
                title=title,
                attempt=job.life.attempt,
            ),
        )
        return JobCard(
            job=job,
            title=title,
            text=task.text,
            conversation=task.conversation,
            origin=request.origin,
            inputs=request.inputs,
            result=None,
            error=None,
            updated_at=entry.now,
        )

    def _answer(
        self, entry: Entry, person_id: PersonId, question_id: QuestionId, reply: str, by: str
    ) -> Question:
        check_unlocked(entry, person_id)
        question = questions.load(entry.connection, question_id)
        if question is None or question.person_id != person_id:
            raise NotFound(
                "question_unknown", "There is no such question.", "/questions lists the open ones."
            )
        settled = settle(question, reply, by)
        assert settled.answer is not None
        questions.save(entry, settled)
        job = _owned(entry, person_id, question.job_id)
        self._name_anew(entry, job)
        entry.tell(
            person_id,
            QuestionAnswered(
                question_id=question_id, job_id=question.job_id, answer=settled.answer
            ),
        )
        if question.is_hubs:
            _decide_interrupted(entry, job, settled.answer)
        elif job.life.state is JobState.ASKING and not job.life.is_held:
            # Parked: its child is gone, and the job starts again with what it knows now.
            endings.queue_again(entry, job, core.answered(job.life), "answered")
        return settled

    def _name_anew(self, entry: Entry, job: Job) -> None:
        """A job is named by what is known of it; a title that somebody chose stays."""
        kind = self._kinds.get(job.kind)
        card = jobs.card(entry.connection, job.job_id)
        if kind is None or card is None:
            return
        told = questions.answers_of(entry.connection, job.job_id)
        if told and card.title == title_of(kind, card.inputs, told[:-1]):
            queue.set_title(entry, job.job_id, title_of(kind, card.inputs, told))


def _owned(entry: Entry, person_id: PersonId, job_id: JobId) -> Job:
    job = queue.load_in(entry, job_id)
    if job is None or job.person_id != person_id:
        raise job_unknown()
    return job


def _card(entry: Entry, job_id: JobId) -> JobCard:
    card = jobs.card(entry.connection, job_id)
    assert card is not None
    return card


def _cancel(entry: Entry, person_id: PersonId, job_id: JobId, by: str) -> JobCard:
    job = _owned(entry, person_id, job_id)
    if job.life.state is not JobState.CANCELLED and not job.life.cancel_by:
        life = core.request_cancel(job.life, by[:100])
        body = JobCancelRequested(job_id=job_id, by=by[:100])
        entry.tell(person_id, body)
        if life.state is JobState.CANCELLED:
            questions.close_of_job(entry, job_id)
            endings.cancel_unheld(entry, job, life)
        else:
            queue.save(entry, job, life)
    return _card(entry, job_id)


def _move(entry: Entry, person_id: PersonId, job_id: JobId, worker_name: str) -> JobCard:
    check_unlocked(entry, person_id)
    job = _owned(entry, person_id, job_id)
    worker_id = worker_named(entry, person_id, worker_name)
    life = core.move(job.life)
    endings.queue_again(entry, replace(job, pinned_to=worker_id), life, "moved")
    return _card(entry, job_id)


def _retry(entry: Entry, person_id: PersonId, job_id: JobId) -> JobCard:
    check_unlocked(entry, person_id)
    job = _owned(entry, person_id, job_id)
    life = core.reopen(job.life)
    questions.close_of_job(entry, job_id)
    endings.queue_again(entry, job, life, "requeued")
    return _card(entry, job_id)


def _decide_interrupted(entry: Entry, job: Job, answer: Answer) -> None:
    if job.life.state is not JobState.INTERRUPTED:
        return
    match answer.value:
        case "retry":
            endings.queue_again(entry, job, core.reopen(job.life), "requeued")
        case "done":
            endings.mark_done(entry, job, answer.by)
        case _:
            endings.cancel_unheld(entry, job, core.cancelled(job.life))
