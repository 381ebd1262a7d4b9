"""The lines that jobs logged, by their numbers; they stand in the log of events, many in one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime

from hub.core.log_line import LINES_PER_PAGE_MAX, LogLine, LogPage, Stretch
from shared.ids import JobId

SEARCHED_MAX = 100_000
"""Lines that one page may look through; the next page goes on from there."""
_LOGGED = "FROM events WHERE entity = ? AND type = 'job_logged' ORDER BY hub_seq"


def page(connection: sqlite3.Connection, job_id: JobId, wanted: Stretch) -> LogPage:
    """Read one stretch of a job's lines."""
    counts = connection.execute(
        f"SELECT hub_seq, json_array_length(body, '$.lines') {_LOGGED}", (job_id,)
    ).fetchall()
    total = sum(count for _, count in counts)
    limit = max(1, min(wanted.limit, LINES_PER_PAGE_MAX))
    after = max(0, total - limit) if wanted.is_tail else wanted.after
    words = "" if wanted.is_tail else wanted.words.casefold()
    found: list[LogLine] = []
    looked_at = min(after, total)
    for line in _lines(connection, counts, after):
        looked_at = line.number
        if words in line.text.casefold():
            found.append(line)
        if len(found) == limit or looked_at - after >= SEARCHED_MAX:
            break
    return LogPage(lines=tuple(found), total=total, looked_at=looked_at)


def _lines(
    connection: sqlite3.Connection, counts: list[tuple[int, int]], after: int
) -> Iterator[LogLine]:
    """Lines after a number; only the events that have them are read."""
    number = 0
    for hub_seq, count in counts:
        if number + count <= after:
            number += count
            continue
        at, body = connection.execute(
            "SELECT at, body FROM events WHERE hub_seq = ?", (hub_seq,)
        ).fetchone()
        told = json.loads(body)
        then = datetime.fromisoformat(at)
        for text in told["lines"]:
            number += 1
            if number > after:
                yield LogLine(number=number, at=then, attempt=int(told["attempt"]), text=str(text))
