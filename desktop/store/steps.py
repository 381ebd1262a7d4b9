"""What became of a step, by its number: read from the log, which outlives journal and program.

The table of parts says which job a number is while its maker is in hand; where it does not, the
requests of this machine's own log do. How it ended stands in the copy, whoever ran it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from desktop.core.steps import INTERRUPTED
from desktop.store import copied
from shared.errors import ErrorBody
from shared.ids import JobId
from shared.jobs import JobState
from shared.plan import StepEnded


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownStep:
    """The job that a number stands for."""

    job_id: JobId
    is_kept: bool
    """By this machine, as far as it asked."""
    error: ErrorBody | None = None
    ended: StepEnded | None = None
    """None while it is open."""


def find(connection: sqlite3.Connection, maker: JobId, number: int) -> KnownStep | None:
    """Find the job of a number; None when there was none."""
    row = connection.execute(
        "select job_id from part where maker = ? and number = ?", (maker, number)
    ).fetchone() or _asked_for(connection, maker, number)
    return None if row is None else known(connection, JobId(row[0]))


def known(connection: sqlite3.Connection, job_id: JobId) -> KnownStep | None:
    """Say what is known of a step's job."""
    job = copied.job(connection, job_id)
    if job is None:
        return None
    row = job.row
    if row.is_kept:
        is_over = row.state.is_terminal or row.state is JobState.INTERRUPTED
    else:
        is_over = _is_settled(connection, job_id)
    return KnownStep(
        job_id=job_id,
        is_kept=row.is_kept,
        error=row.error,
        ended=_ended(job) if is_over else None,
    )


def lost(job_id: JobId) -> KnownStep:
    """Say so of a step that this machine does not have any more, and whose end nobody knows.

    Its store was taken back to an older state, say.
    """
    error = ErrorBody(code=INTERRUPTED, message="This computer does not know how far it came.")
    ended = StepEnded(job_id=job_id, state="failed", error=error.message, code=error.code)
    return KnownStep(job_id=job_id, is_kept=True, error=error, ended=ended)


def _ended(job: copied.Job) -> StepEnded:
    row = job.row
    seconds = job.running_seconds or 0.0
    if not seconds and row.started_at and row.ended_at:
        seconds = max(0.0, (row.ended_at - row.started_at).total_seconds())
    if row.state is JobState.SUCCEEDED:
        return StepEnded(
            job_id=row.job_id, state="succeeded", output=job.result or {}, seconds=seconds
        )
    error = row.error or ErrorBody(code=row.state.value, message=f"It was {row.state.value}.")
    return StepEnded(
        job_id=row.job_id,
        state="cancelled" if row.state is JobState.CANCELLED else "failed",
        error=error.message,
        code=error.code,
        seconds=seconds,
    )


def _is_settled(connection: sqlite3.Connection, job_id: JobId) -> bool:
    """Whether the hub has said of a step elsewhere that nothing changes any more, or refused it.

    A failure alone is not the end of it: the hub may have it tried again.
    """
    row = connection.execute(
        "select 1 from event where job_id = ? and device = 'hub' and (type = 'part_settled'"
        " or type = 'request_refused' and body ->> '$.request' = 'task_requested') limit 1",
        (job_id,),
    ).fetchone()
    return row is not None


def _asked_for(connection: sqlite3.Connection, maker: JobId, number: int) -> tuple[JobId] | None:
    """Find the newest request of this machine's for a step of a number."""
    found: tuple[JobId] | None = connection.execute(
        "select copy_job.job_id from copy_job join event on event.job_id = copy_job.job_id"
        " and event.type = 'task_requested' and event.doubt = ''"
        " where copy_job.part_of = ? and copy_job.part_of != ''"
        " and event.device = (select value from fact where name = 'worker_id')"
        " and event.body ->> '$.step' = ? order by copy_job.number desc limit 1",
        (maker, number),
    ).fetchone()
    return found
