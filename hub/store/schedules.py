"""Schedules, as rows. What is due is found by one index, however many there are."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import NamedTuple

from hub.core.schedule import Missed, Paused, Schedule
from hub.store.ledger import Entry
from shared.ids import ConversationId, JobId, PersonId, ScheduleId
from shared.jobs import JobState, Origin
from shared.times import from_ms, to_ms

GOING_ON = (
    JobState.QUEUED, JobState.OFFERED, JobState.GRANTED, JobState.RUNNING, JobState.ASKING,
)  # fmt: skip
"""States in which a run has not ended. One that was interrupted waits for a decision, and nothing
waits for that."""
FAILED = frozenset({JobState.FAILED, JobState.DEAD, JobState.INTERRUPTED})
"""States of a run that count as failures."""
_GOING_ON = ", ".join(f"'{state}'" for state in GOING_ON)
_COLUMNS = (
    "schedule_id", "person_id", "words", "cron", "zone", "missed", "conversation", "origin",
    "frontend", "account", "made_by", "created_ms", "next_ms", "paused", "why", "due_ms",
    "last_ms", "last_job_id", "is_open", "failures", "skipped",
)  # fmt: skip
_NAMES = ", ".join(_COLUMNS)
_SELECT = f"SELECT {', '.join(f's.{name}' for name in _COLUMNS)} FROM schedules s"
_SAVE = (
    f"INSERT INTO schedules ({_NAMES}) VALUES ({', '.join('?' * len(_COLUMNS))})"
    " ON CONFLICT (schedule_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[12:])
)
"""What comes after its making is what changes."""
_SCHEMA = (
    """CREATE TABLE schedules (
        schedule_id TEXT PRIMARY KEY,
        person_id TEXT NOT NULL,
        words TEXT NOT NULL,
        cron TEXT NOT NULL,
        zone TEXT NOT NULL,
        missed TEXT NOT NULL,
        conversation TEXT NOT NULL,
        origin TEXT NOT NULL,
        frontend TEXT NOT NULL,
        account TEXT NOT NULL,
        made_by TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        next_ms INTEGER,
        paused TEXT NOT NULL,
        why TEXT NOT NULL,
        due_ms INTEGER,
        last_ms INTEGER,
        last_job_id TEXT,
        is_open INTEGER NOT NULL,
        failures INTEGER NOT NULL,
        skipped INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX schedules_of_person ON schedules (person_id, schedule_id)",
    "CREATE INDEX schedules_due ON schedules (next_ms) WHERE next_ms IS NOT NULL",
    "CREATE INDEX schedules_open ON schedules (last_job_id) WHERE is_open = 1",
    "ALTER TABLE people ADD COLUMN zone TEXT NOT NULL DEFAULT ''",
)


class Ended(NamedTuple):
    """A schedule whose last run has ended."""

    schedule: Schedule
    state: JobState | None
    """How; None when that was forgotten."""


def create_schedules(connection: sqlite3.Connection) -> None:
    """Make the table, and let people name their time zone: one step of the hub's migrations."""
    for statement in _SCHEMA:
        connection.execute(statement)


def save(entry: Entry, schedule: Schedule) -> None:
    """Keep a schedule, new or changed."""
    entry.connection.execute(
        _SAVE,
        (
            schedule.schedule_id,
            schedule.person_id,
            schedule.words,
            schedule.cron,
            schedule.zone,
            schedule.missed,
            schedule.conversation,
            schedule.origin,
            schedule.frontend,
            schedule.account,
            schedule.made_by,
            to_ms(schedule.created_at),
            _ms(schedule.next_at),
            schedule.paused or "",
            schedule.why,
            _ms(schedule.due_at),
            _ms(schedule.last_at),
            schedule.last_job_id,
            int(schedule.is_open),
            schedule.failures,
            schedule.skipped,
        ),
    )


def delete(entry: Entry, schedule_id: ScheduleId) -> None:
    entry.connection.execute("DELETE FROM schedules WHERE schedule_id = ?", (schedule_id,))


def load(connection: sqlite3.Connection, schedule_id: ScheduleId) -> Schedule | None:
    row = connection.execute(f"{_SELECT} WHERE s.schedule_id = ?", (schedule_id,)).fetchone()
    return _schedule(row) if row else None


def of_person(
    connection: sqlite3.Connection,
    person_id: PersonId | None,
    *,
    before: ScheduleId | None = None,
    limit: int = -1,
) -> list[Schedule]:
    """A person's, or everybody's when None; the newest first."""
    rows = connection.execute(
        f"{_SELECT} WHERE (? IS NULL OR s.person_id = ?) AND (? IS NULL OR s.schedule_id < ?)"
        " ORDER BY s.schedule_id DESC LIMIT ?"
        if person_id is None
        else f"{_SELECT} INDEXED BY schedules_of_person WHERE ? IS NOT NULL AND s.person_id = ?"
        " AND (? IS NULL OR s.schedule_id < ?) ORDER BY s.schedule_id DESC LIMIT ?",
        (person_id, person_id, before, before, limit),
    )
    return [_schedule(row) for row in rows]


def count_of(connection: sqlite3.Connection, person_id: PersonId) -> int:
    (count,) = connection.execute(
        "SELECT count(*) FROM schedules WHERE person_id = ?", (person_id,)
    ).fetchone()
    return int(count)


def due(connection: sqlite3.Connection, now: datetime, limit: int) -> list[Schedule]:
    """Those whose time has come, the longest waiting first."""
    rows = connection.execute(
        f"{_SELECT} INDEXED BY schedules_due WHERE s.next_ms IS NOT NULL AND s.next_ms <= ?"
        " ORDER BY s.next_ms LIMIT ?",
        (to_ms(now), limit),
    )
    return [_schedule(row) for row in rows]


def ahead(connection: sqlite3.Connection, now: datetime) -> list[Schedule]:
    """Those whose time has not come."""
    rows = connection.execute(
        f"{_SELECT} INDEXED BY schedules_due WHERE s.next_ms IS NOT NULL AND s.next_ms > ?",
        (to_ms(now),),
    )
    return [_schedule(row) for row in rows]


def next_due(connection: sqlite3.Connection) -> datetime | None:
    """When to look again; None while nothing is to come."""
    row = connection.execute(
        "SELECT min(next_ms) FROM schedules INDEXED BY schedules_due WHERE next_ms IS NOT NULL"
    ).fetchone()
    return None if row[0] is None else from_ms(row[0])


def open_runs(connection: sqlite3.Connection) -> list[JobId]:
    """Runs whose end is to be counted."""
    rows = connection.execute(
        "SELECT last_job_id FROM schedules INDEXED BY schedules_open"
        " WHERE is_open = 1 AND last_job_id IS NOT NULL"
    )
    return [JobId(row[0]) for row in rows]


def ended(connection: sqlite3.Connection, limit: int) -> list[Ended]:
    """Those whose last run has ended, which is not counted yet."""
    rows = connection.execute(
        f"{_SELECT.replace(' FROM', ', j.state FROM')} INDEXED BY schedules_open"
        " LEFT JOIN jobs j ON j.job_id = s.last_job_id"
        f" WHERE s.is_open = 1 AND (j.state IS NULL OR j.state NOT IN ({_GOING_ON})) LIMIT ?",
        (limit,),
    )
    return [Ended(_schedule(row[:-1]), JobState(row[-1]) if row[-1] else None) for row in rows]


def is_running(connection: sqlite3.Connection, schedule: Schedule) -> bool:
    """Say whether the last run of a schedule still goes on."""
    row = connection.execute(
        f"SELECT 1 FROM jobs WHERE job_id = ? AND state IN ({_GOING_ON})", (schedule.last_job_id,)
    ).fetchone()
    return row is not None


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else to_ms(moment)


def _at(value: object) -> datetime | None:
    return from_ms(value) if isinstance(value, int) else None


def _schedule(row: tuple[object, ...]) -> Schedule:
    told = dict(zip(_COLUMNS, row, strict=True))
    created_at = _at(told["created_ms"])
    assert created_at is not None
    return Schedule(
        schedule_id=ScheduleId(str(told["schedule_id"])),
        person_id=PersonId(str(told["person_id"])),
        words=str(told["words"]),
        cron=str(told["cron"]),
        zone=str(told["zone"]),
        missed=Missed(str(told["missed"])),
        conversation=ConversationId(str(told["conversation"])),
        origin=Origin(str(told["origin"])),
        frontend=str(told["frontend"]),
        account=str(told["account"]),
        made_by=str(told["made_by"]),
        created_at=created_at,
        next_at=_at(told["next_ms"]),
        paused=Paused(str(told["paused"])) if told["paused"] else None,
        why=str(told["why"]),
        due_at=_at(told["due_ms"]),
        last_at=_at(told["last_ms"]),
        last_job_id=JobId(str(told["last_job_id"])) if told["last_job_id"] else None,
        is_open=bool(told["is_open"]),
        failures=int(str(told["failures"])),
        skipped=int(str(told["skipped"])),
    )
