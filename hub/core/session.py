"""A session: a task's working context on one worker, and when it is over.

It is opened by the first job that the worker is given of the task, kept for what follows, and ends
when nothing happened in it for half an hour, or when it is an hour old. Activity puts off the
first and never the second. What is under way is not cut off: a job in its worker's hands keeps it
open, and past its age such a session takes nothing new and is over when that job is.

           opened ──▶ active ──┬─ nothing for more than 30 min ──▶ ended (idle)
             ▲          │      ├─ older than 1 h, nothing in hand ─▶ ended (age)
             └─ renewed ┘      └─ a person, the worker, a purge ───▶ ended

Exactly at a border it lives. The clock on the wall is trusted as far as it goes forward: what it
puts into the future counts as now (`settled`), so a clock that is set back lengthens a life by
what it took back and never by more than one full term.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.errors import Conflict
from shared.ids import PersonId, SessionId, TaskId, WorkerId

IDLE_SECONDS = 30 * 60.0
"""A session in which nothing happened for longer than this is over."""
AGE_SECONDS = 60 * 60.0
"""A session that is older than this is over, whatever happened in it."""

_IDLE = timedelta(seconds=IDLE_SECONDS)
_AGE = timedelta(seconds=AGE_SECONDS)


class EndReason(StrEnum):
    """Why a session is over."""

    IDLE = "idle"
    AGE = "age"
    PERSON = "person"
    """A person ended it."""
    WORKER_LOST = "worker_lost"
    """Its worker has been away for longer than a nap of its network."""
    WORKER_REVOKED = "worker_revoked"
    TASK_PURGED = "task_purged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    session_id: SessionId
    person_id: PersonId
    task_id: TaskId
    worker_id: WorkerId
    opened_at: datetime
    active_at: datetime
    """When something happened in it last: a job moved, a follow-up came, somebody renewed it."""
    ended_at: datetime | None = None
    reason: EndReason | None = None
    """Why it is over; None while it is not."""
    ended_by: str = ""
    """Who ended it, in words that are kept; empty when nobody did."""

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def idle_at(self) -> datetime:
        """The last moment at which it is not idle for too long."""
        return self.active_at + _IDLE

    @property
    def aged_at(self) -> datetime:
        """The last moment at which it is not too old."""
        return self.opened_at + _AGE


def opened(
    session_id: SessionId, person_id: PersonId, task_id: TaskId, worker_id: WorkerId, now: datetime
) -> Session:
    return Session(
        session_id=session_id,
        person_id=person_id,
        task_id=task_id,
        worker_id=worker_id,
        opened_at=now,
        active_at=now,
    )


def settled(session: Session, now: datetime) -> Session:
    """Count what a clock that was set back left in the future as now."""
    if session.opened_at <= now and session.active_at <= now:
        return session
    return replace(
        session, opened_at=min(session.opened_at, now), active_at=min(session.active_at, now)
    )


def renewed(session: Session, now: datetime) -> Session:
    """Something happened in it: it is idle from here on; its age stays."""
    assert session.is_open
    before = settled(session, now)
    return replace(before, active_at=max(before.active_at, now))


def verdict(session: Session, now: datetime, *, is_busy: bool) -> EndReason | None:
    """Say why an open session is over; None while it lives.

    When both borders are behind it, the one that it came to first is the reason; at once, age.

    Args:
        session: open.
        now: by the clock on the wall.
        is_busy: a job of it is in its worker's hands.
    """
    assert session.is_open
    session = settled(session, now)
    if is_busy:
        return None
    ends = [
        (border, reason)
        for border, reason in (
            (session.aged_at, EndReason.AGE),
            (session.idle_at, EndReason.IDLE),
        )
        if now > border
    ]
    return min(ends, key=lambda end: end[0])[1] if ends else None


def takes_follow_ups(session: Session, now: datetime, *, is_busy: bool) -> bool:
    """Say whether something new may be done in it."""
    if not session.is_open or now > settled(session, now).aged_at:
        return False
    return verdict(session, now, is_busy=is_busy) is None


def lives_until(session: Session, now: datetime) -> datetime:
    """Return when it is over if nothing more happens in it."""
    session = settled(session, now)
    return min(session.idle_at, session.aged_at)


def end(session: Session, now: datetime, reason: EndReason, by: str = "") -> Session:
    """End it. What is over stays as it is."""
    if not session.is_open:
        return session
    return replace(settled(session, now), ended_at=now, reason=reason, ended_by=by)


def over(session: Session, now: datetime) -> Conflict:
    """The error for whoever wants something of a session that takes nothing new."""
    return Conflict(
        "session_ended",
        f"The session is over: {why_over(session, now)}.",
        "Ask without it; a new one begins by itself.",
    )


def why_over(session: Session, now: datetime) -> str:
    """Say why a session takes nothing new, as people read it behind a colon."""
    reason = session.reason or verdict(session, now, is_busy=False) or EndReason.AGE
    match reason:
        case EndReason.IDLE:
            return f"nothing happened in it for {IDLE_SECONDS / 60:.0f} minutes"
        case EndReason.AGE:
            return f"it was {AGE_SECONDS / 60:.0f} minutes old"
        case EndReason.PERSON:
            return f"{session.ended_by or 'somebody'} ended it"
        case EndReason.WORKER_LOST:
            return "its computer went away"
        case EndReason.WORKER_REVOKED:
            return "its computer was disconnected"
        case EndReason.TASK_PURGED:
            return "its task was deleted"
