"""`deskhand logs [ID]`: the last lines of a job's log or of all logs, and what comes after them."""

from __future__ import annotations

import argparse
import sqlite3
import time
from collections.abc import Sequence

from desktop.commands import shapes
from desktop.commands.finding import job_named, reading
from desktop.commands.printing import say, say_json_line
from desktop.commands.worker import EXIT_OK
from desktop.store import copied, copied_lines
from desktop.store.copied_lines import PAGE_LINES_MAX, LogLine
from desktop.system.paths import Paths
from shared.ids import JobId, short

LOOK_SECONDS = 0.25
"""How often a log that is followed is looked at; only while somebody watches."""


def run(paths: Paths, options: argparse.Namespace) -> int:
    """Write the lines; with -f until the job has ended, or until Ctrl-C."""
    with reading(paths) as connection:
        job_id = job_named(connection, options.id).row.job_id if options.id else None
        lines = Lines(connection, job_id, options.search or "")
        _write(lines.last(options.count), is_one=job_id is not None, is_json=options.json)
        while options.follow:
            # Before the lines: what is written between the two looks is still seen.
            is_over = _is_over(connection, job_id)
            fresh = lines.more()
            _write(fresh, is_one=job_id is not None, is_json=options.json)
            if is_over and not fresh:
                break
            time.sleep(0 if fresh else LOOK_SECONDS)
    return EXIT_OK


class Lines:
    """Reads a log from its end on."""

    def __init__(
        self, connection: sqlite3.Connection, job_id: JobId | None, words: str = ""
    ) -> None:
        self._connection = connection
        self._job_id = job_id
        self._words = words
        self._seen = copied_lines.line_count(connection, job_id)

    def last(self, count: int) -> tuple[LogLine, ...]:
        """Read the last lines, of those with the words when there are any."""
        if not self._words:
            return copied_lines.page(
                self._connection,
                self._job_id,
                after=max(0, self._seen - count),
                limit=min(count, self._seen),
            )
        return self._picked(after=0, limit=count)

    def more(self) -> tuple[LogLine, ...]:
        """Read the next lines that have come since."""
        known, end = self._seen, copied_lines.line_count(self._connection, self._job_id)
        if end <= known:
            self._seen = end  # less, when another hub's log was begun
            return ()
        self._seen = min(end, known + PAGE_LINES_MAX)
        if self._words:
            found = self._picked(after=known, limit=PAGE_LINES_MAX)
            self._seen = end
            return found
        return copied_lines.page(
            self._connection, self._job_id, after=known, limit=self._seen - known
        )

    def _picked(self, *, after: int, limit: int) -> tuple[LogLine, ...]:
        numbers = copied_lines.hits(
            self._connection, self._words, self._job_id, after=after, limit=limit
        )
        return copied_lines.picked(self._connection, numbers, self._job_id)


def _is_over(connection: sqlite3.Connection, job_id: JobId | None) -> bool:
    if job_id is None:
        return False
    job = copied.job(connection, job_id)
    return job is None or job.row.state.is_terminal


def _write(lines: Sequence[LogLine], *, is_one: bool, is_json: bool) -> None:
    for line in lines:
        if is_json:
            say_json_line(shapes.of_line(line))
        else:
            say(told(line, is_one=is_one))


def told(line: LogLine, *, is_one: bool) -> str:
    name = "" if is_one else f"#{short(line.job_id)} "
    return f"{line.at.astimezone():%H:%M:%S} {name}{line.text}"
