"""A child's end as the event that tells of it."""

from __future__ import annotations

from typing import TypedDict

from pydantic import ValidationError

from desktop.core.attempt import Attempt
from desktop.core.outcome import Ending, Outcome
from desktop.core.result_size import RESULT_BYTES_MAX
from shared.errors import AppError
from shared.events import (
    AttemptEventBody,
    JobCancelled,
    JobFailed,
    JobInterrupted,
    JobSucceeded,
)
from shared.ids import JobId
from shared.kinds import FileRef, Kind


class Names(TypedDict):
    """What every event of an attempt names."""

    job_id: JobId
    attempt: int
    fence: int
    part_of: JobId | None


def names(attempt: Attempt) -> Names:
    return Names(
        job_id=attempt.spec.job_id,
        attempt=attempt.number,
        fence=attempt.fence,
        part_of=attempt.part_of,
    )


def outcome_event(
    names: Names, outcome: Outcome, kind: Kind, sends: tuple[FileRef, ...] = ()
) -> AttemptEventBody:
    """Turn a child's end into the event that tells of it; `sends` are the files that may leave."""
    match outcome.ending:
        case Ending.RESULT:
            return _success(names, outcome, kind, sends)
        case Ending.CANCELLED:
            return JobCancelled(**names)
        case Ending.PARKED:
            raise AssertionError("a parked attempt ends when its question does, in `hear`")
        case Ending.POSTPONED:
            later = {"retryable": True, "retry_after_seconds": outcome.seconds}
            return JobFailed(**names, error=outcome.failure().model_copy(update=later))
        case ending if ending is not Ending.REFUSED and not kind.may_repeat:
            # It ended without its own word, so nobody knows how far its effect went.
            return JobInterrupted(**names, reason=outcome.failure().message[:400])
        case _:
            return JobFailed(**names, error=outcome.failure())


def _success(
    names: Names, outcome: Outcome, kind: Kind, sends: tuple[FileRef, ...]
) -> AttemptEventBody:
    try:
        # Whatever the child says it hands over: what counts is what was copied.
        output = {**(outcome.output or {}), "sends": sends}
        result = kind.output.model_validate(output)
    except ValidationError:
        error = AppError(
            "result_invalid",
            f"{kind.name} ended, but what it returned does not fit its kind.",
            "This is a fault of the program; please report it with the job's log.",
        )
        return JobFailed(**names, error=error.body)
    size = len(result.model_dump_json().encode())
    if size > RESULT_BYTES_MAX:
        error = AppError(
            "result_too_large",
            f"The result has {size:,} bytes; up to {RESULT_BYTES_MAX:,} can be told in a chat.",
            "The job has to write it into a file instead.",
        )
        return JobFailed(**names, error=error.body)
    return JobSucceeded(
        **names, result=result.model_dump(mode="json"), running_seconds=outcome.running_seconds
    )
