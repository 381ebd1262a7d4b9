"""What a person may do with their tasks, in steps of a transaction.

Their word comes through a frontend (`intake`), or as an event of one of their own computers
(`recorder`); what it does is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from hub.core import job as core
from hub.core.board import Board
from hub.core.dead_letter import job_not_dead
from hub.core.job import Job, JobCard
from hub.core.question import Question, settle
from hub.core.seats import Seat
from hub.core.session import Session
from hub.core.task import Task
from hub.services import endings, session_steps
from hub.services.locked import check_unlocked
from hub.services.requests import (
    Request,
    check_offered,
    digest_of,
    job_unknown,
    repeated,
    with_change,
    with_writer,
    worker_for,
    worker_named,
)
from hub.store import events, jobs, purging, questions, queue, tasks
from hub.store.ledger import Entry
from shared import trace
from shared.environment import Environment
from shared.errors import Conflict, LimitReached, NotFound
from shared.events import (
    JobCancelRequested,
    JobDied,
    JobQueued,
    MessageSaid,
    QuestionAnswered,
    TaskCreated,
    TaskPurged,
)
from shared.ids import JobId, PersonId, QuestionId, SessionId, TaskId, short
from shared.jobs import TITLE_CHARS_MAX, JobState
from shared.kinds import Kind, needs_named
from shared.kinds.foreign import kind_for
from shared.kinds.naming import title_of
from shared.questions import Answer

QUEUED_MAX = 100_000
"""Jobs of one person that may wait."""
MESSAGES_MAX = 500
"""Words of a person that are kept with one job."""
_SAID = MessageSaid.model_fields["type"].default


class Made(NamedTuple):
    """What became of a request."""

    card: JobCard
    is_repeat: bool = False
    """It was here before under its `dedupe`."""
    ended: Session | None = None
    """The session that it would have gone on in, had that not been over."""


class Deeds:
    def __init__(self, environment: Environment, board: Board, kinds: Mapping[str, Kind]) -> None:
        self._environment = environment
        self._board = board
        self.kinds = kinds

    def new_session_id(self) -> SessionId:
        return SessionId(self._environment.new_id())

    def request(self, entry: Entry, request: Request, seat: Seat | None = None) -> Made:
        """Queue a job, of a new task or of the one that it goes on with.

        With a seat that suits it, the job is granted to that worker at once.
        """
        digest = digest_of(request) if request.dedupe else ""
        if request.dedupe:
            known = tasks.remembered(entry, request.person_id, request.dedupe)
            if known is not None:
                return Made(repeated(entry, known, digest), is_repeat=True)

        check_unlocked(entry, request.person_id)
        check_offered(entry, request.person_id, request.kind, self.kinds)
        if self._board.ready_count(request.person_id) >= QUEUED_MAX:
            raise LimitReached(
                "too_many_jobs",
                f"{QUEUED_MAX:,} jobs are waiting already.",
                "Cancel some, or wait until they have run.",
            )
        followed = session_steps.follow(entry, with_change(entry, with_writer(entry, request)))
        card = self._make(entry, followed.request, seat)
        if request.dedupe:
            tasks.remember(entry, request.person_id, request.dedupe, card.job_id, digest)
        return Made(card, ended=followed.ended)

    def _make(self, entry: Entry, request: Request, seat: Seat | None) -> JobCard:
        new_id = self._environment.new_id
        kind = kind_for(request.kind, self.kinds)
        title = request.title[:TITLE_CHARS_MAX] or title_of(kind, request.inputs)
        known = tasks.load(entry.connection, request.task_id) if request.task_id else None
        task = known or Task(
            task_id=request.task_id or TaskId(new_id()),
            person_id=request.person_id,
            text=request.text or title,
            conversation=request.conversation,
            created_at=entry.now,
        )
        job = Job(
            job_id=request.job_id or JobId(new_id()),
            task_id=task.task_id,
            person_id=request.person_id,
            kind=kind.name,
            priority=request.priority,
            tools=needs_named(kind, request.inputs),
            pinned_to=worker_for(entry, request),
            session_id=request.session_id,
            created_at=entry.now,
        )
        is_granted = seat is not None and known is None and seat.suits(job)
        if seat is not None and is_granted:
            life = core.grant(job.life, seat.worker_id, job.life.attempt)
            job = replace(job, life=life, session_id=seat.session_id)
        if known is None:
            tasks.insert(entry, task)
        new = queue.NewJob(
            job=job,
            title=title,
            inputs=request.inputs,
            origin=request.origin,
            traceparent=request.traceparent or str(trace.of_id(job.job_id)),
        )
        (queue.insert_granted if is_granted else queue.insert)(entry, new)
        body = TaskCreated(task_id=task.task_id, person_id=task.person_id, text=task.text)
        if known is None:
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
        if seat is not None and is_granted:
            session_steps.open_first(entry, job, seat.worker_id, seat.session_id)
            endings.tell_granted(entry, job)
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

    def answer(
        self, entry: Entry, person_id: PersonId, question_id: QuestionId, reply: str, by: str
    ) -> Question:
        """Settle a question, and let its job go on."""
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
        kind = self.kinds.get(job.kind)
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


def say(
    entry: Entry, person_id: PersonId, task_id: TaskId, text: str, *, by: str, where: str
) -> None:
    """Keep words on a task, beside the newest of its jobs."""
    check_unlocked(entry, person_id)
    task = tasks.load(entry.connection, task_id)
    if task is None or task.person_id != person_id:
        raise NotFound("task_unknown", "There is no such task.", "/jobs lists yours.")
    newest = jobs.page(entry.connection, jobs.Filter(task_id=task_id), 1)[0]
    if events.count_of(entry.connection, newest.job_id, _SAID) >= MESSAGES_MAX:
        raise LimitReached(
            "too_many_messages",
            f"{MESSAGES_MAX:,} messages were kept with this job already.",
            "Ask for something new, or write it down elsewhere.",
        )
    body = MessageSaid(
        task_id=task_id, job_id=newest.job_id, text=text, by=by[:100], where=where[:64]
    )
    entry.tell(person_id, body)


def cancel(entry: Entry, person_id: PersonId, job_id: JobId, by: str) -> JobCard:
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
            endings.give_up_lent(entry, job, by)
    return _card(entry, job_id)


def move(entry: Entry, person_id: PersonId, job_id: JobId, worker_name: str) -> JobCard:
    check_unlocked(entry, person_id)
    job = _owned(entry, person_id, job_id)
    worker_id = worker_named(entry, person_id, worker_name)
    life = core.move(job.life)
    if job.session_id is not None:
        job = queue.seat(entry, job, job.life, None)
    endings.queue_again(entry, replace(job, pinned_to=worker_id), life, "moved")
    return _card(entry, job_id)


def retry(entry: Entry, person_id: PersonId, job_id: JobId) -> JobCard:
    check_unlocked(entry, person_id)
    return _retry(entry, _owned(entry, person_id, job_id))


def retry_there(entry: Entry, person_id: PersonId, job_id: JobId) -> Made:
    """Try a job again in its session; anywhere when that is over."""
    check_unlocked(entry, person_id)
    job, ended = session_steps.place_of(entry, _owned(entry, person_id, job_id))
    return Made(_retry(entry, job), ended=ended)


def _retry(entry: Entry, job: Job) -> JobCard:
    if job.part_of is not None:
        raise Conflict(
            "job_is_part",
            f"This job is a part of #{short(job.part_of)}.",
            "Try that one again: it has made what is missing.",
        )
    life = core.reopen(job.life)
    questions.close_of_job(entry, job.job_id)
    endings.queue_again(entry, job, life, "requeued")
    return _card(entry, job.job_id)


def unrequeue(entry: Entry, person_id: PersonId, job_id: JobId) -> JobCard:
    """Make a dead letter again of a job that was queued again, while it waits for its first try.

    Raises:
        NotFound: `job_unknown`.
        Conflict: `job_moved_on`, it has begun, or it was no dead letter before.
    """
    job = _owned(entry, person_id, job_id)
    life = core.bury_again(job.life)
    error = events.died_before_requeue(entry.connection, job_id)
    if error is None:
        raise Conflict(
            "job_moved_on",
            "This job was no dead letter before it was queued.",
            "Cancel it instead.",
        )
    queue.save(entry, job, life)
    queue.set_error(entry, job_id, error)
    entry.tell(person_id, JobDied(job_id=job_id, error=error))
    return _card(entry, job_id)


def purge(entry: Entry, person_id: PersonId, task_id: TaskId, by: str) -> None:
    """Forget a task, its jobs and all they told, here and on every computer.

    Raises:
        NotFound: `task_unknown`.
        Conflict: `task_not_ended`.
    """
    task = tasks.load(entry.connection, task_id)
    if task is None or task.person_id != person_id:
        raise NotFound("task_unknown", "There is no such task.", "/jobs lists yours.")
    going_on = [
        job_id
        for job_id in purging.jobs_of(entry.connection, task_id)
        if not _owned(entry, person_id, job_id).life.state.is_terminal
    ]
    if going_on:
        raise Conflict(
            "task_not_ended",
            f"{len(going_on)} of its jobs have not ended; the first is #{short(going_on[0])}.",
            "Stop them first: /cancel, then ask again.",
        )
    session_ids = session_steps.end_of_task(entry, task_id, by)
    job_ids = purging.purge(entry, task_id, session_ids)
    told = TaskPurged(task_id=task_id, job_ids=tuple(job_ids), by=by[:100])
    entry.tell(person_id, told, entity=task_id)


def purge_dead(entry: Entry, person_id: PersonId, job_id: JobId, by: str) -> None:
    """Forget the task of a dead letter.

    Raises:
        NotFound: `job_unknown`.
        Conflict: `job_not_dead`, `task_not_ended`.
    """
    job = _owned(entry, person_id, job_id)
    if job.life.state is not JobState.DEAD:
        raise job_not_dead(job.life.state)
    purge(entry, person_id, job.task_id, by)


def purge_if_dead(entry: Entry, person_id: PersonId, job_id: JobId, by: str) -> bool:
    """The same; False when it is none any more, or other jobs of its task have not ended."""
    try:
        purge_dead(entry, person_id, job_id, by)
    except (Conflict, NotFound):
        return False
    return True


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
