"""How jobs were moved on in a transaction, written once for each of them.

A worker tells of a start and of the end in one stretch: that is two steps of a job's life, and one
row that changes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from hub.core.job import Job, Life
from shared.times import to_ms

_MOVE = (
    "UPDATE jobs SET state = ?, attempt = ?, fence = ?, failures = ?, losses = ?, worker_id = ?,"
    " is_held = ?, not_before_ms = ?, cancel_by = ?, question_id = ?, pinned_to = ?,"
    " updated_ms = ?"
)
_SAVE = f"{_MOVE} WHERE job_id = ?"
_SAVE_SESSION = f"{_MOVE}, session_id = ? WHERE job_id = ?"
_SAVE_RESULT = f"{_MOVE}, result = ?, error = NULL WHERE job_id = ?"
_SAVE_ALL = f"{_MOVE}, session_id = ?, result = ?, error = NULL WHERE job_id = ?"


@dataclass(slots=True)
class Move:
    """What is still to be written of a job."""

    job: Job
    """As it is now."""
    is_seated: bool = False
    """Its session changed, too."""
    result: str | None = None
    """JSON; what it failed with before is over then. None when it has none."""

    def then(self, later: Move) -> Move:
        """Return both as one."""
        result = self.result if later.result is None else later.result
        return Move(later.job, self.is_seated or later.is_seated, result)


def write(connection: sqlite3.Connection, moves: Iterable[Move], now_ms: int) -> None:
    for move in moves:
        job = move.job
        values = (*life_row(job.life), job.pinned_to, now_ms)
        if move.is_seated and move.result is not None:
            last = (*values, job.session_id, move.result, job.job_id)
            connection.execute(_SAVE_ALL, last)
        elif move.is_seated:
            connection.execute(_SAVE_SESSION, (*values, job.session_id, job.job_id))
        elif move.result is not None:
            connection.execute(_SAVE_RESULT, (*values, move.result, job.job_id))
        else:
            connection.execute(_SAVE, (*values, job.job_id))


def life_row(life: Life) -> tuple[object, ...]:
    """Write a life as the columns of a job's row that stand for it."""
    return (
        life.state,
        life.attempt,
        life.fence,
        life.failures,
        life.losses,
        life.worker_id,
        int(life.is_held),
        None if life.not_before is None else to_ms(life.not_before),
        life.cancel_by,
        life.question_id,
    )
