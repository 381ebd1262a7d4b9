"""Reads of the logs in the copy: lines by their number, and the end of a log.

A job's lines are numbered 1, 2, 3 … without gaps, and the lines of all jobs together are, too;
so any page of a log of any length is one seek.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

from desktop.store.words import match_of
from shared.ids import JobId
from shared.times import from_ms

PAGE_LINES_MAX = 1000
HITS_MAX = 10_000
"""Of the lines that have the words so many are told, the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    line_id: int
    """Its number among the lines of all jobs, from 1, in the order they came here."""
    number: int
    """Its number in the log of its job, from 1."""
    job_id: JobId
    title: str
    """Of its job."""
    attempt: int
    at: datetime
    text: str


_LINE = (
    "select line_id, copy_line.number, job_id, title, copy_line.attempt, at_ms, text"
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


def page(
    connection: sqlite3.Connection, job_id: JobId | None, *, after: int, limit: int
) -> tuple[LogLine, ...]:
    """Read lines of a job's log, or of all logs, that follow a number; the oldest first."""
    if job_id is None:
        return all_lines(connection, after=after, limit=limit)
    return lines(connection, job_id, after=after, limit=limit)


def tail(
    connection: sqlite3.Connection, job_id: JobId | None = None, *, count: int
) -> tuple[LogLine, ...]:
    """Read the last lines of a job's log, or of all logs, the oldest first."""
    after = max(0, line_count(connection, job_id) - min(count, PAGE_LINES_MAX))
    return page(connection, job_id, after=after, limit=count)


def grown(
    connection: sqlite3.Connection, job_id: JobId | None, *, known: int, limit: int
) -> tuple[int, tuple[LogLine, ...]]:
    """Count the lines of a log, and read those after the known ones, at most the last `limit`."""
    count = line_count(connection, job_id)
    wanted = min(count - known, limit)
    return count, tail(connection, job_id, count=wanted) if wanted > 0 else ()


def hits(
    connection: sqlite3.Connection,
    words: str,
    job_id: JobId | None = None,
    *,
    after: int = 0,
    limit: int = HITS_MAX,
) -> tuple[int, ...]:
    """Find the lines that have all words, the newest when there are too many.

    Args:
        connection: of the store.
        words: as a person typed them.
        job_id: whose log; None for all logs.
        after: only lines with a higher number.
        limit: of lines told.

    Returns:
        Their numbers, the lowest first: in the job's log, or among all lines (`line_id`).
    """
    match = match_of(words)
    if not match:
        return ()
    if job_id is None:
        found = connection.execute(_HITS, (match, after, limit)).fetchone()
    else:
        found = connection.execute(_HITS_OF_JOB, (job_id, after, match, limit)).fetchone()
    return tuple(sorted(_NUMBERS.validate_json(found[0])))


# Told as one value: ten thousand rows would take the interpreter's lock ten thousand times.
_HITS = (
    "select json_group_array(line) from (select rowid as line from copy_line_words"
    " where copy_line_words match ? and rowid > ? order by rowid desc limit ?)"
)
_HITS_OF_JOB = (
    # Only words between the job's first and last line are looked at, not those of all logs.
    "with mine as (select number as job from copy_job where job_id = ?),"
    " first as (select line_id from copy_line, mine where copy_line.job = mine.job"
    " and copy_line.number > ? order by copy_line.number limit 1),"
    " last as (select line_id from copy_line, mine where copy_line.job = mine.job"
    " order by copy_line.number desc limit 1)"
    " select json_group_array(number) from (select copy_line.number from copy_line_words"
    " cross join copy_line on line_id = copy_line_words.rowid"
    " where copy_line_words match ? and copy_line.job = (select job from mine)"
    " and copy_line_words.rowid between (select line_id from first) and"
    " (select line_id from last) order by copy_line_words.rowid desc limit ?)"
)
_NUMBERS = TypeAdapter(list[int])


def picked(
    connection: sqlite3.Connection, numbers: Sequence[int], job_id: JobId | None = None
) -> tuple[LogLine, ...]:
    """Read lines by the numbers that `hits` told, the lowest first."""
    chosen = numbers[:PAGE_LINES_MAX]
    marks = ", ".join("?" * len(chosen))
    if job_id is None:
        rows = connection.execute(
            f"{_LINE} where line_id in ({marks}) order by line_id", tuple(chosen)
        )
    else:
        rows = connection.execute(
            f"{_LINE} where job_id = ? and copy_line.number in ({marks}) order by copy_line.number",
            (job_id, *chosen),
        )
    return _lines(rows)


def _lines(rows: sqlite3.Cursor) -> tuple[LogLine, ...]:
    return tuple(
        LogLine(
            line_id=line_id,
            number=number,
            job_id=JobId(job_id),
            title=title,
            attempt=attempt,
            at=from_ms(at_ms),
            text=text,
        )
        for line_id, number, job_id, title, attempt, at_ms, text in rows
    )
