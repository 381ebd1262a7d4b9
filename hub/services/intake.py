"""Takes what people want: new tasks, answers, cancels, second chances.

Each is one transaction: the state, its events and the note that makes a repetition harmless.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import structlog
from pydantic_core import PydanticSerializationError, to_json

from hub.core import job as core
from hub.core.board import Board
from hub.core.job import HELD_STATES, Job, JobCard
from hub.core.placement import Waiting, why
from hub.core.question import Question, settle
from hub.core.task import TEXT_CHARS_MAX, Task
from hub.services import endings
from hub.store import jobs, questions, queue, said, tasks, workers
from hub.store.ledger import Entry, Ledger
from shared.errors import BadInput, Conflict, LimitReached, NotFound
from shared.events import JobCancelRequested, JobQueued, QuestionAnswered, TaskCreated
from shared.ids import (
    SHORT_LENGTH,
    ConversationId,
    JobId,
    PersonId,
    QuestionId,
    TaskId,
    WorkerId,
    short,
)
from shared.jobs import TITLE_CHARS_MAX, JobState, Origin, Priority
from shared.kinds import JsonObject, Kind, parse_inputs
from shared.kinds.catalogue import kind_named
from shared.questions import Answer

log = structlog.get_logger()

QUEUED_MAX = 100_000
"""Jobs of one person that may wait."""
DEDUPE_CHARS_MAX = 200
FOLLOWING_KINDS = frozenset({"ml.predict", "ml.models", "ml.model", "files.send", "files.head"})
"""Kinds that go where the conversation's last training ran."""
NOWHERE = ConversationId("")
_FILE_OF_JOB = re.compile(
    rf"#(?P<short>[0-9A-Za-z]{{{SHORT_LENGTH}}})|#(?P<full>[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})"
)
"""A file named by the job that wrote it: only that job's worker knows which one that is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a person asks for."""

    person_id: PersonId
    kind: str
    inputs: JsonObject = field(default_factory=dict)
    """Checked against the kind; what is missing becomes a question."""
    text: str = ""
    """What was said; the kind and the title stand in when empty."""
    title: str = ""
    """A few words that name the job in lists; made from kind and inputs when empty."""
    conversation: ConversationId = NOWHERE
    origin: Origin = Origin.CHAT
    priority: Priority = Priority.DEFAULT
    worker_id: WorkerId | None = None
    worker_name: str = ""
    """Only this worker (by name, any case); empty for any."""
    dedupe: str = ""
    """The sender's own name for this request (an update id, an Idempotency-Key): a second
    request of the same person with it gives the first one's job. Empty: never repeated."""
    traceparent: str = ""


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
        inputs = _checked_inputs(kind, request)
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
            lambda entry: _answer(entry, person_id, question_id, reply, by)
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
        digest = _digest(request) if request.dedupe else ""
        if request.dedupe:
            known = tasks.remembered(connection, request.person_id, request.dedupe)
            if known is not None:
                return _repeated(entry, known, digest), True
        if self._board.ready_count(request.person_id) >= QUEUED_MAX:
            raise LimitReached(
                "too_many_jobs",
                f"{QUEUED_MAX:,} jobs are waiting already.",
                "Cancel some, or wait until they have run.",
            )
        card = self._make(entry, _with_writer(entry, request))
        if request.dedupe:
            tasks.remember(entry, request.person_id, request.dedupe, card.job_id, digest)
        return card, False

    def _make(self, entry: Entry, request: Request) -> JobCard:
        new_id = self._ledger.environment.new_id
        kind = self._kinds[request.kind]
        title = (request.title or _title(kind, request.inputs))[:TITLE_CHARS_MAX]
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
            pinned_to=_worker_for(entry, request),
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


def _checked_inputs(kind: Kind, request: Request) -> JsonObject:
    if len(request.text) > TEXT_CHARS_MAX:
        raise BadInput(
            "text_too_long",
            f"The text has {len(request.text):,} characters, {TEXT_CHARS_MAX:,} are allowed.",
            "Put the long part into a file.",
        )
    if len(request.dedupe) > DEDUPE_CHARS_MAX:
        raise BadInput(
            "dedupe_too_long", f"An idempotency key has at most {DEDUPE_CHARS_MAX} characters."
        )
    # Only what was said travels: the defaults are the worker's to fill in.
    told: JsonObject = parse_inputs(kind, request.inputs).model_dump(
        mode="json", exclude_unset=True
    )
    try:
        to_json(told)
    except PydanticSerializationError:
        # Half a character: JSON can write one, neither a store nor a screen can.
        raise BadInput(
            "inputs_invalid",
            f"{kind.name} cannot take these inputs: they hold what is no text.",
            "Write them as UTF-8.",
        ) from None
    return told


def _digest(request: Request) -> str:
    """Tell whether two requests ask for the same thing."""
    told = [request.kind, request.inputs, request.worker_id, request.worker_name.casefold()]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _repeated(entry: Entry, known: tuple[JobId, str], digest: str) -> JobCard:
    job_id, first = known
    if first != digest:
        raise Conflict(
            "dedupe_reused",
            "This idempotency key came with another request before.",
            "Use a new key for a new request.",
        )
    card = jobs.card(entry.connection, job_id)
    assert card is not None
    return card


def _worker_for(entry: Entry, request: Request) -> WorkerId | None:
    """Find which worker must run a job; None when any may."""
    if request.worker_id is None and not request.worker_name:
        return _home(entry, request)
    return _worker_named(entry, request.person_id, request.worker_id or request.worker_name)


def _worker_named(entry: Entry, person_id: PersonId, name: str) -> WorkerId:
    """Find a worker by its id, or by its name in any case.

    Raises:
        NotFound: `worker_unknown`.
    """
    for worker in workers.of_person(entry.connection, person_id):
        if worker.worker_id == name or worker.name.casefold() == name.casefold():
            return worker.worker_id
    raise NotFound(
        "worker_unknown",
        f"You have no computer called '{name[:100]}'.",
        "/workers lists them.",
    )


def _with_writer(entry: Entry, request: Request) -> Request:
    """Send a request about what a job wrote to the worker that ran that job."""
    found = _FILE_OF_JOB.fullmatch(str(request.inputs.get("file", "")))
    if found is None:
        return request
    if found["short"]:
        card = jobs.named(entry.connection, request.person_id, found["short"].upper())
    else:
        card = jobs.card(entry.connection, JobId(found["full"]))
    if card is None or card.job.person_id != request.person_id or card.worker_id is None:
        raise job_unknown()
    inputs: JsonObject = {**request.inputs, "file": f"#{card.job_id}"}
    is_free = request.worker_id is None and not request.worker_name
    return replace(
        request, inputs=inputs, worker_id=card.worker_id if is_free else request.worker_id
    )


def _home(entry: Entry, request: Request) -> WorkerId | None:
    """A model lives where it was trained, and so do the questions about it."""
    if request.kind not in FOLLOWING_KINDS or not request.conversation:
        return None
    trained_on = jobs.last_worker(
        entry.connection, request.person_id, request.conversation, "ml.train"
    )
    if trained_on is None:
        return None
    worker = workers.load(entry.connection, trained_on)
    return trained_on if worker is not None and not worker.is_revoked else None


def _title(kind: Kind, inputs: JsonObject) -> str:
    said = [_brief(value) for value in inputs.values() if isinstance(value, str)]
    return " ".join([kind.name.rpartition(".")[2], *said])


def _brief(value: str) -> str:
    found = _FILE_OF_JOB.fullmatch(value)
    return f"#{short(found['full'])}" if found and found["full"] else value


def _owned(entry: Entry, person_id: PersonId, job_id: JobId) -> Job:
    job = queue.load_in(entry, job_id)
    if job is None or job.person_id != person_id:
        raise job_unknown()
    return job


def job_unknown() -> NotFound:
    return NotFound("job_unknown", "There is no such job.", "/jobs lists the latest.")


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
    job = _owned(entry, person_id, job_id)
    worker_id = _worker_named(entry, person_id, worker_name)
    life = core.move(job.life)
    endings.queue_again(entry, replace(job, pinned_to=worker_id), life, "moved")
    return _card(entry, job_id)


def _retry(entry: Entry, person_id: PersonId, job_id: JobId) -> JobCard:
    job = _owned(entry, person_id, job_id)
    life = core.reopen(job.life)
    questions.close_of_job(entry, job_id)
    endings.queue_again(entry, job, life, "requeued")
    return _card(entry, job_id)


def _answer(
    entry: Entry, person_id: PersonId, question_id: QuestionId, reply: str, by: str
) -> Question:
    question = questions.load(entry.connection, question_id)
    if question is None or question.person_id != person_id:
        raise NotFound(
            "question_unknown", "There is no such question.", "/questions lists the open ones."
        )
    settled = settle(question, reply, by)
    assert settled.answer is not None
    questions.save(entry, settled)
    job = _owned(entry, person_id, question.job_id)
    entry.tell(
        person_id,
        QuestionAnswered(question_id=question_id, job_id=question.job_id, answer=settled.answer),
    )
    if question.is_hubs:
        _decide_interrupted(entry, job, settled.answer)
    elif job.life.state is JobState.ASKING and not job.life.is_held:
        # Parked: its child is gone, and the job starts again with what it knows now.
        endings.queue_again(entry, job, core.answered(job.life), "answered")
    return settled


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
