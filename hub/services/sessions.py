"""Sessions for those who look at them, open, renew or end one; and the end of those that are over.

What happens in a session stands with its jobs, so nothing is written here while one works. The
loop sleeps until the next one may be over; a session that is past its age and still at work is
looked at when its job moves.
"""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from hub.core import session as core
from hub.core.session import AGE_SECONDS, EndReason, Session
from hub.services import session_steps
from hub.services.locked import check_unlocked
from hub.services.requests import worker_named
from hub.store import sessions, tasks
from hub.store.ledger import Entry, Ledger
from hub.store.sessions import Listed, Seen, Wanted
from shared.errors import AppError
from shared.ids import PersonId, SessionId, TaskId, WorkerId

log = structlog.get_logger()

PAGE_MAX = 200
SWEEP_MAX = 200
"""Sessions looked at in one transaction."""
LOOK_SECONDS_MAX = 300.0
"""A clock on the wall may jump; the loop looks at least this often where it stands."""
STEP_SECONDS = 0.01
"""A moment is over once the clock, which counts in milliseconds, is past it."""
TROUBLE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCard:
    """All that its person may read of a session."""

    session: Session
    task_text: str
    """What its task was asked in."""
    title: str
    """Of its newest job; empty before there is one."""
    worker_name: str
    jobs: int
    """How many it has or had."""
    is_busy: bool
    """A job of it is in its worker's hands."""
    takes_follow_ups: bool
    """Something new may be done in it."""
    lives_until: datetime | None
    """When it is over if nothing more happens in it; None when it is over, and while it is busy
    past its age: then it is over when that job is."""

    @property
    def session_id(self) -> SessionId:
        return self.session.session_id

    @property
    def worker_id(self) -> WorkerId:
        return self.session.worker_id


class Sessions:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._overtime: set[SessionId] = set()
        """Past their age and still at work: over when that is."""
        self._stirred = asyncio.Event()
        ledger.listeners.append(self._follow)

    async def rebuild(self) -> None:
        """After a start: know which are past their age."""
        moment = self._now - timedelta(seconds=AGE_SECONDS)
        self._overtime = set(await self._ledger.read(lambda c: sessions.opened_before(c, moment)))

    # Looking. `person_id` None means the hub's own operator: everybody's.

    async def page(
        self,
        person_id: PersonId | None,
        *,
        is_open: bool | None = None,
        task_id: TaskId | None = None,
        worker_id: WorkerId | None = None,
        limit: int = 50,
        before: SessionId | None = None,
    ) -> tuple[SessionCard, ...]:
        """A page of sessions, the newest first.

        Args:
            person_id: whose.
            is_open: only those that are open, or over; both when None.
            task_id: only of this task.
            worker_id: only on this worker.
            limit: 1 to PAGE_MAX.
            before: the last one of the page before; None for the first page.
        """
        wanted = Wanted(
            person_id=person_id,
            is_open=is_open,
            task_id=task_id,
            worker_id=worker_id,
            before=before,
        )
        count = max(1, min(limit, PAGE_MAX))
        found = await self._ledger.look(lambda c: sessions.page(c, wanted, count))
        return tuple(self._card(listed) for listed in found)

    async def get(self, person_id: PersonId | None, session_id: SessionId) -> SessionCard:
        """One session.

        Raises:
            NotFound: `session_unknown`; also for another person's.
        """
        listed = await self._ledger.read(lambda c: sessions.listed(c, session_id))
        if listed is None or person_id not in (None, listed.seen.session.person_id):
            raise session_steps.session_unknown()
        return self._card(listed)

    async def of_task(self, person_id: PersonId | None, task_id: TaskId) -> SessionCard | None:
        """A task's session: the open one, else the one that was opened last; None without any."""

        def read(connection: sqlite3.Connection) -> Listed | None:
            seen = sessions.newest_of_task(connection, task_id)
            if seen is None or person_id not in (None, seen.session.person_id):
                return None
            return sessions.listed(connection, seen.session.session_id)

        listed = await self._ledger.read(read)
        return self._card(listed) if listed else None

    # Doing.

    async def open(
        self, person_id: PersonId | None, task_id: TaskId, worker_name: str
    ) -> SessionCard:
        """Open a session for a task on a worker; the one that is open there is renewed.

        Args:
            person_id: whose task and worker they must be.
            task_id: which.
            worker_name: the worker's name or id.

        Raises:
            NotFound: `task_unknown`, `worker_unknown`.
            NotAllowed: `account_locked`.
        """
        minted = SessionId(self._ledger.environment.new_id())

        def run(entry: Entry) -> SessionId:
            task = tasks.load(entry.connection, task_id)
            if task is None or person_id not in (None, task.person_id):
                raise session_steps.task_unknown()
            check_unlocked(entry, task.person_id)
            worker_id = worker_named(entry, task.person_id, worker_name)
            seen = sessions.open_of(entry.connection, task_id, worker_id)
            if seen is not None and _takes(seen, entry.now):
                _renew(entry, seen)
                return seen.session.session_id
            if seen is not None and not seen.is_busy:
                # Its time is over, and the sweep has not come by yet.
                reason = core.verdict(seen.session, entry.now, is_busy=False)
                session_steps.end(entry, seen, reason or EndReason.AGE)
            session_steps.open_session(entry, task.person_id, task_id, worker_id, minted)
            return minted

        return await self.get(person_id, await self._ledger.write(run))

    async def renew(self, person_id: PersonId | None, session_id: SessionId) -> SessionCard:
        """Somebody needs it still: its idle time begins anew, its age does not.

        Raises:
            NotFound: `session_unknown`.
            Conflict: `session_ended`.
        """

        def run(entry: Entry) -> None:
            seen = session_steps.known(entry, person_id, session_id)
            session_steps.check_living(entry, seen)
            _renew(entry, seen)

        await self._ledger.write(run)
        return await self.get(person_id, session_id)

    async def terminate(
        self, person_id: PersonId | None, session_id: SessionId, by: str
    ) -> SessionCard:
        """End a session by a person's word; what runs in it goes on. Idempotent.

        Args:
            person_id: whose it must be.
            session_id: which.
            by: who says so, in words that are kept: "anna on Telegram".

        Raises:
            NotFound: `session_unknown`.
        """

        def run(entry: Entry) -> None:
            seen = session_steps.known(entry, person_id, session_id)
            if seen.session.is_open:
                session_steps.end(entry, seen, EndReason.PERSON, by)

        await self._ledger.write(run, is_vital=True)
        return await self.get(person_id, session_id)

    # Ending what is over.

    async def run(self) -> None:
        """Look when the next session may be over."""
        while True:
            try:
                wait_seconds = await self.run_once()
            except AppError as error:
                log.warning("sessions_unswept", code=error.code, error=str(error))
                wait_seconds = TROUBLE_SECONDS
            try:
                async with asyncio.timeout(wait_seconds):
                    await self._stirred.wait()
            except TimeoutError:
                continue

    async def run_once(self) -> float:
        """End what is over; return after how many seconds there may be more to do."""
        self._stirred.clear()
        while await self._sweep():
            pass
        due_at = await self._ledger.read(sessions.next_due)
        if due_at is None:
            return LOOK_SECONDS_MAX
        left = (due_at - self._now).total_seconds() + STEP_SECONDS
        return min(LOOK_SECONDS_MAX, max(STEP_SECONDS, left))

    async def _sweep(self) -> bool:
        """Look at those that are due, a stretch at a time; return whether there may be more."""
        now, overtime = self._now, set(self._overtime)
        if not overtime and not await self._ledger.read(lambda c: sessions.due(c, now, 1)):
            return False

        def run(entry: Entry) -> tuple[int, list[SessionId], set[SessionId]]:
            found = sessions.due(entry.connection, entry.now, SWEEP_MAX)
            told = {seen.session.session_id for seen in found}
            more = [sessions.load(entry.connection, one) for one in overtime - told]
            seen = [*found, *(one for one in more if one is not None and one.session.is_open)]
            ended = [one.session.session_id for one in seen if _judge(entry, one)]
            late = {
                one.session.session_id
                for one in seen
                if one.session.session_id not in ended and entry.now > one.session.aged_at
            }
            return len(found), ended, late

        count, ended, late = await self._ledger.write(run)
        self._overtime = late
        if ended:
            log.info("sessions_ended", sessions=len(ended))
        return count == SWEEP_MAX

    def _follow(self, entry: Entry) -> None:
        """A job of a session that is past its age has moved: that may have been the last."""
        if self._overtime and any(
            job.session_id in self._overtime and not job.life.is_held for job in entry.jobs
        ):
            self._stirred.set()

    @property
    def _now(self) -> datetime:
        return self._ledger.environment.now()

    def _card(self, listed: Listed) -> SessionCard:
        session, is_busy = listed.seen
        now = self._now
        takes = core.takes_follow_ups(session, now, is_busy=is_busy)
        until: datetime | None = None
        if session.is_open and (takes or not is_busy):
            # Whatever is in hand counts as activity until it is over.
            until = core.lives_until(core.renewed(session, now) if is_busy else session, now)
        return SessionCard(
            session=session,
            task_text=listed.task_text,
            title=listed.title,
            worker_name=listed.worker_name,
            jobs=listed.jobs,
            is_busy=is_busy,
            takes_follow_ups=takes,
            lives_until=until,
        )


def _takes(seen: Seen, now: datetime) -> bool:
    return core.takes_follow_ups(seen.session, now, is_busy=seen.is_busy)


def _renew(entry: Entry, seen: Seen) -> None:
    sessions.save(entry, core.renewed(seen.session, entry.now))


def _judge(entry: Entry, seen: Seen) -> bool:
    """End a session that is over, or note when to look at it again; say whether it is over."""
    reason = core.verdict(seen.session, entry.now, is_busy=seen.is_busy)
    if reason is not None:
        session_steps.end(entry, seen, reason)
        return True
    if seen.is_busy:
        session = core.renewed(seen.session, entry.now)
        # Past its age it is over when its job is: that job's last move wakes the loop.
        is_late = entry.now > session.aged_at
        due_at = session.idle_at if is_late else core.lives_until(session, entry.now)
        sessions.save(entry, session, due_at)
    else:
        sessions.save(entry, core.settled(seen.session, entry.now))
    return False
