"""An attempt that could not go on, written down as one that waits for another start."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime

from desktop.core import postponing
from desktop.core.attempt import Attempt, AttemptState
from desktop.store import journal, kept


def wait(
    connection: sqlite3.Connection, attempt: Attempt, seconds: float, now: datetime
) -> Attempt | None:
    """Let an attempt wait from `now` on; None when its person does not want it any more."""
    job_id = attempt.spec.job_id
    if kept.is_cancelled(connection, job_id):
        return None
    waiting = postponing.postpone(attempt, seconds, now)
    if attempt.state is AttemptState.ASKING:
        # It lost its child while a person was asked. It starts anew, and asks again what is open.
        waiting = replace(waiting, not_before=None)
    answers = journal.answers(connection, job_id, attempt.number)
    spec = waiting.spec.model_copy(update={"answers": {**waiting.spec.answers, **answers}})
    waiting = replace(waiting, spec=spec)
    journal.save(connection, waiting)
    journal.forget_questions(connection, job_id, attempt.number)
    return waiting
