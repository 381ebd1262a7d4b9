"""Which job of this machine's copy fetches, or has fetched, what another machine changed."""

from __future__ import annotations

import sqlite3

from desktop.store import copied
from desktop.store.copied import Job
from shared.ids import JobId

DIFF = "code.diff"


def fetching(connection: sqlite3.Connection, job_id: JobId) -> Job | None:
    """Find the newest job that was asked for the change of a job; None when nobody asked."""
    row = connection.execute(
        "select job_id from copy_job where kind = ? and inputs ->> '$.job' = ?"
        " and coalesce(inputs ->> '$.file', '') = '' order by number desc limit 1",
        (DIFF, job_id),
    ).fetchone()
    return copied.job(connection, JobId(row[0])) if row else None
