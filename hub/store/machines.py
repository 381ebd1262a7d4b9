"""What is known of several computers at once: what they hold, what they lack, who is mistrusted."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import TypeAdapter

from hub.core.job import JobCard
from hub.store import jobs
from hub.store.signers import WARNED_MS
from shared.capabilities import Lacking
from shared.ids import JobId, PersonId, WorkerId
from shared.times import to_ms

_LACKING: TypeAdapter[tuple[Lacking, ...]] = TypeAdapter(tuple[Lacking, ...])
RECENT_MAX = 5_000
"""Of a person's newest jobs, those among which a computer's last ones are looked for."""


def held_jobs(
    connection: sqlite3.Connection, worker_ids: Sequence[WorkerId]
) -> dict[WorkerId, list[JobCard]]:
    """The jobs in each computer's hands, the oldest first."""
    found: dict[WorkerId, list[JobCard]] = {}
    for worker_id in worker_ids:
        rows = connection.execute(
            "SELECT job_id FROM jobs WHERE is_held = 1 AND worker_id = ? AND part_of IS NULL"
            " ORDER BY job_id",
            (worker_id,),
        ).fetchall()
        cards = [jobs.card(connection, JobId(job_id)) for (job_id,) in rows]
        found[worker_id] = [card for card in cards if card is not None]
    return found


def lacking(
    connection: sqlite3.Connection, worker_ids: Sequence[WorkerId]
) -> dict[WorkerId, tuple[Lacking, ...]]:
    """What each computer said it has no tools for; only of those that said so."""
    rows = connection.execute(
        "SELECT worker_id, lacking FROM worker_said WHERE lacking <> '[]' AND worker_id IN"
        f" ({_marks(worker_ids)})",
        tuple(worker_ids),
    )
    return {WorkerId(row[0]): _LACKING.validate_json(row[1]) for row in rows}


def mistrusted(
    connection: sqlite3.Connection, worker_ids: Sequence[WorkerId], now: datetime
) -> frozenset[WorkerId]:
    """Those whose person was warned within the last day that their reports are not signed."""
    rows = connection.execute(
        "SELECT worker_id FROM signers WHERE warned_ms > ? AND worker_id IN"
        f" ({_marks(worker_ids)})",
        (to_ms(now) - WARNED_MS, *worker_ids),
    )
    return frozenset(WorkerId(row[0]) for row in rows)


def last_jobs(
    connection: sqlite3.Connection, person_id: PersonId, worker_id: WorkerId, limit: int
) -> list[JobCard]:
    """What a computer worked on last, the newest first, among its person's RECENT_MAX jobs."""
    rows = connection.execute(
        "SELECT job_id FROM (SELECT job_id, worker_id FROM jobs WHERE person_id = ?"
        " AND part_of IS NULL ORDER BY job_id DESC LIMIT ?) WHERE worker_id = ? LIMIT ?",
        (person_id, RECENT_MAX, worker_id, limit),
    ).fetchall()
    cards = [jobs.card(connection, JobId(job_id)) for (job_id,) in rows]
    return [card for card in cards if card is not None]


def names(connection: sqlite3.Connection, person_id: PersonId | None) -> Mapping[WorkerId, str]:
    """What a person's computers are called, those that were shown out included."""
    rows = connection.execute(
        "SELECT worker_id, name FROM workers WHERE ? IS NULL OR person_id = ?",
        (person_id, person_id),
    )
    return {WorkerId(worker_id): str(name) for worker_id, name in rows}


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
