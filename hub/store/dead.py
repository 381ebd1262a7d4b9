"""Dead letters: which there are, and why they died: every failed attempt of each."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from hub.core.dead_letter import DeadFilter, Failure
from hub.core.job import JobCard
from hub.store.jobs import CARD, to_card
from hub.store.row_walks import IS_WHOLE
from shared.errors import ErrorBody
from shared.fleet import FLEET_PLATFORM
from shared.ids import JobId, PersonId, WorkerId
from shared.times import to_ms

FAILURES_MAX = 10
"""Of one job, the latest: a person may have had it tried again and again."""

STARTS_MAX = 5 * FAILURES_MAX
"""Beside those that failed there are some that were lost with their worker."""

COUNTED_MAX = 1_000
"""Nobody needs to know of more at a glance."""


def create_tries(connection: sqlite3.Connection) -> None:
    """Know which node of the fleet had which attempt: one step of the hub's migrations."""
    connection.execute(
        "CREATE TABLE fleet_tries (job_id TEXT NOT NULL, attempt INTEGER NOT NULL,"
        " node TEXT NOT NULL, PRIMARY KEY (job_id, attempt)) STRICT, WITHOUT ROWID"
    )


def note_node(connection: sqlite3.Connection, job_id: JobId, attempt: int, node: str) -> None:
    """An attempt begins on a node of the fleet. Idempotent."""
    connection.execute(
        "INSERT OR REPLACE INTO fleet_tries VALUES (?, ?, ?)", (job_id, attempt, node)
    )


_WORKED = "EXISTS (SELECT 1 FROM workers AS w WHERE w.worker_id = j.worker_id AND {})"


def page(
    connection: sqlite3.Connection, person_id: PersonId | None, wanted: DeadFilter, limit: int
) -> list[JobCard]:
    """Those wanted, the newest first; everybody's when None."""
    tests = ["j.state = 'dead'", IS_WHOLE]
    values: list[str | int] = []
    for test, value in (
        ("j.person_id = ?", person_id),
        ("j.kind = ?", wanted.kind or None),
        (_WORKED.format("? IN (w.worker_id, w.name)"), wanted.worker or None),
        (_WORKED.format("w.platform = ?"), FLEET_PLATFORM if wanted.is_fleet else None),
        ("j.updated_ms >= ?", to_ms(wanted.since) if wanted.since else None),
        ("j.job_id < ?", wanted.before),
    ):
        if value is not None:
            tests.append(test)
            values.append(value)
    # Dead letters are few among many: they are found by their own index, whatever is guessed.
    rows = connection.execute(
        f"{CARD.replace('jobs AS j', 'jobs AS j INDEXED BY jobs_dead')}"
        f" WHERE {' AND '.join(tests)} ORDER BY j.job_id DESC LIMIT ?",
        (*values, limit),
    )
    return [to_card(row) for row in rows]


def count(connection: sqlite3.Connection, person_id: PersonId | None) -> int:
    """How many dead letters there are, up to COUNTED_MAX; everybody's when None."""
    whose, values = ("", ()) if person_id is None else ("AND person_id = ?", (person_id,))
    (number,) = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM jobs INDEXED BY jobs_dead WHERE state = 'dead'"
        f" AND part_of IS NULL {whose} LIMIT {COUNTED_MAX})",
        values,
    ).fetchone()
    return int(number)


def failures(
    connection: sqlite3.Connection, job_ids: Sequence[JobId]
) -> dict[JobId, tuple[Failure, ...]]:
    """The failed attempts of each job, the latest first."""
    return {job_id: _failures(connection, job_id) for job_id in job_ids}


def _failures(connection: sqlite3.Connection, job_id: JobId) -> tuple[Failure, ...]:
    rows = connection.execute(
        "SELECT at, device, body FROM events WHERE entity = ? AND type = 'job_failed'"
        " ORDER BY hub_seq DESC LIMIT ?",
        (job_id, FAILURES_MAX),
    ).fetchall()
    told = [(at, device, json.loads(body)) for at, device, body in rows]
    started = _started(connection, job_id) if told else {}
    nodes = _nodes(connection, job_id) if told else {}
    return tuple(
        Failure(
            attempt=body["attempt"],
            started_at=started.get(body["attempt"]),
            at=datetime.fromisoformat(at),
            worker_id=WorkerId(device),
            node=nodes.get(body["attempt"], ""),
            error=ErrorBody.model_validate(body["error"]),
        )
        for at, device, body in told
    )


def _started(connection: sqlite3.Connection, job_id: JobId) -> dict[int, datetime]:
    """When each attempt began, of the latest."""
    rows = connection.execute(
        "SELECT at, json_extract(body, '$.attempt') FROM events WHERE entity = ?"
        " AND type = 'job_started' ORDER BY hub_seq DESC LIMIT ?",
        (job_id, STARTS_MAX),
    )
    return {attempt: datetime.fromisoformat(at) for at, attempt in rows}


def _nodes(connection: sqlite3.Connection, job_id: JobId) -> dict[int, str]:
    """The node of the fleet of each attempt that was on one."""
    rows = connection.execute("SELECT attempt, node FROM fleet_tries WHERE job_id = ?", (job_id,))
    return dict(rows)
