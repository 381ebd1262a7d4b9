"""Steps: the parts of a plan, each of a kind of its own and known by its number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from desktop.core.result_size import RESULT_BYTES_MAX
from shared.backoff import RETRY
from shared.errors import AppError, ErrorBody, LimitReached, NotAllowed
from shared.events import TaskRequested
from shared.ids import JobId, WorkerId
from shared.jobs import ATTEMPTS_MAX, TITLE_CHARS_MAX, JobSpec
from shared.kinds import JsonObject, Kind
from shared.plan import ShownPlan

OPEN_MAX = 64
"""Steps of one job that are wanted at once."""
RETRY_AFTER_SECONDS_MAX = 6 * 3600.0
"""What is to be tried again later than this fails: nobody expects the result by then."""
INTERRUPTED = "interrupted"
"""The code of a step that was cut off in its middle: nobody knows how far its effect went."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWanted:
    """A step that a job wants to be made, and waits for."""

    number: int
    kind: str
    inputs: JsonObject
    title: str


def refusal(
    maker: JobSpec, wanted: StepWanted, kinds: Mapping[str, Kind], open_count: int
) -> AppError | None:
    """Say why a job may not have a step made, wherever; None when it may.

    Args:
        maker: the job.
        wanted: what it wants.
        kinds: those that this machine knows; another one may know more.
        open_count: how many steps of it are open, this one not counted.
    """
    kind = kinds.get(wanted.kind)
    if not kinds[maker.kind].has_steps or (kind is not None and kind.planned is None):
        return NotAllowed(
            "job_makes_not",
            f"A job of {maker.kind} may not have jobs of {wanted.kind} made.",
            "Plans are made of other kinds of work.",
        )
    if open_count >= OPEN_MAX:
        return LimitReached(
            "too_many_steps", f"{OPEN_MAX} steps of this job are open.", "Wait for some of them."
        )
    return None


def unshowable(kind: Kind, plan: ShownPlan) -> AppError | None:
    """Say why a job's plan may not be told to people; None when it may."""
    if not kind.has_steps:
        return NotAllowed(
            "job_plans_not",
            f"A job of {kind.name} has no plan to tell.",
            "This is a fault of the program; please report it with the job's log.",
        )
    size = len(plan.model_dump_json().encode())
    if size > RESULT_BYTES_MAX:
        return LimitReached(
            "plan_too_large",
            f"The plan has {size:,} bytes; up to {RESULT_BYTES_MAX:,} can be told.",
            "Ask for less at once.",
        )
    return None


def request_of(
    maker: JobSpec, wanted: StepWanted, *, job_id: JobId, worker_id: WorkerId | None
) -> TaskRequested:
    """Ask for a step: kept by a worker, or any worker's when None."""
    is_kept = worker_id is not None
    return TaskRequested(
        task_id=maker.task_id,
        job_id=job_id,
        kind=wanted.kind,
        inputs=wanted.inputs,
        title=wanted.title[:TITLE_CHARS_MAX],
        worker_id=worker_id,
        is_kept=is_kept,
        # Its folder is on this machine alone.
        session_id=maker.session_id if is_kept else "",
        part_of=maker.job_id,
        step=wanted.number,
    )


def retry_seconds(
    kind: Kind | None, error: ErrorBody | None, failures: int, random: float
) -> float | None:
    """Return in how many seconds a step that failed here is tried again; None when it is not.

    Args:
        kind: of the step.
        error: what went wrong.
        failures: how many tries have failed by now.
        random: in [0, 1), for the jitter.
    """
    if kind is None or error is None or not (error.retryable and kind.retries):
        return None
    asked_for = error.retry_after_seconds or 0.0
    if failures >= ATTEMPTS_MAX or asked_for > RETRY_AFTER_SECONDS_MAX:
        return None
    return max(RETRY.wait_seconds(failures, random), asked_for)


def is_repeated(kind: Kind | None, error: ErrorBody | None) -> bool:
    """Whether a step that ended badly is made anew when it is asked for again.

    One that was cut off in its middle may have had its effect: its job hears of that instead.
    """
    harms_nothing = kind is not None and kind.may_repeat
    return harms_nothing or error is None or error.code != INTERRUPTED
