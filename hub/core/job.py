"""A job's life on the hub: every transition as a pure function of the life so far.

            decline, expiry                  question asked      job resumed
           ┌──────────────┐                 ┌──────────────┐    ┌───────────┐
           ▼              │                 │              ▼    │           ▼
queued ──▶ offered ──▶ granted ──▶ running ─┘            asking ┴────▶   running
  ▲  ▲                    │           │                    │ parked: no attempt; answered:
  │  └── lost, idempotent ┴───────────┤                    └──▶ queued
  │                                   ├──▶ succeeded
  └── retry after a wait ── failed ◀──┤
                              │       ├──▶ cancelled
             3 failures: dead ◀       └──▶ interrupted (a person decides)

`offered` lives in memory alone (`hub.core.placement`): an offer that a restart forgets costs
nothing. Everything else is in the store. What follows a transition (events, retries, questions)
is left to the services; whether a failure is tried again to `hub.core.retry`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from shared.errors import Conflict, ErrorBody, NotFound
from shared.ids import (
    ConversationId,
    JobId,
    PersonId,
    QuestionId,
    SessionId,
    TaskId,
    WorkerId,
    short,
)
from shared.jobs import ATTEMPTS_MAX, JobState, Origin, Priority
from shared.kinds import JsonObject

LOSSES_MAX = 5
"""How often a job may be lost with its worker before it is taken for the culprit."""

HELD_STATES = frozenset({JobState.GRANTED, JobState.RUNNING, JobState.ASKING})
"""States in which a worker may hold the grant."""
WORKING_STATES = frozenset({JobState.GRANTED, JobState.RUNNING})
"""States that take one of a worker's slots."""


class Life(NamedTuple):
    """How far a job has come. A tuple, for it is copied at every step of every job."""

    state: JobState = JobState.QUEUED
    attempt: int = 1
    """The attempt under way; while queued, the one to come."""
    fence: int = 0
    """Grants so far; the last one's number."""
    failures: int = 0
    losses: int = 0
    worker_id: WorkerId | None = None
    """Who holds the grant, or held the last one."""
    is_held: bool = False
    """Whether `worker_id` holds a grant now; an asking job that is parked is not held."""
    not_before: datetime | None = None
    """While queued: the earliest start, after a failure."""
    cancel_by: str = ""
    """Who asked for a cancel that the worker has not confirmed yet."""
    question_id: QuestionId | None = None
    """The question it waits for, while asking or interrupted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What decisions need to know of a job."""

    job_id: JobId
    task_id: TaskId
    person_id: PersonId
    kind: str
    priority: Priority = Priority.DEFAULT
    tools: tuple[str, ...] = ()
    pinned_to: WorkerId | None = None
    """Only this worker may run it."""
    session_id: SessionId | None = None
    """The session it runs, ran or is to run in; None before it was given to anybody."""
    part_of: JobId | None = None
    """The job that had it made and waits for it. It is never offered, and sits in no session:
    its worker has it from the beginning, and the job that it is a part of sits there for it."""
    is_lent: bool = False
    """With `part_of`: another worker is to run it than the one that had it made. It is queued,
    offered and tried again like any job; it sits in no session."""
    created_at: datetime
    life: Life = field(default_factory=Life)

    @property
    def is_kept_part(self) -> bool:
        """Whether it is a part that the worker of its maker has from the beginning."""
        return self.part_of is not None and not self.is_lent


def job_unknown() -> NotFound:
    return NotFound("job_unknown", "There is no such job.", "/jobs lists the latest.")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCard:
    """All that anyone may read of a job."""

    job: Job
    title: str
    text: str
    """What its task was asked in."""
    conversation: ConversationId
    """Where it was asked; empty for a request without a conversation."""
    origin: Origin
    inputs: JsonObject
    result: JsonObject | None
    """An Output of its kind, once it has succeeded."""
    error: ErrorBody | None
    """The last failure; the reason, once it has failed, died or was interrupted."""
    updated_at: datetime

    @property
    def job_id(self) -> JobId:
        return self.job.job_id

    @property
    def short(self) -> str:
        """The form people see: "K7Q2"."""
        return short(self.job.job_id)

    @property
    def kind(self) -> str:
        return self.job.kind

    @property
    def state(self) -> JobState:
        return self.job.life.state

    @property
    def worker_id(self) -> WorkerId | None:
        return self.job.life.worker_id


def offer(life: Life, worker_id: WorkerId) -> Life:
    """Queued → offered."""
    assert life.state is JobState.QUEUED
    return life._replace(state=JobState.OFFERED, worker_id=worker_id)


def take_back(life: Life) -> Life:
    """Offered → queued: declined, run out, or the worker went. Burns no try.

    The attempt number grows, so that a stale accept is refused by it.
    """
    assert life.state is JobState.OFFERED
    return life._replace(state=JobState.QUEUED, attempt=life.attempt + 1)


def grant(life: Life, worker_id: WorkerId, attempt: int) -> Life:
    """Offered → granted, under a new fence.

    Args:
        life: as stored: queued, since offers are not stored; or offered.
        worker_id: who accepted.
        attempt: of the offer; numbers skipped by offers that came back are never used again.

    Raises:
        Conflict: `offer_gone`, the job is no longer to be had.
    """
    if life.state not in (JobState.QUEUED, JobState.OFFERED) or attempt < life.attempt:
        raise Conflict(
            "offer_gone", f"The job is {life.state} and no longer to be had.", "Drop the offer."
        )
    return life._replace(
        state=JobState.GRANTED,
        attempt=attempt,
        fence=life.fence + 1,
        worker_id=worker_id,
        is_held=True,
        not_before=None,
        question_id=None,
    )


def may_adopt(life: Life, fence: int) -> bool:
    """Say whether a grant that this hub has forgotten may be in force.

    It is newer than all that are known, and the job has not ended for good.
    """
    return fence > life.fence and life.state not in (JobState.SUCCEEDED, JobState.CANCELLED)


def adopt(life: Life, worker_id: WorkerId, *, attempt: int, fence: int) -> Life:
    """To granted, as a worker already has it: by its own word, or by a grant that was forgotten."""
    assert fence > life.fence
    return life._replace(
        state=JobState.GRANTED,
        attempt=attempt,
        fence=fence,
        worker_id=worker_id,
        is_held=True,
        not_before=None,
        question_id=None,
    )


def is_held_by(life: Life, worker_id: WorkerId, attempt: int, fence: int) -> bool:
    """Say whether exactly this grant is the one in force."""
    return (
        life.is_held
        and life.state in HELD_STATES
        and (life.worker_id, life.attempt, life.fence) == (worker_id, attempt, fence)
    )


def start(life: Life) -> Life:
    """Granted → running; asking → running, by a worker that starts its own attempt again.

    A repeated or late word changes nothing.
    """
    assert life.is_held
    if life.state not in (JobState.GRANTED, JobState.ASKING):
        return life
    return life._replace(state=JobState.RUNNING, question_id=None)


def ask(life: Life, question_id: QuestionId) -> Life:
    """Running → asking; also granted → asking, for approvals before the first effect."""
    assert life.is_held
    return life._replace(state=JobState.ASKING, question_id=question_id)


def resume(life: Life) -> Life:
    """Asking → running."""
    assert life.is_held
    return life._replace(state=JobState.RUNNING, question_id=None)


def park(life: Life) -> Life:
    """Asking, held → asking, not held: the child has ended, the question stays open."""
    assert life.is_held
    return life._replace(state=JobState.ASKING, is_held=False)


def succeed(life: Life) -> Life:
    """To succeeded, by the holder's word or a person's."""
    return _end(life, JobState.SUCCEEDED)


def fail(life: Life) -> Life:
    """To failed: no retry mends it."""
    return _end(life, JobState.FAILED)._replace(failures=life.failures + 1)


def bury(life: Life) -> Life:
    """To dead: out of tries."""
    return _end(life, JobState.DEAD)._replace(failures=life.failures + 1)


def retry_later(life: Life, not_before: datetime) -> Life:
    """To queued, after a failure that may pass."""
    return _queue(life)._replace(failures=life.failures + 1, not_before=not_before)


def request_cancel(life: Life, by: str) -> Life:
    """Cancel: at once when nobody holds a grant, else by asking the holder to stop.

    Raises:
        Conflict: `too_late`, it has ended already.
    """
    if life.state.is_terminal:
        raise Conflict("too_late", f"It is too late to cancel: the job has {_ENDED[life.state]}.")
    if not life.is_held:
        return _end(life, JobState.CANCELLED)._replace(cancel_by=by)
    return life._replace(cancel_by=life.cancel_by or by)


def cancelled(life: Life) -> Life:
    """To cancelled: the holder has stopped, or a person gave up."""
    return _end(life, JobState.CANCELLED)


def interrupt(life: Life, question_id: QuestionId) -> Life:
    """To interrupted: how far the effect went is unknown, a person decides."""
    return life._replace(
        state=JobState.INTERRUPTED,
        is_held=False,
        losses=life.losses + 1,
        question_id=question_id,
    )


def lose(life: Life) -> Life:
    """To queued again: the holder lost an attempt whose second run harms nothing."""
    assert life.is_held
    return _queue(life)._replace(losses=life.losses + 1)


def give_back(life: Life) -> Life:
    """Held → queued again: the grant is known not to have reached its worker. Burns no try."""
    assert life.is_held
    return _queue(life)


def is_worn_out(life: Life) -> bool:
    """Say whether one more loss would be one too many."""
    return life.losses + 1 >= LOSSES_MAX


def readopt(life: Life, *, attempt: int, state: JobState) -> Life:
    """Queued after a loss → as its last holder still has it: it came back before a new grant.

    The fence is unchanged: no other grant was given, so nothing needs to be fenced off.
    """
    assert life.state is JobState.QUEUED
    assert state in HELD_STATES
    return life._replace(
        state=state, attempt=attempt, is_held=True, losses=life.losses - 1, not_before=None
    )


def may_readopt(life: Life, worker_id: WorkerId, attempt: int, fence: int) -> bool:
    """Say whether a queued job's last holder may go on with it."""
    return (
        life.state is JobState.QUEUED
        and not life.is_held
        and life.losses > 0
        and fence > 0
        and (life.worker_id, life.attempt - 1, life.fence) == (worker_id, attempt, fence)
    )


def answered(life: Life) -> Life:
    """Asking and parked → queued, now that its answer is there."""
    assert life.state is JobState.ASKING
    assert not life.is_held
    return _queue(life)


def move(life: Life) -> Life:
    """Queued → queued for another worker; offers and a lost holder's claim are void with it.

    Raises:
        Conflict: `job_not_waiting`.
    """
    if life.state not in (JobState.QUEUED, JobState.OFFERED):
        raise Conflict(
            "job_not_waiting",
            f"Only a waiting job can go to another computer; this one is {life.state}.",
            "Cancel it and ask again with @name.",
        )
    return _queue(life)


def reorder(life: Life) -> Life:
    """Queued → queued in another place of the line; offers are void, a wait goes on."""
    assert life.state is JobState.QUEUED
    return life._replace(attempt=life.attempt + 1)


def reopen(life: Life) -> Life:
    """A person's second chance for what failed, died or was interrupted: queued, tries anew.

    Raises:
        Conflict: `job_not_ended`, `job_succeeded`, `job_cancelled`.
    """
    match life.state:
        case JobState.FAILED | JobState.DEAD | JobState.INTERRUPTED:
            return _queue(life)._replace(failures=0, losses=0, cancel_by="")
        case JobState.SUCCEEDED:
            raise Conflict("job_succeeded", "The job has succeeded.", "Send it as a new one.")
        case JobState.CANCELLED:
            raise Conflict("job_cancelled", "The job was cancelled.", "Send it as a new one.")
        case _:
            raise Conflict(
                "job_not_ended",
                f"The job is {life.state}, there is nothing to try again.",
                "Cancel it first, or wait.",
            )


def bury_again(life: Life) -> Life:
    """Queued by a person's second chance → dead, as it was: they took that back in time.

    Raises:
        Conflict: `job_moved_on`.
    """
    if life.state is not JobState.QUEUED or life.is_held:
        raise Conflict(
            "job_moved_on",
            f"This cannot be taken back any more: the job is {life.state}.",
            "Cancel it instead.",
        )
    return _end(life, JobState.DEAD)._replace(failures=ATTEMPTS_MAX)


def _queue(life: Life) -> Life:
    return life._replace(
        state=JobState.QUEUED,
        attempt=life.attempt + 1,
        is_held=False,
        not_before=None,
        question_id=None,
    )


def _end(life: Life, state: JobState) -> Life:
    assert state.is_terminal
    return life._replace(state=state, is_held=False, not_before=None, question_id=None)


_ENDED = {
    JobState.SUCCEEDED: "succeeded",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "been cancelled",
    JobState.DEAD: "run out of tries",
}
