"""What people ask for at their own computers: carried out as steps of the recorder's transaction.

A paired computer speaks for its person. What cannot be done is told back as an event, because
the computer may have been away for days since it was asked.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from hub.services import deeds
from hub.services.deeds import Deeds
from hub.services.requests import Request, checked_inputs
from hub.store import people, queue, workers
from hub.store.ledger import Entry
from shared.errors import AppError, BadInput, Conflict
from shared.events import (
    AnswerGiven,
    CancelAsked,
    PurgeAsked,
    RequestEventBody,
    RequestRefused,
    RetryAsked,
    SettingChanged,
    TaskRequested,
)
from shared.ids import JobId, PersonId, WorkerId, is_uuid
from shared.jobs import Origin
from shared.kinds.catalogue import kind_named

log = structlog.get_logger()


class Asked:
    def __init__(self, doing: Deeds) -> None:
        self._deeds = doing

    def obey(
        self, entry: Entry, worker_id: WorkerId, person_id: PersonId, body: RequestEventBody
    ) -> None:
        """Do what was asked, or tell why not."""
        try:
            self._obey(entry, worker_id, person_id, body)
        except AppError as error:
            log.info("request_refused", worker_id=worker_id, request=body.type, code=error.code)
            entry.tell(
                person_id,
                RequestRefused(
                    job_id=_job_of(body), request=body.type, error=error.body, by=worker_id
                ),
            )

    def _obey(
        self, entry: Entry, worker_id: WorkerId, person_id: PersonId, body: RequestEventBody
    ) -> None:
        match body:
            case TaskRequested():
                self._request(entry, worker_id, person_id, body)
            case AnswerGiven():
                by = _speaker(entry, worker_id, person_id)
                self._deeds.answer(entry, person_id, body.question_id, body.value, by)
            case CancelAsked():
                by = _speaker(entry, worker_id, person_id)
                deeds.cancel(entry, person_id, body.job_id, by)
            case RetryAsked():
                deeds.retry(entry, person_id, body.job_id)
            case SettingChanged():
                pass  # it stands in the log, and all computers read that
            case PurgeAsked():
                raise BadInput("purge_not_yet", "This hub cannot delete tasks yet.", "Update it.")

    def _request(
        self, entry: Entry, worker_id: WorkerId, person_id: PersonId, body: TaskRequested
    ) -> None:
        if not (is_uuid(body.job_id) and is_uuid(body.task_id)):
            raise BadInput("job_id_invalid", "The computer names its job by no id.", "Update it.")
        known = queue.load_in(entry, body.job_id)
        if known is not None and known.person_id == person_id:
            return  # a computer whose store was restored asks again for what it asked before
        if known is not None:
            raise Conflict("job_id_taken", "There is another job of this id.", "Ask again.")
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
        )
        kind = kind_named(request.kind, self._deeds.kinds)
        self._deeds.request(entry, replace(request, inputs=checked_inputs(kind, request)))


def _job_of(body: RequestEventBody) -> JobId:
    """The job that a request is about; empty when it is about none."""
    match body:
        case SettingChanged() | PurgeAsked():
            return JobId("")
        case _:
            return body.job_id


def _speaker(entry: Entry, worker_id: WorkerId, person_id: PersonId) -> str:
    """Say who asks, in words that are kept: "anna on anna-pc"."""
    worker = workers.load(entry.connection, worker_id)
    person = people.load(entry.connection, person_id)
    name = person.name if person else "you"
    return f"{name} on {worker.name}" if worker else name
