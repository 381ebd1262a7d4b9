"""One look at what waits for the person and what has ended: for the tray and its notifications."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from desktop.store import copied, facts
from shared.jobs import JobState

JOBS_MAX = 20
ENDS = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.DEAD, JobState.INTERRUPTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    jobs: tuple[copied.JobRow, ...] = ()
    """The newest first."""
    questions: tuple[copied.QuestionRow, ...] = ()
    """Open ones, the oldest first."""
    machines: dict[str, str]
    """By job that is under way, its machine's name."""
    notices: str = ""
    """"off" when the person wants none."""
    snoozed_until: str = ""
    """ISO time until which the person wants none; empty for not at all."""

    @property
    def ended(self) -> tuple[copied.JobRow, ...]:
        return tuple(job for job in self.jobs if job.state in ENDS)


def look(connection: sqlite3.Connection) -> Glance:
    return Glance(
        jobs=copied.newest(connection, JOBS_MAX),
        questions=copied.open_questions(connection),
        machines={job.job_id: job.machine for job in copied.live(connection)},
        notices=facts.get(connection, "notices"),
        snoozed_until=facts.get(connection, "notices_until"),
    )
