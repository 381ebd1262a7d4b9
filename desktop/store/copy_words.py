"""The words that jobs are found by, on their way into the copy: written together, each job once.

The index writes what it holds in memory down before most other statements, so a job at a time
costs many times as much.
"""

from __future__ import annotations

import sqlite3

from desktop.store import copy_tables
from shared.ids import JobId


class Words:
    """Of one transaction; what is added can be found after `write`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._waiting: dict[str, None] = {}
        """Jobs, in the order in which they were added."""

    def add_job(self, job_id: JobId) -> None:
        """Let a job be found by the words of its title, its kind and its task."""
        self._waiting[job_id] = None

    def add_task(self, task_id: str) -> None:
        """Its words may be others than its jobs are found by."""
        jobs = self._connection.execute(
            "select job_id from copy_job where task_id = ? and kind != '' and part_of = ''",
            (task_id,),
        )
        self._waiting.update((job_id, None) for (job_id,) in jobs)

    def write(self) -> None:
        """Write what waits. Idempotent."""
        self._connection.executemany(
            f"{copy_tables.INDEX} and job_id = ?", [(job_id,) for job_id in self._waiting]
        )
        self._waiting.clear()
