"""Lines of logs on their way into the copy: numbered as they come, written together."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from desktop.store import copy_tables
from shared.events import JobLogged
from shared.ids import JobId


@dataclass(slots=True)
class _Log:
    job: int
    """The job's number in the copy."""
    count: int
    """Of its lines, with those that wait."""


class Lines:
    """Of one transaction; what is added stands in the copy after `write`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._logs: dict[JobId, _Log] = {}
        self._last: int | None = None
        """The number of the last line of all; None before it was looked up."""
        self._waiting: list[tuple[int, int, int, int, int, str]] = []
        self._grown: set[JobId] = set()

    def add(self, body: JobLogged, at_ms: int) -> None:
        log = self._logs.get(body.job_id) or self._log_of(body.job_id, at_ms)
        if self._last is None:
            row = self._connection.execute("select max(line_id) from copy_line").fetchone()
            self._last = row[0] or 0
        for line_id, line in enumerate(body.lines, self._last + 1):
            log.count += 1
            self._waiting.append((line_id, log.job, log.count, body.attempt, at_ms, line))
        self._last += len(body.lines)
        self._grown.add(body.job_id)

    def write(self) -> None:
        """Write what waits. Idempotent."""
        execute_all = self._connection.executemany
        execute_all(
            "insert into copy_line (line_id, job, number, attempt, at_ms, text)"
            " values (?, ?, ?, ?, ?, ?)",
            self._waiting,
        )
        execute_all(
            "insert into copy_line_words (rowid, text) values (?, ?)",
            ((line[0], line[-1]) for line in self._waiting),
        )
        grown = (self._logs[job_id] for job_id in self._grown)
        execute_all(
            "update copy_job set line_count = ? where number = ?",
            ((log.count, log.job) for log in grown),
        )
        self._waiting.clear()
        self._grown.clear()

    def forget(self) -> None:
        """Look everything up anew: somebody else is about to change jobs and lines."""
        assert not self._waiting
        self._logs.clear()
        self._last = None

    def _log_of(self, job_id: JobId, at_ms: int) -> _Log:
        which = "select number, line_count from copy_job where job_id = ?", (job_id,)
        row = self._connection.execute(*which).fetchone()
        if row is None:
            copy_tables.know_job(self._connection, job_id, at_ms)
            row = self._connection.execute(*which).fetchone()
        log = self._logs[job_id] = _Log(job=row[0], count=row[1])
        return log
