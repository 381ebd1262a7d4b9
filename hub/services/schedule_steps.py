"""What is done with schedules, as steps of a transaction.

What is due makes its task, sets the next time and tells of both in one commit: whoever dies in
between has done neither.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo

from hub.core import schedule as core
from hub.core.cron import next_after
from hub.core.schedule import Act, Paused, Schedule, Turn
from hub.services.deeds import Deeds, Made
from hub.services.requests import Request, checked_inputs
from hub.services.zones import time_zone
from hub.store import people, schedules
from hub.store.ledger import Entry
from hub.store.schedules import FAILED
from shared.errors import AppError, NotAllowed
from shared.events import ScheduleChanged, ScheduleMissed, ScheduleRan
from shared.ids import JobId, PersonId, ScheduleId
from shared.jobs import TITLE_CHARS_MAX
from shared.kinds import JsonObject
from shared.kinds.foreign import kind_for
from shared.kinds.naming import title_of
from shared.schedules import ScheduleChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What some words ask for."""

    kind: str
    inputs: JsonObject = field(default_factory=dict)
    worker: str = ""
    """The machine pinned by @name; empty when none was."""


ReadWords = Callable[[str], Said]
"""Reads words as if they were said in a conversation; raises AppError for what makes no job."""


def zone_of(schedule: Schedule) -> tzinfo:
    """The zone of a schedule; one that this machine knows no more counts as UTC."""
    return time_zone(schedule.zone) or UTC


def known(entry: Entry, person_id: PersonId | None, schedule_id: ScheduleId) -> Schedule:
    """Find a schedule of a person's, or anybody's when None.

    Raises:
        NotFound: `schedule_unknown`.
    """
    found = schedules.load(entry.connection, schedule_id)
    if found is None or person_id not in (None, found.person_id):
        raise core.schedule_unknown()
    return found


def create(entry: Entry, schedule: Schedule, by: str) -> Schedule:
    """Keep a new schedule, and set its first time.

    Raises:
        LimitReached: `too_many_schedules`.
        BadInput: `schedule_cron`.
    """
    core.check_room(schedules.count_of(entry.connection, schedule.person_id))
    made = replace(schedule, next_at=next_after(schedule.cron, zone_of(schedule), entry.now))
    _change(entry, made, "created", by)
    return made


def pause(entry: Entry, schedule: Schedule, by: str) -> Schedule:
    """Hold a schedule by its person's word. Idempotent."""
    if schedule.paused is not None:
        return schedule
    return _change(entry, core.paused(schedule, Paused.PERSON), "paused", by)


def resume(entry: Entry, schedule: Schedule, by: str) -> Schedule:
    """Let a schedule go on. Idempotent."""
    if schedule.paused is None:
        return schedule
    return _change(entry, core.resumed(schedule, zone_of(schedule), entry.now), "resumed", by)


def delete(entry: Entry, schedule: Schedule, by: str) -> None:
    """Remove a schedule; what it has begun goes on."""
    schedules.delete(entry, schedule.schedule_id)
    _tell_change(entry, schedule, "deleted", by)


def hold(entry: Entry, schedule: Schedule, reason: Paused, why: str) -> Schedule:
    """Pause a schedule by the hub's own word, and say why."""
    return _change(entry, core.paused(schedule, reason, why), "paused", "")


def settle(entry: Entry, schedule: Schedule) -> Schedule:
    """Set the next time anew after the clock was set back."""
    settled = core.settled(schedule, zone_of(schedule), entry.now)
    if settled is not schedule:
        schedules.save(entry, settled)
    return settled


def count_end(entry: Entry, ended: schedules.Ended) -> Schedule:
    """Count how a run ended; hold the schedule when it fails again and again."""
    counted = core.counted(ended.schedule, has_failed=ended.state in FAILED)
    if counted.failures >= core.FAILURES_MAX and counted.paused is None:
        why = f"It failed {counted.failures} times in a row."
        return hold(entry, counted, Paused.FAILING, why)
    schedules.save(entry, counted)
    return counted


def take_turn(entry: Entry, deeds: Deeds, read: ReadWords, schedule: Schedule) -> Schedule:
    """Do what a schedule's time that has come asks for."""
    running = schedules.is_running(entry.connection, schedule)
    turn = core.turn(schedule, zone_of(schedule), entry.now, is_running=running)
    moved = replace(schedule, next_at=turn.next_at, due_at=turn.due_at)
    if turn.act is not Act.RUN:
        return _miss(entry, moved, turn)
    try:
        made = _make(entry, deeds, read, moved, dedupe=_name_of(moved, turn.due_at))
    except AppError as error:
        return _refuse(entry, moved, error)
    if made.is_repeat:
        schedules.save(entry, moved)  # a clock that was set back came by here again
        return moved
    return _note_run(entry, moved, made, turn)


def run_now(
    entry: Entry, deeds: Deeds, read: ReadWords, schedule: Schedule, by: str, *, dedupe: str
) -> JobId:
    """Run a schedule once by its person's word, also while it is paused; its times stay.

    Raises:
        Conflict: `schedule_running`.
        AppError: as the intake.
    """
    if schedules.is_running(entry.connection, schedule):
        raise core.still_running(schedule)
    made = _make(entry, deeds, read, schedule, dedupe=dedupe)
    if not made.is_repeat:
        turn = Turn(act=Act.RUN, due_at=entry.now, missed=0, next_at=schedule.next_at or entry.now)
        _note_run(entry, replace(schedule, skipped=0), made, turn, by=by)
    return made.card.job_id


def _make(entry: Entry, deeds: Deeds, read: ReadWords, schedule: Schedule, *, dedupe: str) -> Made:
    """Make the task that its person's words would make, with the rights they have now."""
    _check_speaker(entry, schedule)
    said = read(schedule.words)
    kind = kind_for(said.kind, deeds.kinds)
    request = Request(
        person_id=schedule.person_id,
        kind=said.kind,
        inputs=said.inputs,
        text=schedule.words,
        conversation=schedule.conversation,
        origin=schedule.origin,
        worker_name=said.worker,
        dedupe=dedupe,
    )
    inputs = checked_inputs(kind, request)
    title = f"{title_of(kind, inputs)} · {schedule.when}"[:TITLE_CHARS_MAX]
    return deeds.request(entry, replace(request, inputs=inputs, title=title))


def _check_speaker(entry: Entry, schedule: Schedule) -> None:
    """Let the account that made a schedule speak for its person still.

    Raises:
        NotAllowed: `account_unlinked`.
    """
    if not schedule.account:
        return
    person = people.of_identity(entry.connection, schedule.frontend, schedule.account)
    if person is None or person.person_id != schedule.person_id:
        raise NotAllowed(
            "account_unlinked",
            "The chat account that made it does not speak for you any more.",
            "Make it anew where you are.",
        )


def _note_run(
    entry: Entry, schedule: Schedule, made: Made, turn: Turn, *, by: str = ""
) -> Schedule:
    job_id = made.card.job_id
    ran = core.ran(schedule, job_id, entry.now)
    schedules.save(entry, ran)
    missed = turn.missed + schedule.skipped
    body = ScheduleRan(
        schedule=ran.facts,
        task_id=made.card.job.task_id,
        due_at=turn.due_at,
        missed=missed,
        because="" if not missed else ("hub_off" if turn.missed else "running"),
        by=by[:100],
    )
    entry.tell(schedule.person_id, body, entity=schedule.schedule_id)
    return ran


def _miss(entry: Entry, schedule: Schedule, turn: Turn) -> Schedule:
    """Let a time pass, and tell of the first of several."""
    is_held = turn.act is Act.HOLD
    moved = replace(schedule, skipped=schedule.skipped + turn.missed if is_held else 0)
    schedules.save(entry, moved)
    if not is_held or schedule.skipped == 0:
        body = ScheduleMissed(
            schedule=moved.facts,
            reason="running" if is_held else "hub_off",
            missed=turn.missed,
        )
        entry.tell(schedule.person_id, body, entity=schedule.schedule_id)
    return moved


def _refuse(entry: Entry, schedule: Schedule, error: AppError) -> Schedule:
    """What its person may not do now, it may not: hold it, or try again the next time."""
    reason = Paused.UNLINKED if error.code == "account_unlinked" else core.pause_for(error)
    if reason is not None:
        return hold(entry, schedule, reason, str(error))
    counted = core.counted(schedule, has_failed=True)
    if counted.failures >= core.FAILURES_MAX:
        why = f"It failed {counted.failures} times in a row: {error}"
        return hold(entry, counted, Paused.FAILING, why)
    schedules.save(entry, counted)
    body = ScheduleMissed(schedule=counted.facts, reason="refused", error=error.body)
    entry.tell(schedule.person_id, body, entity=schedule.schedule_id)
    return counted


def _change(entry: Entry, schedule: Schedule, change: ScheduleChange, by: str) -> Schedule:
    schedules.save(entry, schedule)
    _tell_change(entry, schedule, change, by)
    return schedule


def _tell_change(entry: Entry, schedule: Schedule, change: ScheduleChange, by: str) -> None:
    body = ScheduleChanged(schedule=schedule.facts, change=change, by=by[:100])
    entry.tell(schedule.person_id, body, entity=schedule.schedule_id)


def _name_of(schedule: Schedule, due_at: datetime) -> str:
    """Name one run, so that it is made once."""
    return f"schedule:{schedule.schedule_id}:{due_at.timestamp():.0f}"
