"""Takes in what workers report, once each and in order, and moves their jobs on.

What the person of a worker asks for there comes the same way (`asked`).

One transaction: the event, what it does to its job, and the cursor of the worker's log. A report
on a grant that is not in force is never applied: a former holder's outcome is kept as a late
result, and a job that was never this worker's is refused.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from enum import StrEnum
from typing import NoReturn

import structlog
from pydantic import ValidationError
from pydantic_core import to_json

from hub.core import job as core
from hub.core.board import Board
from hub.core.job import Job
from hub.core.question import Question, QuestionState
from hub.services import adoption, endings, pulled
from hub.services.asked import Asked
from hub.services.deeds import Deeds
from hub.services.requests import fence_stale, job_unknown
from hub.services.schedule_deeds import ScheduleDeeds
from hub.services.witness import Witness
from hub.store import events, files, questions, queue
from hub.store.ledger import Entry, Ledger
from shared.errors import AppError, BadInput, Conflict, ErrorBody, NotAllowed
from shared.events import (
    AttemptEventBody,
    Event,
    EventBody,
    JobCancelled,
    JobFailed,
    JobInterrupted,
    JobLogged,
    JobParked,
    JobPlanned,
    JobResumed,
    JobStarted,
    JobSucceeded,
    LateResult,
    QuestionAsked,
    RequestEventBody,
    body_of,
)
from shared.ids import ConversationId, PersonId, SessionId, WorkerId
from shared.jobs import JobState
from shared.kinds import Kind, Output
from shared.protocol import FRAME_BYTES_MAX
from shared.protocol.frames import DEPTH_MAX, depth_exceeds
from shared.questions import QUESTION_SECONDS

log = structlog.get_logger()

EVENT_BYTES_MAX = FRAME_BYTES_MAX - 8 * 1024
"""An event's body; the rest is for the envelopes in which it travels on."""


_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
EVENT_DEPTH_MAX = DEPTH_MAX - 4
"""Levels in an event's body; the frame that carries it on adds its own."""


@dataclass(slots=True)
class Recorded:
    """What came of a push, now durable."""

    acked_seq: int = 0
    """The worker's log has been taken in up to here."""
    refused: list[AppError] = field(default_factory=list)
    """Events that were passed over; the worker is told, and its log goes on."""


class Reported(StrEnum):
    """What became of a report."""

    TAKEN = "taken"
    LATE = "late"
    """The job had moved on: the outcome is kept beside it."""
    REPEATED = "repeated"
    """This attempt's end was taken in before."""


class Recorder:
    def __init__(
        self,
        ledger: Ledger,
        board: Board,
        kinds: Mapping[str, Kind],
        scheduling: ScheduleDeeds,
    ) -> None:
        self._ledger = ledger
        self._kinds = kinds
        self._requests = Asked(Deeds(ledger.environment, board, kinds), scheduling)
        self.late_results = 0
        self.refused: Counter[str] = Counter()
        """By the code of the error."""

    @property
    def trouble(self) -> AppError | None:
        """Why nothing can be taken in now; None when it can."""
        return self._ledger.trouble

    def record(
        self, worker_id: WorkerId, person_id: PersonId, pushed: tuple[Event, ...]
    ) -> asyncio.Future[Recorded]:
        """Take in a stretch of a worker's log; the future is done once it is durable.

        It returns at once, so that a connection can go on reading while the disk works. The
        future must not be cancelled.

        Args:
            worker_id: who pushed, as its token says.
            person_id: whose worker it is.
            pushed: without a gap, all of one epoch.
        """
        return self._ledger.post(lambda entry: self._take_in(entry, worker_id, person_id, pushed))

    def report(
        self, worker_id: WorkerId, person_id: PersonId, body: AttemptEventBody
    ) -> asyncio.Future[Reported]:
        """Take in what a worker tells that keeps no log of its own; done once it is durable.

        The future must not be cancelled. It may fail with:
            NotFound: `job_unknown`, the worker never had this grant.
            Conflict: `fence_stale`; nothing of it is kept.
            BadInput: `result_invalid`, `event_too_large`; nothing has changed.
        """
        return self._ledger.post(
            lambda entry: self.take_told(entry, worker_id, person_id, body),
            is_vital=isinstance(body, JobSucceeded | JobFailed),
        )

    def take_told(
        self,
        entry: Entry,
        worker_id: WorkerId,
        person_id: PersonId,
        body: AttemptEventBody,
        *,
        may_readopt: bool = True,
    ) -> Reported:
        """Take in such a report, as a step of somebody's transaction; raises as `report` fails.

        `may_readopt`: a worker that was silent for long goes on with what nobody was given since.
        """
        job = queue.load_in(entry, body.job_id)
        if job is None or job.person_id != person_id:
            raise job_unknown()
        grant = (worker_id, body.attempt, body.fence)
        has_ended = events.has_outcome(entry.connection, job.job_id, body.fence)
        if may_readopt and not has_ended and core.may_readopt(job.life, *grant):
            # It was silent for long, and nobody was given the job meanwhile: it goes on with it.
            back = core.readopt(job.life, attempt=body.attempt, state=JobState.RUNNING)
            job = queue.save(entry, job, back)
            endings.tell_granted(entry, job)
        is_current = core.is_held_by(job.life, *grant)
        if not is_current and not queue.was_granted(entry.connection, job.job_id, *grant):
            raise job_unknown()
        if not is_current and has_ended and job.life.fence == body.fence:
            return Reported.REPEATED
        if not is_current and (has_ended or not isinstance(body, JobSucceeded | JobFailed)):
            raise fence_stale(job.job_id)
        if is_current:
            self._check_told(job, body)
        event = pulled.event_of(entry, worker_id, body)
        if not _is_portable(event):
            raise too_large()
        self._take_report(entry, worker_id, person_id, event, body)
        return Reported.TAKEN if is_current else Reported.LATE

    def _check_told(self, job: Job, body: AttemptEventBody) -> None:
        """A result that is none is turned down while its worker can still mend it."""
        kind = self._kinds.get(job.kind)
        if kind is None or not isinstance(body, JobSucceeded):
            return
        try:
            kind.output.model_validate(body.result)
        except ValidationError as error:
            raise result_invalid(job.kind, error) from None

    def _take_in(
        self, entry: Entry, worker_id: WorkerId, person_id: PersonId, pushed: tuple[Event, ...]
    ) -> Recorded:
        epoch = pushed[0].epoch
        acked_seq, last_stamp = events.taken_in(entry, worker_id, epoch)
        recorded = Recorded(acked_seq)
        witness = Witness(entry, worker_id, person_id)
        last: Event | None = None
        for event in pushed:
            if event.seq != recorded.acked_seq + 1:
                continue
            recorded.acked_seq, last = event.seq, event
            if events.is_told_again(entry.beside, event, last_stamp):
                continue
            try:
                witness.check(event)
                self._take_one(entry, worker_id, person_id, event)
            except (NotAllowed, BadInput, Conflict) as error:
                self.refused[error.code] += 1
                recorded.refused.append(error)
                log.warning("event_refused", worker_id=worker_id, code=error.code, type=event.type)
        if last is not None:
            events.move_cursor(entry, last)
        return recorded

    def _take_one(
        self, entry: Entry, worker_id: WorkerId, person_id: PersonId, event: Event
    ) -> None:
        body = _read(event)
        if event.at.tzinfo is None:
            event = event.model_copy(update={"at": event.at.replace(tzinfo=UTC)})
        if body is None:
            _keep_portable(entry, person_id, event)
        elif isinstance(body, RequestEventBody):
            _keep_portable(entry, person_id, event)
            self._requests.obey(entry, worker_id, person_id, body, event.at)
        elif isinstance(body, AttemptEventBody):
            self._take_report(entry, worker_id, person_id, event, body)
        else:
            raise NotAllowed("event_not_yours", f"A worker cannot report '{event.type}'.")

    def _take_report(
        self,
        entry: Entry,
        worker_id: WorkerId,
        person_id: PersonId,
        event: Event,
        body: AttemptEventBody,
    ) -> None:
        if event.entity not in ("", body.job_id):
            raise BadInput("event_invalid", f"Event {event.seq} names another thing than its job.")
        job = queue.load_in(entry, body.job_id)
        if job is not None and job.person_id != person_id:
            raise _foreign(body)
        is_current = job is not None and core.is_held_by(
            job.life, worker_id, body.attempt, body.fence
        )
        if not is_current and not self._was_granted(entry, worker_id, body, job):
            job = self._adopted(entry, worker_id, person_id, job, event, body)
            is_current = True
        assert job is not None
        body_json = _portable(event)
        if body_json is None:
            self._refuse_size(entry, job if is_current else None, body)
        entry.keep(person_id, event, body_json)
        if is_current:
            self._apply(entry, job, body)
        elif isinstance(body, JobSucceeded | JobFailed):
            self.late_results += 1
            entry.tell(
                person_id,
                LateResult(job_id=job.job_id, attempt=body.attempt, outcome=_outcome(body)),
            )

    def _was_granted(
        self, entry: Entry, worker_id: WorkerId, body: AttemptEventBody, job: Job | None
    ) -> bool:
        return job is not None and queue.was_granted(
            entry.connection, job.job_id, worker_id, body.attempt, body.fence
        )

    def _adopted(
        self,
        entry: Entry,
        worker_id: WorkerId,
        person_id: PersonId,
        job: Job | None,
        event: Event,
        body: AttemptEventBody,
    ) -> Job:
        """Take in a job that the worker has and this hub never granted, or refuse its report."""
        if not isinstance(body, JobStarted) or not _is_portable(event):
            raise _foreign(body)
        minted = SessionId(self._ledger.environment.new_id())
        adopted = adoption.adopt_started(
            entry, worker_id, person_id, job, body, minted=minted, at=event.at
        )
        if adopted is None:
            raise _foreign(body)
        return adopted

    def _refuse_size(self, entry: Entry, job: Job | None, body: AttemptEventBody) -> NoReturn:
        """Keep what no frame could carry on out of the log; a job must not wait for it forever."""
        error = too_large()
        if job is None or not isinstance(body, JobSucceeded | JobFailed):
            raise error
        entry.tell(
            job.person_id,
            JobFailed(job_id=job.job_id, attempt=body.attempt, fence=body.fence, error=error.body),
        )
        kind = self._kinds.get(job.kind)
        endings.fail(entry, job, error.body, kind, self._ledger.environment)
        raise error

    def _apply(self, entry: Entry, job: Job, body: AttemptEventBody) -> None:
        match body:
            case JobStarted():
                self._start(entry, job)
            case JobLogged() | JobPlanned():
                pass
            case QuestionAsked():
                self._ask(entry, job, body)
            case JobResumed():
                _move(entry, job, core.resume(job.life))
            case JobParked():
                self._park(entry, job, body)
            case JobSucceeded():
                self._succeed(entry, job, body)
            case JobFailed():
                endings.fail(
                    entry,
                    job,
                    body.error,
                    self._kinds.get(job.kind),
                    self._ledger.environment,
                )
            case JobCancelled():
                endings.cancel(entry, job)
            case JobInterrupted():
                endings.lose(
                    entry,
                    job,
                    self._kinds,
                    self._ledger.environment,
                    reason=body.reason,
                    touched=body.touched,
                )

    def _start(self, entry: Entry, job: Job) -> None:
        if job.life.question_id is not None:
            # Its worker began it anew: what the attempt asked before, nobody waits for.
            questions.close_of_job(entry, job.job_id)
        _move(entry, job, core.start(job.life))

    def _ask(self, entry: Entry, job: Job, body: QuestionAsked) -> None:
        question = Question(
            question_id=body.question_id,
            job_id=job.job_id,
            person_id=job.person_id,
            conversation=ConversationId(""),
            asking=body.asking,
            asked_at=entry.now,
            expires_at=entry.now + timedelta(seconds=QUESTION_SECONDS),
        )
        if questions.insert(entry, question):
            queue.save(entry, job, core.ask(job.life, body.question_id))

    def _park(self, entry: Entry, job: Job, body: JobParked) -> None:
        parked = queue.save(entry, job, core.park(job.life))
        question = questions.load(entry.connection, body.question_id)
        if question is None or question.job_id != job.job_id or job.life.cancel_by:
            endings.cancel_unheld(entry, parked, core.cancelled(parked.life))
        elif question.state is QuestionState.ANSWERED:
            # The answer came while the worker let the child go.
            endings.queue_again(entry, parked, core.answered(parked.life), "answered")

    def _succeed(self, entry: Entry, job: Job, body: JobSucceeded) -> None:
        kind = self._kinds.get(job.kind)
        output: Output | None = None
        try:
            if kind is not None:
                output = kind.output.model_validate(body.result)
        except ValidationError:
            error = ErrorBody(
                code="result_invalid",
                message=f"The worker's result is none of {job.kind}.",
                hint="The worker's program may be of another version; update it.",
            )
            endings.fail(entry, job, error, kind, self._ledger.environment)
            return
        endings.succeed(entry, job, body.result)
        if output is not None and output.sends:
            files.announce(entry, job.job_id, job.person_id, output.sends)


def result_invalid(kind: str, error: ValidationError) -> BadInput:
    first = error.errors()[0]
    field_name = ".".join(str(part) for part in first["loc"])
    return BadInput(
        "result_invalid",
        f"This is no result of {kind}: {field_name or 'it'}: {first['msg']}.",
        "Nothing was changed: mend the result, or fail the job.",
    )


def too_large() -> BadInput:
    return BadInput(
        "event_too_large",
        f"What the worker told is over the limit of {EVENT_BYTES_MAX:,} bytes, or nests deeper "
        f"than {EVENT_DEPTH_MAX} levels.",
        "A result is what a person reads in a chat; put the rest into a file.",
    )


def _is_portable(event: Event) -> bool:
    """Whether a frame can carry an event on: one that none can would cut every line it is due."""
    return _portable(event) is not None


def _portable(event: Event) -> str | None:
    """Write an event's body as JSON; None when no frame can carry it on."""
    body = to_json(event.body)
    text = body.decode()
    if len(body) > EVENT_BYTES_MAX or depth_exceeds(text, EVENT_DEPTH_MAX):
        return None
    return text


def _move(entry: Entry, job: Job, life: core.Life) -> None:
    if life != job.life:
        queue.save(entry, job, life)


def _read(event: Event) -> EventBody | None:
    try:
        body = body_of(event)
    except ValidationError:
        raise BadInput(
            "event_invalid", f"Event {event.seq} does not fit its type '{event.type}'."
        ) from None
    if isinstance(body, QuestionAsked) and not _ID.fullmatch(body.question_id):
        # It stands in commands behind buttons: "<another question's id> yes" must not.
        raise BadInput("event_invalid", f"Event {event.seq} names its question by no id.")
    return body


def _keep_portable(entry: Entry, person_id: PersonId, event: Event) -> None:
    """Keep an event and pass it on, also one that only a newer program understands."""
    body_json = _portable(event)
    if body_json is None:
        raise too_large()
    entry.keep(person_id, event, body_json)


def _foreign(body: AttemptEventBody) -> NotAllowed:
    return NotAllowed(
        "job_foreign",
        f"Job {body.job_id} was not granted to this worker as attempt {body.attempt}, "
        f"fence {body.fence}.",
    )


def _outcome(body: JobSucceeded | JobFailed) -> str:
    match body:
        case JobSucceeded():
            return JobState.SUCCEEDED
        case JobFailed():
            return JobState.FAILED
