"""Why dead letters died: every failed attempt of each."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.errors import ErrorBody
from shared.ids import JobId, PersonId, WorkerId

FAILURES_MAX = 10
"""Of one job, the latest: a person may have had it tried again and again."""

COUNTED_MAX = 1_000
"""Nobody needs to know of more at a glance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    attempt: int
    at: datetime
    worker_id: WorkerId
    error: ErrorBody


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
    return tuple(
        Failure(
            attempt=body["attempt"],
            at=datetime.fromisoformat(at),
            worker_id=WorkerId(device),
            error=ErrorBody.model_validate(body["error"]),
        )
        for at, device, body in told
    )
