"""Sessions, in steps of somebody's transaction: seats, places of follow-ups, endings.

Grants, adoptions, requests, absences and people end or open sessions; they must write the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hub.core import session as core
from hub.core.job import Job, Life
from hub.core.session import EndReason, Session
from hub.services.requests import Request
from hub.store import queue, sessions, tasks, workers
from hub.store.ledger import Entry
from hub.store.sessions import Seen
from shared.errors import BadInput, Conflict, NotFound
from shared.events import SessionEnded, SessionOpened
from shared.ids import PersonId, SessionId, TaskId, WorkerId, is_uuid


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Where a request belongs that goes on with something."""

    request: Request
    """With its task, and pinned to the session's worker while that lives."""
    ended: Session | None = None
    """The session that it would have gone on in, had that not been over."""


def seat(entry: Entry, job: Job, life: Life, worker_id: WorkerId, minted: SessionId) -> Job:
    """Move a job on to its worker, in the session it was in there, or in a new one.

    Args:
        entry: the transaction.
        job: as stored; what was in no session before is not looked up.
        life: as it is from now on.
        worker_id: who has it now.
        minted: the id of a new session.

    Raises:
        Conflict: `offer_gone`, there was a session of the minted id.
    """
    if job.is_lent:
        return queue.save(entry, job, life)  # whoever it is a part of sits elsewhere
    if job.session_id is not None:
        seen = sessions.load(entry.connection, job.session_id)
        if seen is not None and seen.session.is_open and seen.session.worker_id == worker_id:
            return queue.save(entry, job, life)
        open_session(entry, job.person_id, job.task_id, worker_id, minted)
    else:
        open_first(entry, job, worker_id, minted)
    return queue.seat(entry, job, life, minted)


def open_first(entry: Entry, job: Job, worker_id: WorkerId, minted: SessionId) -> None:
    """Open the session of a job that was in none, under an id that was made for that."""
    session = core.opened(minted, job.person_id, job.task_id, worker_id, entry.now)
    sessions.add(entry, session)
    _tell_opened(entry, session)


def seat_adopted(
    entry: Entry, job: Job, worker_id: WorkerId, told: SessionId, minted: SessionId
) -> Job:
    """Give a session to a job that its worker has already, under the id that it was begun with.

    Args:
        entry: the transaction.
        job: as it is now, in its worker's hands.
        worker_id: whose.
        told: the id that the worker says; another worker's, or none, is not believed.
        minted: a new one, for when it is not.
    """
    if job.is_lent:
        return job
    seen = sessions.load(entry.connection, told) if is_uuid(told) else None
    is_its_own = seen is not None and (
        (seen.session.worker_id, seen.session.task_id) == (worker_id, job.task_id)
    )
    if seen is not None and is_its_own and seen.session.is_open:
        return queue.seat(entry, job, job.life, told)
    session_id = told if is_uuid(told) and seen is None else minted
    open_session(entry, job.person_id, job.task_id, worker_id, session_id)
    return queue.seat(entry, job, job.life, session_id)


def open_session(
    entry: Entry,
    person_id: PersonId,
    task_id: TaskId,
    worker_id: WorkerId,
    session_id: SessionId,
) -> Session:
    """Open a session, and say so.

    Raises:
        Conflict: `offer_gone`, there was one of this id.
    """
    session = core.opened(session_id, person_id, task_id, worker_id, entry.now)
    if not sessions.insert(entry, session):
        raise Conflict("offer_gone", "The session is over.", "Drop the offer.")
    _tell_opened(entry, session)
    return session


def _tell_opened(entry: Entry, session: Session) -> None:
    told = SessionOpened(
        session_id=session.session_id, task_id=session.task_id, worker_id=session.worker_id
    )
    entry.tell(session.person_id, told, entity=session.session_id)


def end(entry: Entry, seen: Seen, reason: EndReason, by: str = "") -> Session:
    """End a session, and say so; what waited for its turn in it begins another one.

    What runs in it goes on: its worker keeps the folder until that is over.
    """
    session = core.end(seen.session, entry.now, reason, by[:100])
    sessions.save(entry, session)
    for job in sessions.queued_in(entry.connection, session):
        queue.seat(entry, job, job.life, None)
    told = SessionEnded(
        session_id=session.session_id,
        task_id=session.task_id,
        worker_id=session.worker_id,
        reason=reason.value,
        by=session.ended_by,
    )
    entry.tell(session.person_id, told, entity=session.session_id)
    return session


def end_of_worker(
    entry: Entry, worker_id: WorkerId, reason: EndReason, by: str = "", *, is_all: bool
) -> None:
    """End the sessions on a worker: all, or those in which it has nothing in hand."""
    for seen in sessions.open_of_worker(entry.connection, worker_id):
        if is_all or not seen.is_busy:
            end(entry, seen, reason, by)


def end_of_task(entry: Entry, task_id: TaskId, by: str) -> list[SessionId]:
    """End and forget the sessions of a task that is being forgotten; return which they were."""
    found = sessions.of_task(entry.connection, task_id)
    for seen in found:
        if seen.session.is_open:
            end(entry, seen, EndReason.TASK_PURGED, by)
    sessions.delete_of_task(entry, task_id)
    return [seen.session.session_id for seen in found]


def follow(entry: Entry, request: Request) -> Followed:
    """Find the place of a request that names a session or a task that it goes on with.

    Raises:
        NotFound: `session_unknown`, `task_unknown`; also for another person's.
        Conflict: `session_ended`, for a session that was named.
        BadInput: `session_foreign`, `session_elsewhere`: it is another task's, or on another
            computer than was asked for.
    """
    if request.session_id is not None:
        return Followed(request=_in_named(entry, request, request.session_id))
    if request.task_id is None:
        return Followed(request=request)
    task = tasks.load(entry.connection, request.task_id)
    if task is None and request.has_own_ids:
        return Followed(request=request)
    if task is None or task.person_id != request.person_id:
        raise task_unknown()
    seen = sessions.newest_of_task(entry.connection, task.task_id)
    if seen is None or not _suits(entry, request, seen.session):
        return Followed(request=request)
    if not core.takes_follow_ups(seen.session, entry.now, is_busy=seen.is_busy):
        return Followed(request=request, ended=seen.session)
    return Followed(request=_placed(request, seen.session))


def place_of(entry: Entry, job: Job) -> tuple[Job, Session | None]:
    """Find where a job goes on that is tried again in its place.

    Returns the job, in its place and pinned there when there is one; and the session that it
    would have gone on in, had that not been over.
    """
    seen = sessions.load(entry.connection, job.session_id) if job.session_id else None
    seen = seen or sessions.newest_of_task(entry.connection, job.task_id)
    if seen is None:
        return job, None
    session = seen.session
    if not core.takes_follow_ups(session, entry.now, is_busy=seen.is_busy):
        return job, session
    placed = replace(job, pinned_to=session.worker_id)
    return queue.seat(entry, placed, job.life, session.session_id), None


def known(entry: Entry, person_id: PersonId | None, session_id: SessionId) -> Seen:
    """Load a session of a person's; of anybody's when None.

    Raises:
        NotFound: `session_unknown`.
    """
    seen = sessions.load(entry.connection, session_id)
    if seen is None or person_id not in (None, seen.session.person_id):
        raise session_unknown()
    return seen


def check_living(entry: Entry, seen: Seen) -> None:
    """Make sure that something new may be done in a session.

    Raises:
        Conflict: `session_ended`.
    """
    if not core.takes_follow_ups(seen.session, entry.now, is_busy=seen.is_busy):
        raise core.over(seen.session, entry.now)


def session_unknown() -> NotFound:
    return NotFound("session_unknown", "There is no such session.", "It may be another task's.")


def task_unknown() -> NotFound:
    return NotFound("task_unknown", "There is no such task.", "/jobs lists the latest.")


def _in_named(entry: Entry, request: Request, session_id: SessionId) -> Request:
    seen = known(entry, request.person_id, session_id)
    session = seen.session
    if request.task_id not in (None, session.task_id):
        raise BadInput(
            "session_foreign",
            "This session belongs to another task.",
            "Name its own task, or none.",
        )
    if not _suits(entry, request, session):
        raise BadInput(
            "session_elsewhere",
            "This session is on another computer than the one asked for.",
            "Name the session or the computer.",
        )
    check_living(entry, seen)
    return _placed(request, session)


def _suits(entry: Entry, request: Request, session: Session) -> bool:
    """Say whether a request may run where a session is; a computer that was named goes first."""
    if request.worker_id is not None:
        return request.worker_id == session.worker_id
    if not request.worker_name:
        return True
    worker = workers.load(entry.connection, session.worker_id)
    wanted = request.worker_name
    return worker is not None and (
        wanted == worker.worker_id or wanted.casefold() == worker.name.casefold()
    )


def _placed(request: Request, session: Session) -> Request:
    return replace(
        request,
        task_id=session.task_id,
        session_id=session.session_id,
        worker_id=session.worker_id,
        worker_name="",
    )
