"""What becomes of an attempt whose child is gone, because this program stopped in the middle.

Attempts that may run again are dropped, and the hub grants them anew; those of them that wait for
a person are parked, so that the question stands and its answer starts them. What this machine
keeps is begun again here a few times, and so is what has parts here; after that it is told as
failed. The others are told as interrupted, for nobody here knows how far their effect went.
"""

from __future__ import annotations

import sqlite3

from desktop.core import attempt as step
from desktop.core.attempt import Attempt, AttemptState
from desktop.core.outcome_event import names
from desktop.store import journal, kept
from shared.errors import ErrorBody
from shared.events import (
    AttemptEventBody,
    JobCancelled,
    JobFailed,
    JobInterrupted,
    JobParked,
)
from shared.kinds import Kind


def settle(
    connection: sqlite3.Connection, attempt: Attempt, kind: Kind | None, reason: str
) -> AttemptEventBody | None:
    """Decide on an attempt, and bring the journal in line.

    Args:
        connection: of the store, inside a transaction.
        attempt: alive in the journal.
        kind: of its job; None when this program does not know it.
        reason: why its child is gone, as a sentence.

    Returns:
        The outcome to be written; None when it has none yet.
    """
    if kind is None or not kind.may_repeat:
        return JobInterrupted(**names(attempt), reason=reason)
    job_id = attempt.spec.job_id
    if kept.is_cancelled(connection, job_id):
        return JobCancelled(**names(attempt))
    crashes_max = kept.RESUMED_MAX if kind.resumable else kept.CRASHES_MAX
    if (attempt.is_kept or kind.makes) and attempt.crashes < crashes_max:
        answers = journal.answers(connection, job_id, attempt.number)
        journal.save(connection, step.begin_again(attempt, answers))
        journal.forget_questions(connection, job_id, attempt.number)
        return None
    if attempt.part_of is not None:
        return JobFailed(**names(attempt), error=_crashed(attempt))
    asked = journal.asked_by(connection, job_id, attempt.number)
    if attempt.state is AttemptState.ASKING and asked is not None:
        return JobParked(**names(attempt), question_id=asked)
    if attempt.is_kept:
        # The hub may not know of it yet, and so could not miss it: it is told, and decides.
        error = _crashed(attempt).model_copy(update={"retryable": True})
        return JobFailed(**names(attempt), error=error)
    journal.forget(connection, job_id, attempt.number)
    return None


def orphans(connection: sqlite3.Connection) -> list[Attempt]:
    """Return the open parts of jobs that are not in hand any more: nobody waits for them."""
    found = journal.attempts(connection)
    here = {a.spec.job_id for a in found if a.state is not AttemptState.ENDED}
    return [a for a in found if a.part_of is not None and a.part_of not in here]


def _crashed(attempt: Attempt) -> ErrorBody:
    return ErrorBody(
        code="crashed_too_often",
        message=f"The program stopped {attempt.crashes + 1} times in the middle of it.",
        hint="It may be what stops the program; look at the program's log.",
    )
