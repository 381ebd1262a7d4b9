"""Reads how the plan of a job stands: the newest event that told it."""

from __future__ import annotations

import sqlite3

from pydantic import ValidationError

from desktop.store.known import IS_SHOWN
from shared.events import JobPlanned
from shared.ids import JobId

PLANNED = JobPlanned.model_fields["type"].default
IS_STEP_NEWS = f"type = '{PLANNED}' and body like '%\"stage\":\"running\"%'"
"""Of events those that only tell how far a plan's steps are; no story lists them."""


def newest(connection: sqlite3.Connection, job_id: JobId) -> JobPlanned | None:
    """Return what was told of a job's plan last; None when nothing was, or nothing legible."""
    row = connection.execute(
        f"select body from event where job_id = ? and {IS_SHOWN} and type = ?"
        " order by step_id desc limit 1",
        (job_id, PLANNED),
    ).fetchone()
    try:
        return JobPlanned.model_validate_json(row[0]) if row else None
    except ValidationError:
        return None
