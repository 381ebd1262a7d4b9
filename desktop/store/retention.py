"""Forgets the lines of old logs, a few jobs at a time; what became of the jobs is kept."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from shared.times import to_ms

KEPT_DAYS = 90
"""How long after a job's end its lines are kept."""
JOBS_MAX = 20
"""In one transaction, so that nobody waits long for the store."""


def forget_lines(connection: sqlite3.Connection, before: datetime) -> int:
    """Delete the lines of jobs that ended before a moment.

    The events stay as empty envelopes, so that no log has a gap.

    Returns:
        How many jobs that were, at most JOBS_MAX.
    """
    jobs = connection.execute(
        "select number, job_id from copy_job where ended_ms < ? and line_count > 0 limit ?",
        (to_ms(before), JOBS_MAX),
    ).fetchall()
    for number, job_id in jobs:
        connection.execute(
            "insert into copy_line_words (copy_line_words, rowid, text)"
            " select 'delete', line_id, text from copy_line where job = ?",
            (number,),
        )
        connection.execute("delete from copy_line where job = ?", (number,))
        connection.execute("update copy_job set line_count = 0 where number = ?", (number,))
        connection.execute(
            "update event set body = '{}', job_id = '' where job_id = ? and type = 'job_logged'",
            (job_id,),
        )
    return len(jobs)
