"""What people ask for at their own computers: carried out as steps of the recorder's transaction.

A paired computer speaks for its person. What cannot be done is told back as an event, because
the computer may have been away for days since it was asked.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import structlog

from hub.core.question import DEFAULT, Question
from hub.services import adoption, deeds, endings, lending
from hub.services.deeds import Deeds
from hub.services.requests import Request, checked_inputs
from hub.services.schedule_deeds import ScheduleDeeds
from hub.store import jobs, people, questions, queue, workers
from hub.store.ledger import Entry
from shared import trace
from shared.errors import AppError, BadInput, Conflict
from shared.events import (
    AnswerGiven,
    AnswerSuperseded,
    CancelAsked,
    PurgeAsked,
    QuestionAnswered,
    RequestEventBody,
    RequestRefused,
    RetryAsked,
    ScheduleAsked,
    SettingChanged,
    TaskRequested,
)
from shared.ids import JobId, PersonId, SessionId, WorkerId, is_uuid
from shared.jobs import NO_SESSION, JobSpec, Origin
from shared.kinds.foreign import kind_for
from shared.kinds.naming import title_for
from shared.messages import Grant
from shared.questions import Answer, match

log = structlog.get_logger()

KEPT_ATTEMPT = KEPT_FENCE = 1
"""What a computer runs its own job as; nobody else can have been granted it."""


class Asked:
    def __init__(self, doing: Deeds, scheduling: ScheduleDeeds) -> None:
        self._deeds = doing
        self._scheduling = scheduling

    def obey(
        self,
        entry: Entry,
        worker_id: WorkerId,
        person_id: PersonId,
        body: RequestEventBody,
        at: datetime,
    ) -> None:
        """Do what was asked, or tell why not; `at` is when, by the computer's clock."""
        try:
            self._obey(entry, worker_id, person_id, body, at)
        except AppError as error:
            log.info("request_refused", worker_id=worker_id, request=body.type, code=error.code)
            entry.tell(
                person_id,
                RequestRefused(
                    job_id=_job_of(body), request=body.type, error=error.body, by=worker_id
                ),
            )

    def _obey(
        self,
        entry: Entry,
        worker_id: WorkerId,
        person_id: PersonId,
        body: RequestEventBody,
        at: datetime,
    ) -> None:
        match body:
            case TaskRequested():
                self._request(entry, worker_id, person_id, body, at)
            case AnswerGiven():
                self._answer(entry, worker_id, person_id, body)
            case CancelAsked():
                by = _speaker(entry, worker_id, person_id)
                deeds.cancel(entry, person_id, body.job_id, by)
            case RetryAsked():
                deeds.retry(entry, person_id, body.job_id)
            case SettingChanged():
                pass  # it stands in the log, and all computers read that
            case PurgeAsked():
                by = _speaker(entry, worker_id, person_id)
                deeds.purge(entry, person_id, body.task_id, by)
            case ScheduleAsked():
                by = _speaker(entry, worker_id, person_id)
                self._scheduling.obey(entry, person_id, body, by)

    def _request(
        self,
        entry: Entry,
        worker_id: WorkerId,
        person_id: PersonId,
        body: TaskRequested,
        at: datetime,
    ) -> None:
        if body.part_of is None:
            adoption.check_ids(entry, person_id, body.job_id, body.task_id)
        known = queue.load_in(entry, body.job_id)
        is_lent = body.part_of is not None and not body.is_kept
        if known is not None and is_lent and known.person_id == person_id:
            maker = adoption.maker_of(entry, worker_id, person_id, body)
            lending.claim(entry, worker_id, maker, known)
        if known is not None and known.person_id == person_id:
            return  # a computer whose store was restored asks again for what it asked before
        if known is not None:
            raise Conflict("job_id_taken", "There is another job of this id.", "Ask again.")
        if body.replaces is not None:
            by = _speaker(entry, worker_id, person_id)
            adoption.replace_job(entry, person_id, body.replaces, by)
        if is_lent:
            maker = adoption.maker_of(entry, worker_id, person_id, body)
            lent = lending.lend(entry, worker_id, maker, body, self._deeds.kinds, at)
            endings.doubt_lent(entry, lent, self._deeds.kinds, at)
            return
        if body.part_of is not None:
            adoption.adopt_part(entry, worker_id, person_id, body, at)
            return
        if body.is_kept and body.worker_id == worker_id:
            origin, traceparent = _before(entry, person_id, body.replaces or body.follows)
            adoption.adopt_new(
                entry, worker_id, person_id, kept_spec(body, origin, traceparent),
                _kept_grant(body.job_id),
                minted=self._deeds.new_session_id(), text=body.text, at=at,
            )  # fmt: skip
            return
        request = Request(
            person_id=person_id,
            kind=body.kind,
            inputs=body.inputs,
            text=body.text,
            title=body.title,
            # The owner's own rights count on the machine itself alone.
            origin=Origin.LOCAL if body.worker_id == worker_id else Origin.CHAT,
            worker_id=body.worker_id,
            task_id=body.task_id,
            job_id=body.job_id,
            has_own_ids=True,
        )
        kind = kind_for(request.kind, self._deeds.kinds)
        self._deeds.request(entry, replace(request, inputs=checked_inputs(kind, request)))

    def _answer(
        self, entry: Entry, worker_id: WorkerId, person_id: PersonId, body: AnswerGiven
    ) -> None:
        """Let an answer count: the first one does, but for one that its job has gone on with."""
        by = _speaker(entry, worker_id, person_id)
        question = questions.load(entry.connection, body.question_id)
        if question is None or question.person_id != person_id or question.answer is None:
            self._deeds.answer(entry, person_id, body.question_id, body.value, by)
            return
        mine = Answer(value=body.value, by=by[:100])
        if mine.value == question.answer.value:
            return
        if body.is_used and _is_at(entry, worker_id, question.job_id):
            value = match(question.asking, body.value)
            if value is None:
                raise BadInput("answer_unfit", "The computer went on with what is no answer.")
            questions.save(entry, replace(question, answer=mine))
            counted = QuestionAnswered(
                question_id=question.question_id, job_id=question.job_id, answer=mine
            )
            entry.tell(person_id, counted)
            _tell_second(entry, question, question.answer, mine)
        else:
            _tell_second(entry, question, mine, question.answer)


def _before(entry: Entry, person_id: PersonId, before: JobId | None) -> tuple[Origin, str]:
    """Say whose words a kept job's inputs are, and whose trace it goes on with.

    Both are those of the job that it replaces, or follows.
    """
    if before is None:
        return Origin.LOCAL, ""
    card = jobs.card(entry.connection, before)
    if card is None or card.job.person_id != person_id:
        return Origin.CHAT, ""
    return card.origin, jobs.traceparent_of(entry.connection, before)


def kept_spec(body: TaskRequested, origin: Origin, traceparent: str = "") -> JobSpec:
    """Describe a job that a computer keeps, as that computer runs it."""
    return JobSpec(
        job_id=body.job_id,
        task_id=body.task_id,
        kind=body.kind,
        title=title_for(body.kind, body.inputs, body.title),
        inputs=body.inputs,
        origin=origin,
        traceparent=traceparent or str(trace.of_id(body.job_id)),
        session_id=SessionId(body.session_id) if is_uuid(body.session_id) else NO_SESSION,
    )


def _kept_grant(job_id: JobId) -> Grant:
    return Grant(job_id=job_id, attempt=KEPT_ATTEMPT, fence=KEPT_FENCE)


def _is_at(entry: Entry, worker_id: WorkerId, job_id: JobId) -> bool:
    """Say whether a job is, or was last, on a worker: it alone knows what the job went on with."""
    job = queue.load_in(entry, job_id)
    return job is not None and job.life.worker_id == worker_id


def _tell_second(entry: Entry, question: Question, second: Answer, counted: Answer) -> None:
    if second.by == DEFAULT:
        return  # nobody gave it, so nobody needs to hear of it
    entry.tell(
        question.person_id,
        AnswerSuperseded(
            question_id=question.question_id,
            job_id=question.job_id,
            value=second.value,
            by=second.by,
            counted=counted,
        ),
    )


def _job_of(body: RequestEventBody) -> JobId:
    """The job that a request is about; empty when it is about none."""
    match body:
        case SettingChanged() | PurgeAsked() | ScheduleAsked():
            return JobId("")
        case _:
            return body.job_id


def _speaker(entry: Entry, worker_id: WorkerId, person_id: PersonId) -> str:
    """Say who asks, in words that are kept: "anna on anna-pc"."""
    worker = workers.load(entry.connection, worker_id)
    person = people.load(entry.connection, person_id)
    name = person.name if person else "you"
    return f"{name} on {worker.name}" if worker else name
