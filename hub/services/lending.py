"""Parts that other workers are to run than the one that had them made: made, settled, given up.

A lent part is an ordinary job in its maker's task, with its maker's urgency and no more rights. Its
maker waits for it on another computer, so that its end is told as an event of its own: after that
nothing of it changes any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from hub.core import job as core
from hub.core.job import Job
from hub.services.locked import check_unlocked
from hub.services.requests import Request, check_offered, checked_inputs, with_writer, worker_for
from hub.store import jobs, queue
from hub.store.ledger import Entry
from shared.errors import BadInput, Conflict, NotAllowed
from shared.events import JobCancelRequested, JobQueued, PartSettled, TaskRequested
from shared.ids import WorkerId, is_uuid
from shared.jobs import JobState, Origin
from shared.kinds import Kind, needs_named
from shared.kinds.foreign import kind_for
from shared.kinds.naming import title_for

OPEN_MAX = 128
"""Lent parts of one job that have not ended."""


def lend(
    entry: Entry,
    worker_id: WorkerId,
    maker: Job,
    body: TaskRequested,
    kinds: Mapping[str, Kind],
    at: datetime,
) -> Job:
    """Queue a part for whoever can run it.

    Args:
        entry: the transaction.
        worker_id: who has the maker in hand.
        maker: the job that it is to be a part of.
        body: what is asked for.
        kinds: those that this hub knows.
        at: when, by the worker's clock.

    Raises:
        BadInput: `job_id_invalid`, `inputs_invalid`.
        NotAllowed: `part_invalid`.
        Conflict: `part_too_late`.
        AppError: as `requests.with_writer`, `kind_for`.
    """
    kind = _checked(entry, maker, body, kinds)
    # What an owner may ask for at their own computer is no right on another one.
    origin = jobs.origin_of(entry.connection, maker.job_id)
    origin = Origin.CHAT if origin is Origin.LOCAL else origin
    request = Request(
        person_id=maker.person_id, kind=kind.name, inputs=body.inputs, origin=origin,
        worker_id=body.worker_id, task_id=maker.task_id,
    )  # fmt: skip
    request = with_writer(entry, replace(request, inputs=checked_inputs(kind, request)))
    _stay(entry, worker_id, maker)
    job = Job(
        job_id=body.job_id,
        task_id=maker.task_id,
        person_id=maker.person_id,
        kind=kind.name,
        priority=maker.priority,
        tools=needs_named(kind, request.inputs),
        pinned_to=worker_for(entry, request),
        part_of=maker.job_id,
        is_lent=True,
        created_at=min(at, entry.now),
    )
    title = title_for(body.kind, body.inputs, body.title)
    new = queue.NewJob(
        job=job,
        title=title,
        inputs=request.inputs,
        origin=origin,
        traceparent=jobs.traceparent_of(entry.connection, maker.job_id),
    )
    queue.insert(entry, new)
    told = JobQueued(
        job_id=job.job_id, task_id=job.task_id, kind=job.kind, title=title,
        attempt=job.life.attempt, part_of=job.part_of,
    )  # fmt: skip
    entry.tell(job.person_id, told)
    return job


def claim(entry: Entry, worker_id: WorkerId, maker: Job, known: Job) -> None:
    """Take a job as a part of another one that this hub has forgotten to be one.

    It was restored from a backup, and the worker that runs the part was back first.
    """
    if known.part_of is not None or known.task_id != maker.task_id:
        return
    _stay(entry, worker_id, maker)
    lent = queue.lend(entry, known, maker)
    if lent.life.state.is_terminal:
        settle(entry, lent)


def settle(entry: Entry, job: Job) -> None:
    """Tell how a lent part ended; nothing of it changes after that."""
    assert job.part_of is not None
    has_failed = job.life.state in (JobState.FAILED, JobState.DEAD)
    error = queue.error_of(entry.connection, job.job_id) if has_failed else None
    told = PartSettled(
        job_id=job.job_id,
        part_of=job.part_of,
        state=job.life.state,
        error=error,
    )
    entry.tell(job.person_id, told)


def take_back(entry: Entry, maker: Job, by: str) -> list[Job]:
    """Cancel the lent parts of a job that is over, or is to be.

    Returns those that nobody holds: they end at once.
    """
    at_once = []
    for job in queue.lent(entry, maker.job_id):
        if job.life.cancel_by:
            continue
        life = core.request_cancel(job.life, by[:100])
        entry.tell(job.person_id, JobCancelRequested(job_id=job.job_id, by=by[:100]))
        if life.state is JobState.CANCELLED:
            at_once.append(replace(job, life=life))
        else:
            queue.save(entry, job, life)
    return at_once


def _checked(entry: Entry, maker: Job, body: TaskRequested, kinds: Mapping[str, Kind]) -> Kind:
    check_unlocked(entry, maker.person_id)
    kind = kind_for(body.kind, kinds)
    check_offered(entry, maker.person_id, body.kind, kinds)
    made_by = kinds.get(maker.kind)
    if kind.planned is None or made_by is None or not made_by.has_steps:
        raise NotAllowed(
            "part_invalid",
            f"A job of {maker.kind} has no parts of {body.kind} elsewhere.",
            "Plans are made of other kinds of work.",
        )
    if not is_uuid(body.job_id):
        raise BadInput("job_id_invalid", "The computer names its job by no id.", "Update it.")
    if maker.life.state.is_terminal or maker.life.cancel_by:
        raise Conflict("part_too_late", "The job that this is a part of is over.", "Ask anew.")
    if len(queue.lent(entry, maker.job_id)) >= OPEN_MAX:
        raise Conflict(
            "too_many_parts", f"{OPEN_MAX} parts of this job are open.", "Wait for some."
        )
    return kind


def _stay(entry: Entry, worker_id: WorkerId, maker: Job) -> None:
    """What a job's parts have told stands on its computer alone: it runs nowhere else."""
    if maker.life.worker_id == worker_id != maker.pinned_to:
        queue.save(entry, replace(maker, pinned_to=worker_id), maker.life)
