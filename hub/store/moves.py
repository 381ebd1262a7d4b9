"""How jobs were moved on, written once for each of them.

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
_SESSION = ", session_id = ?"
_RESULT = ", result = ?, error = NULL"
_SAVES = {
    (is_seated, has_result): f"{_MOVE}{_SESSION * is_seated}{_RESULT * has_result} WHERE job_id = ?"
    for is_seated in (False, True)
    for has_result in (False, True)
}


@dataclass(slots=True)
class Move:
    """What is still to be written of a job."""

    job: Job
    """As it is now."""
    now_ms: int
    is_seated: bool = False
    """Its session changed, too."""
    result: str | None = None
    """JSON; what it failed with before is over then. None when it has none."""

    def then(self, later: Move) -> Move:
        """Return both as one."""
        result = self.result if later.result is None else later.result
        return Move(later.job, later.now_ms, self.is_seated or later.is_seated, result)


def write(connection: sqlite3.Connection, moves: Iterable[Move]) -> None:
    alike: dict[tuple[bool, bool], list[tuple[object, ...]]] = {}
    for move in moves:
        job = move.job
        values = (*life_row(job.life), job.pinned_to, move.now_ms)
        if move.is_seated:
            values = (*values, job.session_id)
        if move.result is not None:
            values = (*values, move.result)
        sort = (move.is_seated, move.result is not None)
        alike.setdefault(sort, []).append((*values, job.job_id))
    for sort, rows in alike.items():
        connection.executemany(_SAVES[sort], rows)


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
