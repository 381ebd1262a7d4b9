"""What is written when an attempt ends, in steps of somebody's transaction.

Recorder and rescuer end attempts (the one by a worker's word, the other by its absence) and must
write the same things. Intake uses the steps that concern jobs nobody holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Literal

from hub.core import job as core
from hub.core import retry
from hub.core.job import Job, Life
from hub.core.question import Question, about_interruption
from hub.services import lending
from hub.store import lineage, questions, queue
from hub.store.ledger import Entry
from shared.environment import Environment
from shared.errors import ErrorBody
from shared.events import (
    JobCancelled,
    JobDied,
    JobFailed,
    JobGranted,
    JobQueued,
    JobSucceeded,
    QuestionAsked,
)
from shared.ids import ConversationId, QuestionId
from shared.kinds import JsonObject, Kind

INTERRUPTED = "interrupted"
"""The code of a part that was cut off in its middle; nobody knows how far its effect went."""
Reason = Literal["new", "retry", "requeued", "lost", "answered", "declined", "moved"]


def tell_queued(entry: Entry, job: Job, reason: Reason) -> None:
    entry.tell(
        job.person_id,
        JobQueued(
            job_id=job.job_id,
            task_id=job.task_id,
            kind=job.kind,
            title=queue.title_of(entry.connection, job.job_id),
            attempt=job.life.attempt,
            reason=reason,
            not_before=job.life.not_before,
            part_of=job.part_of,
        ),
    )


def tell_granted(entry: Entry, job: Job) -> None:
    """Say who has a job: it was just granted, or its holder turned out to have it still."""
    life = job.life
    assert life.worker_id is not None
    entry.tell(
        job.person_id,
        JobGranted(
            job_id=job.job_id,
            attempt=life.attempt,
            fence=life.fence,
            worker_id=life.worker_id,
            part_of=job.part_of,
        ),
    )


def queue_again(entry: Entry, job: Job, life: Life, reason: Reason) -> Job:
    """Save a job that waits for a worker again, and say so."""
    # What a person told an attempt (which file, which column) holds on its worker only.
    pinned_to = job.pinned_to
    if pinned_to is None and questions.has_answers(entry.connection, job.job_id):
        pinned_to = life.worker_id
    saved = queue.save(entry, replace(job, pinned_to=pinned_to), life)
    tell_queued(entry, saved, reason)
    return saved


def give_back(entry: Entry, job: Job) -> None:
    """Queue a job again whose grant is known not to have begun."""
    if job.life.cancel_by:
        cancel_unheld(entry, job, core.cancelled(job.life))
    else:
        queue_again(entry, job, core.give_back(job.life), "declined")


def succeed(entry: Entry, job: Job, result: JsonObject) -> None:
    _end(entry, job, core.succeed(job.life), result)


def fail(
    entry: Entry, job: Job, error: ErrorBody, kind: Kind | None, environment: Environment
) -> None:
    """A failed attempt: tried again, failed for good, or dead."""
    queue.set_error(entry, job.job_id, error)
    if job.life.cancel_by:
        # The worker tells of a failure; that this was the end, only the hub can say.
        cancel_unheld(entry, job, core.cancelled(job.life))
        return
    if job.is_kept_part:
        # The job that it is a part of has it made anew, or does without it.
        _end(entry, job, core.fail(job.life))
        return
    match retry.decide(job.life, kind, error, entry.now, environment.random()):
        case retry.TryAgain(not_before):
            queue_again(entry, job, core.retry_later(job.life, not_before), "retry")
            questions.close_of_job(entry, job.job_id)
        case retry.GiveUp():
            _end(entry, job, core.fail(job.life))
        case retry.Bury():
            _end(entry, job, core.bury(job.life))
            entry.tell(job.person_id, JobDied(job_id=job.job_id, error=error))


def cancel(entry: Entry, job: Job) -> None:
    """The holder has stopped."""
    _end(entry, job, core.cancelled(job.life))


def cancel_unheld(entry: Entry, job: Job, life: Life) -> Job:
    """Nobody holds it: the hub itself is the one to say that it is cancelled."""
    saved = _end(entry, job, life)
    entry.tell(
        job.person_id,
        JobCancelled(
            job_id=job.job_id,
            attempt=job.life.attempt,
            fence=job.life.fence,
            part_of=job.part_of,
        ),
    )
    return saved


def give_up_lent(entry: Entry, maker: Job, by: str) -> None:
    """Stop what other workers are to run for a job that is over, or is to be."""
    for part in lending.take_back(entry, maker, by):
        questions.close_of_job(entry, part.job_id)
        cancel_unheld(entry, part, part.life)


def mark_done(entry: Entry, job: Job, by: str) -> Job:
    """A person knows that an interrupted job had its effect."""
    result: JsonObject = {"headline": f"Marked as done by {by}."}
    saved = _end(entry, job, core.succeed(job.life), result)
    entry.tell(
        job.person_id,
        JobSucceeded(
            job_id=job.job_id,
            attempt=job.life.attempt,
            fence=job.life.fence,
            result=result,
            running_seconds=0,
        ),
    )
    return saved


def lose(
    entry: Entry,
    job: Job,
    kinds: Mapping[str, Kind],
    environment: Environment,
    *,
    reason: str,
    code: str = "worker_lost",
    touched: tuple[str, ...] = (),
) -> None:
    """An attempt that its worker does not have any more: again, to a person, or dead.

    Args:
        entry: the transaction.
        job: held.
        kinds: tell whether a second run harms nothing.
        environment: for the id of a question.
        reason: what is known, as a sentence.
        code: the same for programs.
        touched: effects outside the workdir, as sentences.
    """
    kind = kinds.get(job.kind)
    error = ErrorBody(code=code, message=reason, retryable=True)
    repeats = kind is not None and kind.may_repeat
    if job.life.cancel_by or (job.is_kept_part and repeats):
        # A part that is gone is made anew by the job that it is a part of, or not at all.
        cancel_unheld(entry, job, core.cancelled(job.life))
    elif job.part_of is not None and not repeats:
        _give_up(entry, job, reason)
    elif core.is_worn_out(job.life):
        _bury_lost(entry, job, reason)
    elif repeats:
        queue.set_error(entry, job.job_id, error)
        questions.close_of_job(entry, job.job_id)
        queue_again(entry, job, core.lose(job.life), "lost")
    else:
        queue.set_error(entry, job.job_id, error)
        questions.close_of_job(entry, job.job_id)
        _interrupt(entry, job, environment, reason, touched)


def ask_about(entry: Entry, job: Job, environment: Environment, *, reason: str, code: str) -> None:
    """Ask a person about a job that nobody has and that may have had its effect nevertheless.

    What it asked before is closed: whoever answers that must know this, too.
    """
    if job.part_of is not None:
        _give_up(entry, job, reason)
        return
    queue.set_error(entry, job.job_id, ErrorBody(code=code, message=reason, retryable=True))
    questions.close_of_job(entry, job.job_id)
    _interrupt(entry, job, environment, reason, ())


def doubt_lent(entry: Entry, job: Job, kinds: Mapping[str, Kind], at: datetime) -> None:
    """Give a part up that may not run twice, and was asked for before this hub was restored.

    Another worker may have run it since the backup, and not have told of it yet.
    """
    restored = lineage.ended_at(entry.connection)
    kind = kinds.get(job.kind)
    repeats = kind is not None and kind.may_repeat
    if restored is not None and at < restored and not repeats:
        _give_up(entry, job, "The hub was restored from a backup; this may have run before.")


def _give_up(entry: Entry, job: Job, reason: str) -> None:
    """End a part whose effect nobody knows: its maker hears of it, and it is not run again."""
    error = ErrorBody(code=INTERRUPTED, message=reason)
    queue.set_error(entry, job.job_id, error)
    questions.close_of_job(entry, job.job_id)
    _end(entry, job, core.fail(job.life))
    entry.tell(
        job.person_id,
        JobFailed(
            job_id=job.job_id,
            attempt=job.life.attempt,
            fence=job.life.fence,
            part_of=job.part_of,
            error=error,
        ),
    )


def _bury_lost(entry: Entry, job: Job, reason: str) -> None:
    error = ErrorBody(
        code="lost_too_often",
        message=f"The job was lost {core.LOSSES_MAX} times with its worker. {reason}",
        hint="It may be what stops the worker; look at the worker's log before you requeue it.",
    )
    queue.set_error(entry, job.job_id, error)
    _end(entry, job, core.bury(job.life))
    entry.tell(job.person_id, JobDied(job_id=job.job_id, error=error))


def _interrupt(
    entry: Entry, job: Job, environment: Environment, reason: str, touched: tuple[str, ...]
) -> None:
    question = Question(
        question_id=QuestionId(environment.new_id()),
        job_id=job.job_id,
        person_id=job.person_id,
        conversation=ConversationId(""),
        asking=about_interruption(job.life.attempt, reason, touched),
        is_hubs=True,
        asked_at=entry.now,
        expires_at=None,
    )
    questions.insert(entry, question)
    queue.save(entry, job, core.interrupt(job.life, question.question_id))
    entry.tell(
        job.person_id,
        QuestionAsked(
            job_id=job.job_id,
            attempt=job.life.attempt,
            fence=job.life.fence,
            question_id=question.question_id,
            asking=question.asking,
        ),
    )


def _end(entry: Entry, job: Job, life: Life, result: JsonObject | None = None) -> Job:
    if job.life.question_id is not None:
        questions.close_of_job(entry, job.job_id)
    saved = queue.save(entry, job, life, result=result)
    if job.is_lent:
        lending.settle(entry, saved)
    elif job.part_of is None:
        give_up_lent(entry, saved, "the job that it was a part of")
    return saved
