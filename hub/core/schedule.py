"""A schedule: what its person says again and again, and what is to be done when it is due.

           made ──▶ waits ──── its time has come ──▶ a task, as if its person had said it
                    ▲   ▲                               │
                    │   └── the next time is set ◀──────┘ in the same commit
                    │
                 resumed ◀── paused: by its person, or by the hub, which says why

A run that is late by more than two minutes was missed: the hub was off. Of all that were missed,
one is made up for within a day, or none, as the person has it. While the last run still goes on,
no other is begun. After three failures in a row it is paused.

The clock on the wall is trusted as far as it goes forward. One that is set back brings nothing
twice that was done within the last day; what it had put further ahead was a mistake and is
worked out anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from hub.core import cron as fields
from hub.core.schedule_telling import describe
from shared.errors import AppError, BadInput, Conflict, LimitReached, NotFound
from shared.ids import ConversationId, JobId, PersonId, ScheduleId, short
from shared.jobs import Origin
from shared.schedules import WHEN_CHARS_MAX, WHY_CHARS_MAX, WORDS_CHARS_MAX, ScheduleFacts

SHORTEST_SECONDS = 5 * 60.0
"""Nobody reads a chat more often."""
SCHEDULES_MAX = 100
"""Of one person."""
FAILURES_MAX = 3
"""Failures in a row after which it is paused."""
ON_TIME_SECONDS = 120.0
"""A run that comes later than this was missed."""
MADE_UP_SECONDS = 24 * 3600.0
"""What was missed longer ago than this is not made up for."""
MISSED_MAX = 1000
"""More are not counted."""


class Paused(StrEnum):
    """Why a schedule is not run."""

    PERSON = "person"
    FAILING = "failing"
    LOCKED = "locked"
    UNLINKED = "unlinked"
    REFUSED = "refused"


class Missed(StrEnum):
    """What is done about runs that were missed."""

    ONCE = "once"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    schedule_id: ScheduleId
    person_id: PersonId
    words: str
    """What is said, as its person would: a command, or plain words."""
    cron: str
    zone: str
    """The name of the time zone it was made in, and keeps."""
    missed: Missed = Missed.ONCE
    conversation: ConversationId
    """Where it was said, and where its runs are told; empty when nowhere."""
    origin: Origin
    """What is said in that conversation comes from there."""
    frontend: str = ""
    account: str = ""
    """The chat account that said it, which has to speak for its person still; empty for none."""
    made_by: str
    """Who made it, in words: "anna on Telegram"."""
    created_at: datetime
    next_at: datetime | None = None
    """When it is due; None while it is paused."""
    paused: Paused | None = None
    why: str = ""
    """What the hub paused it for, in a sentence."""
    due_at: datetime | None = None
    """The newest time that was seen to: what is not later is not done again."""
    last_at: datetime | None = None
    """When it was run last."""
    last_job_id: JobId | None = None
    is_open: bool = False
    """How the last run ended is not counted yet."""
    failures: int = 0
    """Runs in a row that failed."""
    skipped: int = 0
    """Times since the last run at which nothing was done."""

    @property
    def when(self) -> str:
        return describe(self.cron)

    @property
    def short(self) -> str:
        return short(self.schedule_id)

    @property
    def facts(self) -> ScheduleFacts:
        return ScheduleFacts(
            schedule_id=self.schedule_id,
            words=self.words,
            when=self.when[:WHEN_CHARS_MAX],
            cron=self.cron,
            zone=self.zone,
            missed=self.missed.value,
            paused=self.paused.value if self.paused else "",
            why=self.why,
            next_at=self.next_at,
            last_at=self.last_at,
            last_job_id=self.last_job_id,
            failures=self.failures,
            conversation=self.conversation,
        )


class Act(StrEnum):
    """What is done about a schedule whose time has come."""

    RUN = "run"
    MISS = "miss"
    """Too late, and not to be made up for."""
    HOLD = "hold"
    """The last run still goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a schedule's time that has come means."""

    act: Act
    due_at: datetime
    """The newest time that has come."""
    missed: int
    """Times that have come, without the one that is run."""
    next_at: datetime


def checked_words(words: str) -> str:
    """Return what is to be done, if it is short enough and not nothing.

    Raises:
        BadInput: `schedule_words_missing`, `schedule_words_long`.
    """
    told = words.strip()
    if not told:
        raise BadInput(
            "schedule_words_missing",
            "What should be done then?",
            "For example: /every weekday 8:00 /predict churn new.csv",
        )
    if len(told) > WORDS_CHARS_MAX:
        raise BadInput(
            "schedule_words_long",
            f"What is to be done has {len(told):,} characters, {WORDS_CHARS_MAX:,} are allowed.",
            "Put the long part into a file and name the file.",
        )
    return told


def check_pace(cron: str) -> None:
    """Let nothing be done more often than anybody could read.

    Raises:
        BadInput: `schedule_too_often`.
    """
    shortest = fields.shortest_seconds(cron)
    if shortest < SHORTEST_SECONDS:
        raise BadInput(
            "schedule_too_often",
            f"That is every {shortest / 60:g} minute{'' if shortest == 60 else 's'} at times; "
            f"every {SHORTEST_SECONDS / 60:g} minutes is the most.",
            "For example: every 15 minutes.",
        )


def check_room(count: int) -> None:
    """Let a person have so many and no more.

    Raises:
        LimitReached: `too_many_schedules`.
    """
    if count >= SCHEDULES_MAX:
        raise LimitReached(
            "too_many_schedules",
            f"You have {count} schedules already.",
            "Remove one: /schedules lists them.",
        )


def turn(schedule: Schedule, zone: tzinfo, now: datetime, *, is_running: bool) -> Turn:
    """Say what is to be done about a schedule whose time has come.

    Args:
        schedule: due.
        zone: its time zone.
        now: by the clock on the wall; not before it is due.
        is_running: its last run still goes on.
    """
    assert schedule.next_at is not None
    assert schedule.next_at <= now
    just_before = schedule.next_at - timedelta(seconds=1)
    count = fields.count_between(schedule.cron, zone, just_before, now, count_max=MISSED_MAX)
    newest = fields.last_before(schedule.cron, zone, now)
    due_at = max(newest or schedule.next_at, schedule.next_at)
    late_seconds = (now - due_at).total_seconds()
    is_fresh = late_seconds <= ON_TIME_SECONDS
    makes_up = schedule.missed is Missed.ONCE and late_seconds <= MADE_UP_SECONDS
    in_time = Act.RUN if is_fresh or makes_up else Act.MISS
    act = Act.HOLD if is_running else in_time
    return Turn(
        act=act,
        due_at=due_at,
        missed=max(1, count) - (1 if is_fresh and act is Act.RUN else 0),
        next_at=fields.next_after(schedule.cron, zone, now),
    )


def following(schedule: Schedule, zone: tzinfo, now: datetime) -> datetime:
    """Return when it is due next, of what was not seen to yet."""
    start = now
    if schedule.due_at is not None and schedule.due_at - now < timedelta(seconds=MADE_UP_SECONDS):
        start = max(now, schedule.due_at)
    return fields.next_after(schedule.cron, zone, start)


def settled(schedule: Schedule, zone: tzinfo, now: datetime) -> Schedule:
    """Take back what a clock that was set back had put too far ahead."""
    if schedule.next_at is None or schedule.next_at <= now:
        return schedule
    next_at = following(schedule, zone, now)
    return schedule if schedule.next_at <= next_at else replace(schedule, next_at=next_at)


def paused(schedule: Schedule, reason: Paused, why: str = "") -> Schedule:
    """Hold it. One that is held keeps its first reason."""
    if schedule.paused is not None:
        return schedule
    return replace(schedule, paused=reason, why=why[:WHY_CHARS_MAX], next_at=None)


def resumed(schedule: Schedule, zone: tzinfo, now: datetime) -> Schedule:
    """Let it go on from now; what came in between is nobody's."""
    if schedule.paused is None:
        return schedule
    return replace(
        schedule,
        paused=None,
        why="",
        failures=0,
        skipped=0,
        next_at=following(schedule, zone, now),
    )


def ran(schedule: Schedule, job_id: JobId, now: datetime) -> Schedule:
    """A task was made of it."""
    return replace(schedule, last_at=now, last_job_id=job_id, is_open=True, skipped=0)


def counted(schedule: Schedule, *, has_failed: bool) -> Schedule:
    """Its last run has ended."""
    failures = schedule.failures + 1 if has_failed else 0
    return replace(schedule, is_open=False, failures=failures)


def pause_for(error: AppError) -> Paused | None:
    """Say what a refusal of its task means for it; None when that may pass by itself."""
    if error.code == "account_locked":
        return Paused.LOCKED
    return None if isinstance(error, LimitReached) else Paused.REFUSED


def schedule_unknown() -> NotFound:
    return NotFound(
        "schedule_unknown", "There is no such schedule.", "/schedules lists those that there are."
    )


def still_running(schedule: Schedule) -> Conflict:
    of = f" (#{short(schedule.last_job_id)})" if schedule.last_job_id else ""
    return Conflict(
        "schedule_running",
        f"The last run{of} has not ended.",
        "Wait for it, or stop it, and try again.",
    )
