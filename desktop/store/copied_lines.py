"""Reads of the logs in the copy: lines by their number, and the end of a log.

A job's lines are numbered 1, 2, 3 … without gaps, and the lines of all jobs together are, too;
so any page of a log of any length is one seek.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from shared.ids import JobId
from shared.times import from_ms

PAGE_LINES_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    line_id: int
    """Its number among the lines of all jobs, from 1, in the order they came here."""
    number: int
    """Its number in the log of its job, from 1."""
    job_id: JobId
    attempt: int
    at: datetime
    text: str


_LINE = (
    "select line_id, copy_line.number, job_id, copy_line.attempt, at_ms, text"
    " from copy_line join copy_job on copy_job.number = job"
)


def line_count(connection: sqlite3.Connection, job_id: JobId | None = None) -> int:
    """Count the lines of a job's log, or of all logs; costs the same for a million."""
    if job_id is None:
        row = connection.execute("select max(line_id) from copy_line").fetchone()
    else:
        row = connection.execute(
            "select line_count from copy_job where job_id = ?", (job_id,)
        ).fetchone()
    return 0 if row is None or row[0] is None else int(row[0])


def lines(
    connection: sqlite3.Connection, job_id: JobId, *, after: int = 0, limit: int = PAGE_LINES_MAX
) -> tuple[LogLine, ...]:
    """Read lines of a job's log that follow a number, the oldest first."""
    return _lines(
        connection.execute(
            f"{_LINE} where job_id = ? and copy_line.number > ? order by copy_line.number limit ?",
            (job_id, after, min(limit, PAGE_LINES_MAX)),
        )
    )


def all_lines(
    connection: sqlite3.Connection, *, after: int = 0, limit: int = PAGE_LINES_MAX
) -> tuple[LogLine, ...]:
    """Read lines of all jobs that follow a `line_id`, the oldest first."""
    return _lines(
        connection.execute(
            f"{_LINE} where line_id > ? order by line_id limit ?",
            (after, min(limit, PAGE_LINES_MAX)),
        )
    )


def tail(
    connection: sqlite3.Connection, job_id: JobId | None = None, *, count: int
) -> tuple[LogLine, ...]:
    """Read the last lines of a job's log, or of all logs, the oldest first."""
    after = max(0, line_count(connection, job_id) - min(count, PAGE_LINES_MAX))
    if job_id is None:
        return all_lines(connection, after=after, limit=count)
    return lines(connection, job_id, after=after, limit=count)


def _lines(rows: sqlite3.Cursor) -> tuple[LogLine, ...]:
    return tuple(
        LogLine(
            line_id=line_id,
            number=number,
            job_id=JobId(job_id),
            attempt=attempt,
            at=from_ms(at_ms),
            text=text,
        )
        for line_id, number, job_id, attempt, at_ms, text in rows
    )
