"""Schedules as this computer knows them: the hub's last word on each, and what waits for the hub.

They are the hub's, for they have to fire while a computer sleeps. The events are the truth; what
was asked for here and has not reached the hub yet is shown on top of it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.events import ScheduleAsked
from shared.ids import SHORT_LENGTH, ScheduleId, short
from shared.schedules import ScheduleAction, ScheduleFacts

_PLACES = (
    "select distinct entity from event indexed by event_schedule where device = 'hub'"
    " and type in ('schedule_changed', 'schedule_ran', 'schedule_missed')"
)
_LAST = (
    "select type, body from event indexed by event_schedule where entity = ? and device = 'hub'"
    " and type in ('schedule_changed', 'schedule_ran', 'schedule_missed')"
    " order by epoch desc, seq desc limit 1"
)
_WAITING = (
    "select body from event indexed by event_schedule_asked where type = 'schedule_asked'"
    " and hub_seq is null order by hlc, seq"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRow:
    facts: ScheduleFacts
    waiting: ScheduleAction | None = None
    """What was asked for here last and waits for the hub; None when nothing does."""

    @property
    def schedule_id(self) -> ScheduleId:
        return self.facts.schedule_id

    @property
    def short(self) -> str:
        return short(self.facts.schedule_id)

    @property
    def is_paused(self) -> bool:
        """Whether it is held, or will be once the hub hears of it."""
        if self.waiting in ("pause", "resume"):
            return self.waiting == "pause"
        return bool(self.facts.paused)


def create(connection: sqlite3.Connection) -> None:
    """Find what is told of schedules at once: one step of the worker's migrations."""
    connection.execute(
        "create index event_schedule on event (entity, epoch desc, seq desc) where device = 'hub'"
        " and type in ('schedule_changed', 'schedule_ran', 'schedule_missed')"
    )
    connection.execute(
        "create index event_schedule_asked on event (hlc, seq)"
        " where type = 'schedule_asked' and hub_seq is null"
    )


def rows(connection: sqlite3.Connection) -> tuple[ScheduleRow, ...]:
    """All of this person's, the newest first."""
    found: dict[str, ScheduleRow] = {}
    for (place,) in connection.execute(_PLACES):
        facts = _last(connection, place)
        if facts is not None:
            found[facts.schedule_id] = ScheduleRow(facts=facts)
    for (body,) in connection.execute(_WAITING):
        _wait(found, body)
    return tuple(sorted(found.values(), key=lambda row: row.schedule_id, reverse=True))


def named(connection: sqlite3.Connection, name: str) -> ScheduleRow | None:
    """Find one by its four characters, or by its id."""
    wanted = name.strip().removeprefix("#")
    for row in rows(connection):
        is_short = len(wanted) == SHORT_LENGTH and row.short == wanted.upper()
        if is_short or row.schedule_id == wanted:
            return row
    return None


def _last(connection: sqlite3.Connection, place: str) -> ScheduleFacts | None:
    """What was told of one last; None when that was its end, or makes no sense here."""
    type_, body = connection.execute(_LAST, (place,)).fetchone()
    try:
        told = _Told.model_validate_json(body)
    except ValidationError:
        return None  # a newer hub's
    return None if type_ == "schedule_changed" and told.change == "deleted" else told.schedule


def _wait(found: dict[str, ScheduleRow], body: str) -> None:
    """Lay what was asked for here over what the hub told."""
    try:
        asked = ScheduleAsked.model_validate_json(body)
    except ValidationError:
        return
    if asked.action == "create":
        facts = ScheduleFacts(
            schedule_id=asked.schedule_id,
            words=asked.words,
            when=asked.when,
            cron="",
            zone=asked.zone,
            missed=asked.missed,
        )
        found.setdefault(asked.schedule_id, ScheduleRow(facts=facts, waiting="create"))
    elif asked.action == "delete":
        found.pop(asked.schedule_id, None)
    elif asked.schedule_id in found:
        found[asked.schedule_id] = replace(found[asked.schedule_id], waiting=asked.action)


class _Told(BaseModel):
    """As much of an event as is read here."""

    model_config = ConfigDict(extra="ignore")

    schedule: ScheduleFacts
    change: str = ""
