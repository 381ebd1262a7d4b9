"""Schedules: made, listed, held and removed by their person; run by a loop when they are due.

The loop sleeps until the next is due, a minute at most, for the clock on the wall may jump.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import structlog

from hub.core import schedule as core
from hub.core.cron import upcoming
from hub.core.job import Job
from hub.core.schedule import Schedule
from hub.core.schedule_telling import describe
from hub.services import schedule_steps
from hub.services.schedule_deeds import NewSchedule, ScheduleDeeds, read_when
from hub.services.zones import zone_named
from hub.store import people, said, schedules
from hub.store.ledger import Entry, Ledger
from shared.errors import AppError
from shared.events import ScheduleRan
from shared.ids import SHORT_LENGTH, JobId, PersonId, ScheduleId, short

log = structlog.get_logger()

PAGE_MAX = 200
AT_ONCE = 20
"""Schedules that one transaction sees to: others must not wait for long."""
LOOK_SECONDS_MAX = 60.0
STEP_SECONDS = 0.01
"""A time has come once the clock, which counts in milliseconds, is past it."""
SET_BACK_SECONDS = 5.0
"""A clock that lost more than this against the machine's own was set back."""
TROUBLE_SECONDS = 5.0
PREVIEW = 5
_CHANGED = frozenset({"schedule_changed", "schedule_ran"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a schedule would be."""

    when: str
    cron: str
    zone: str
    times: tuple[datetime, ...]
    """The next ones, in UTC."""


class Schedules:
    def __init__(self, ledger: Ledger, doing: ScheduleDeeds) -> None:
        self._ledger = ledger
        self._doing = doing
        self._open: set[JobId] = set()
        """Runs whose end is to be counted."""
        self._stirred = asyncio.Event()
        self._clock = self._clocks()
        ledger.listeners.append(self._follow)

    async def rebuild(self) -> None:
        """After a start: know what runs, and take back what a wrong clock had put too far ahead."""
        self._open = set(await self._ledger.read(schedules.open_runs))
        await self._settle()

    # Looking. `person_id` None means the hub's own operator: everybody's.

    async def page(
        self, person_id: PersonId | None, *, limit: int = 50, before: ScheduleId | None = None
    ) -> tuple[Schedule, ...]:
        """A page of schedules, the newest first."""
        count = max(1, min(limit, PAGE_MAX))
        found = await self._ledger.look(
            lambda c: schedules.of_person(c, person_id, before=before, limit=count)
        )
        return tuple(found)

    async def get(self, person_id: PersonId | None, schedule_id: ScheduleId) -> Schedule:
        """One schedule.

        Raises:
            NotFound: `schedule_unknown`; also for another person's.
        """
        found = await self._ledger.read(lambda c: schedules.load(c, schedule_id))
        if found is None or person_id not in (None, found.person_id):
            raise core.schedule_unknown()
        return found

    async def named(self, person_id: PersonId, name: str) -> Schedule:
        """Find a schedule by its four characters, or by its id.

        Raises:
            NotFound: `schedule_unknown`.
        """
        wanted = name.strip().removeprefix("#")
        for one in await self._ledger.read(lambda c: schedules.of_person(c, person_id)):
            is_short = len(wanted) == SHORT_LENGTH and short(one.schedule_id) == wanted.upper()
            if is_short or one.schedule_id == wanted:
                return one
        raise core.schedule_unknown()

    async def preview(self, person_id: PersonId, said_when: str, zone: str = "") -> Preview:
        """Say when a schedule would be due next.

        Raises:
            BadInput: `schedule_words` and others that say what is wrong with it, `zone_unknown`.
        """
        found = read_when(said_when)
        name = found.zone or zone or await self.zone_name(person_id)
        times = islice(upcoming(found.cron, zone_named(name), self._now), PREVIEW)
        return Preview(when=describe(found.cron), cron=found.cron, zone=name, times=tuple(times))

    async def zone_name(self, person_id: PersonId) -> str:
        """The time zone of a person: named by them, their computer's, else the hub's."""
        return await self._ledger.read(lambda c: said.zone(c, person_id)) or self._doing.hub_zone

    async def set_zone(self, person_id: PersonId, name: str) -> str:
        """Let a person name their time zone; empty: that of their computer again.

        Raises:
            BadInput: `zone_unknown`.
        """
        if name:
            zone_named(name)
        await self._ledger.write(lambda entry: people.set_zone(entry, person_id, name))
        return await self.zone_name(person_id)

    # Doing.

    async def create(self, new: NewSchedule) -> Schedule:
        """Make a schedule.

        Raises:
            BadInput: what is wrong with its words, its time or its zone.
            LimitReached: `too_many_schedules`.
            NotAllowed: `account_locked`.
        """
        made = await self._ledger.write(lambda entry: self._doing.create(entry, new))
        log.info("schedule_created", schedule_id=made.schedule_id, cron=made.cron, by=new.by)
        return made

    async def pause(self, person_id: PersonId | None, schedule_id: ScheduleId, by: str) -> Schedule:
        """Hold a schedule until somebody resumes it. Idempotent.

        Raises:
            NotFound: `schedule_unknown`.
        """
        return await self._ledger.write(
            lambda entry: schedule_steps.pause(
                entry, schedule_steps.known(entry, person_id, schedule_id), by
            ),
            is_vital=True,
        )

    async def resume(
        self, person_id: PersonId | None, schedule_id: ScheduleId, by: str
    ) -> Schedule:
        """Let a schedule go on. Idempotent.

        Raises:
            NotFound: `schedule_unknown`.
            NotAllowed: `account_locked`.
        """
        return await self._ledger.write(
            lambda entry: self._doing.resume(entry, person_id, schedule_id, by)
        )

    async def delete(self, person_id: PersonId | None, schedule_id: ScheduleId, by: str) -> None:
        """Remove a schedule; what it has begun goes on.

        Raises:
            NotFound: `schedule_unknown`.
        """
        await self._ledger.write(
            lambda entry: schedule_steps.delete(
                entry, schedule_steps.known(entry, person_id, schedule_id), by
            ),
            is_vital=True,
        )

    async def run_now(self, person_id: PersonId | None, schedule_id: ScheduleId, by: str) -> JobId:
        """Run a schedule once, beside its times.

        Raises:
            NotFound: `schedule_unknown`.
            Conflict: `schedule_running`.
            AppError: as asking for it would.
        """
        return await self._ledger.write(
            lambda entry: self._doing.run_now(entry, person_id, schedule_id, by)
        )

    # Running what is due.

    async def run(self) -> None:
        """Look when the next schedule is due."""
        while True:
            try:
                wait_seconds = await self.run_once()
            except AppError as error:
                log.warning("schedules_rest", code=error.code, error=str(error))
                wait_seconds = TROUBLE_SECONDS
            try:
                async with asyncio.timeout(wait_seconds):
                    await self._stirred.wait()
            except TimeoutError:
                continue

    async def run_once(self) -> float:
        """Do what is due; return after how many seconds there may be more to do."""
        self._stirred.clear()
        await self._mind_clock()
        while await self._in_turn(self._count_ended) or await self._in_turn(self._take_turns):
            pass
        due_at = await self._ledger.read(schedules.next_due)
        if due_at is None:
            return LOOK_SECONDS_MAX
        left = (due_at - self._now).total_seconds() + STEP_SECONDS
        return min(LOOK_SECONDS_MAX, max(STEP_SECONDS, left))

    async def _in_turn(self, step: Callable[[Entry], int]) -> bool:
        """Take a step when it has something to do; return whether there may be more."""
        now = self._now
        has_any = await self._ledger.read(
            lambda c: bool(
                schedules.ended(c, 1) if step == self._count_ended else schedules.due(c, now, 1)
            )
        )
        return has_any and await self._ledger.write(step) == AT_ONCE

    def _count_ended(self, entry: Entry) -> int:
        found = schedules.ended(entry.connection, AT_ONCE)
        for one in found:
            schedule_steps.count_end(entry, one)
        return len(found)

    def _take_turns(self, entry: Entry) -> int:
        found = schedules.due(entry.connection, entry.now, AT_ONCE)
        for one in found:
            self._doing.take_turn(entry, one)
        return len(found)

    async def _mind_clock(self) -> None:
        """Set times anew when the clock on the wall was set back."""
        (wall, monotonic), self._clock = self._clock, self._clocks()
        passed = self._clock[1] - monotonic
        if self._clock[0] - wall < timedelta(seconds=passed - SET_BACK_SECONDS):
            log.info("schedules_clock_set_back")
            await self._settle()

    async def _settle(self) -> None:
        """Take back times that a wrong clock had put too far ahead."""
        ahead = await self._ledger.read(lambda c: schedules.ahead(c, self._now))
        if not ahead:
            return

        def run(entry: Entry) -> None:
            for one in schedules.ahead(entry.connection, entry.now):
                schedule_steps.settle(entry, one)

        await self._ledger.write(run)

    def _follow(self, entry: Entry) -> None:
        """Wake the loop when a time was set, or a run has ended."""
        told = [fact for fact in entry.facts if fact.type in _CHANGED]
        self._open |= {
            JobId(fact.body.schedule.last_job_id)
            for fact in told
            if isinstance(fact.body, ScheduleRan) and fact.body.schedule.last_job_id
        }
        ended = {job.job_id for job in entry.jobs if job.job_id in self._open and _is_over(job)}
        self._open -= ended
        if told or ended:
            self._stirred.set()

    @property
    def is_stirred(self) -> bool:
        """Whether the loop is to look before its time."""
        return self._stirred.is_set()

    def _clocks(self) -> tuple[datetime, float]:
        environment = self._ledger.environment
        return environment.now(), environment.monotonic()

    @property
    def _now(self) -> datetime:
        return self._ledger.environment.now()


def _is_over(job: Job) -> bool:
    return job.life.state not in schedules.GOING_ON
