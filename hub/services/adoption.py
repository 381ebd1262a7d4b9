"""Jobs that a worker has without a grant of this hub: taken in as its own, offered to nobody.

Two ways lead here. A computer ran what its person asked for there while no hub was to be had; or
this hub was restored from a backup and has forgotten what it granted since. Either way the worker
tells a fact, and a fact beats the hub's order.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hub.core import job as core
from hub.core.job import Job, Life
from hub.core.task import Task
from hub.services import endings, session_steps
from hub.services.requests import NOWHERE
from hub.store import jobs, purging, questions, queue, tasks
from hub.store.ledger import Entry
from shared.errors import BadInput, Conflict, NotAllowed
from shared.events import JobStarted, TaskCreated, TaskRequested
from shared.ids import JobId, PersonId, SessionId, TaskId, WorkerId, is_uuid
from shared.jobs import JobSpec, JobState
from shared.kinds import JsonObject
from shared.kinds.naming import title_for
from shared.messages import Grant

FIRST_ATTEMPT = 1
"""Of a part, and its fence: nobody else can have been granted it."""
FIRST_EPOCH = 1
"""Of a hub's own log; a higher one says that its store was restored from a backup."""


def adopt_started(
    entry: Entry,
    worker_id: WorkerId,
    person_id: PersonId,
    job: Job | None,
    body: JobStarted,
    *,
    minted: SessionId,
    at: datetime,
) -> Job | None:
    """Take in a job whose start a worker tells; None when it has no claim to it.

    Args:
        entry: the transaction.
        worker_id: who tells.
        person_id: whose worker it is.
        job: as this hub knows it.
        body: what is told.
        minted: the id of a session, should one be opened that the worker does not name.
        at: when that was, by the worker's clock.
    """
    spec = body.job
    if spec is None or spec.job_id != body.job_id:
        return None
    if job is None and body.part_of is not None:
        return _adopt_told_part(entry, worker_id, person_id, spec, body, at)
    if job is None:
        grant = Grant(job_id=body.job_id, attempt=body.attempt, fence=body.fence)
        return adopt_new(entry, worker_id, person_id, spec, grant, minted=minted, at=at)
    is_forgotten = entry.epoch > FIRST_EPOCH and job.pinned_to in (None, worker_id)
    if not is_forgotten or not core.may_adopt(job.life, body.fence):
        return None
    questions.close_of_job(entry, job.job_id)
    life = core.adopt(job.life, worker_id, attempt=body.attempt, fence=body.fence)
    adopted = queue.save(entry, job, life)
    endings.tell_granted(entry, adopted)
    return session_steps.seat_adopted(entry, adopted, worker_id, spec.session_id, minted)


def adopt_new(
    entry: Entry,
    worker_id: WorkerId,
    person_id: PersonId,
    spec: JobSpec,
    grant: Grant,
    *,
    minted: SessionId,
    text: str = "",
    at: datetime,
) -> Job:
    """Make the task and the job, held by the worker that has it, as of when it was made.

    Raises:
        BadInput: `job_id_invalid`.
        Conflict: `task_id_taken`.
    """
    check_ids(entry, person_id, spec.job_id, spec.task_id)
    text = text or spec.title or spec.kind
    made_at = min(at, entry.now)
    if tasks.load(entry.connection, spec.task_id) is None:
        tasks.insert(entry, Task(
            task_id=spec.task_id, person_id=person_id, text=text, conversation=NOWHERE,
            created_at=made_at,
        ))  # fmt: skip
        told = TaskCreated(task_id=spec.task_id, person_id=person_id, text=text)
        entry.tell(person_id, told, entity=spec.task_id)
    life = core.adopt(Life(), worker_id, attempt=grant.attempt, fence=grant.fence)
    job = Job(
        job_id=spec.job_id,
        task_id=spec.task_id,
        person_id=person_id,
        kind=spec.kind,
        pinned_to=worker_id,
        created_at=made_at,
        life=life,
    )
    new = queue.NewJob(
        job=job,
        title=spec.title,
        inputs=spec.inputs,
        origin=spec.origin,
        traceparent=spec.traceparent,
    )
    queue.insert(entry, new)
    endings.tell_granted(entry, job)
    return session_steps.seat_adopted(entry, job, worker_id, spec.session_id, minted)


def adopt_part(
    entry: Entry, worker_id: WorkerId, person_id: PersonId, body: TaskRequested, at: datetime
) -> Job:
    """Make the job that is a part of another one, as of when its worker made it.

    A worker makes parts only of what it holds itself, in that job's task and with its origin.

    Raises:
        BadInput: `job_id_invalid`, `part_invalid`.
        NotAllowed: `part_foreign`.
    """
    if not (body.is_kept and body.worker_id == worker_id):
        raise BadInput("part_invalid", "Only the worker of a job makes its parts.", "Update it.")
    maker = maker_of(entry, worker_id, person_id, body)
    title = title_for(body.kind, body.inputs, body.title)
    grant = Grant(job_id=body.job_id, attempt=FIRST_ATTEMPT, fence=FIRST_ATTEMPT)
    return _insert_part(entry, worker_id, maker, body.kind, title, body.inputs, grant, at)


def maker_of(entry: Entry, worker_id: WorkerId, person_id: PersonId, body: TaskRequested) -> Job:
    """Find the job in a worker's hands that it asks for a part of.

    Raises:
        NotAllowed: `part_foreign`.
    """
    assert body.part_of is not None
    maker = _maker(entry, worker_id, person_id, body.part_of, body.task_id)
    if maker is None:
        raise _part_foreign(body.part_of)
    return maker


def _adopt_told_part(
    entry: Entry,
    worker_id: WorkerId,
    person_id: PersonId,
    spec: JobSpec,
    body: JobStarted,
    at: datetime,
) -> Job | None:
    """Take in a part whose making this hub has forgotten; None when it has no claim to it."""
    assert body.part_of is not None
    maker = _maker(entry, worker_id, person_id, body.part_of, spec.task_id)
    if maker is None:
        return None
    grant = Grant(job_id=spec.job_id, attempt=body.attempt, fence=body.fence)
    return _insert_part(entry, worker_id, maker, spec.kind, spec.title, spec.inputs, grant, at)


def _maker(
    entry: Entry, worker_id: WorkerId, person_id: PersonId, job_id: JobId, task_id: TaskId
) -> Job | None:
    """Find the job that a worker made a part of; None when it never had that."""
    maker = queue.load_in(entry, job_id)
    if maker is None or (maker.person_id, maker.task_id) != (person_id, task_id):
        return None
    if maker.part_of is not None:
        return None
    if maker.life.worker_id == worker_id or queue.was_at(entry.connection, job_id, worker_id):
        return maker
    return None


def _insert_part(
    entry: Entry,
    worker_id: WorkerId,
    maker: Job,
    kind: str,
    title: str,
    inputs: JsonObject,
    grant: Grant,
    at: datetime,
) -> Job:
    """Write a part down. There may be thousands, so that nothing is looked up for each."""
    if not is_uuid(grant.job_id):
        raise BadInput("job_id_invalid", "The computer names its job by no id.", "Update it.")
    if maker.life.worker_id == worker_id != maker.pinned_to:
        # What its parts have done stands on that computer alone.
        maker = queue.save(entry, replace(maker, pinned_to=worker_id), maker.life)
    job = Job(
        job_id=grant.job_id,
        task_id=maker.task_id,
        person_id=maker.person_id,
        kind=kind,
        priority=maker.priority,
        pinned_to=worker_id,
        part_of=maker.job_id,
        created_at=min(at, entry.now),
        life=core.adopt(Life(), worker_id, attempt=grant.attempt, fence=grant.fence),
    )
    origin = jobs.origin_of(entry.connection, maker.job_id)
    traceparent = jobs.traceparent_of(entry.connection, maker.job_id)
    new = queue.NewJob(job=job, title=title, inputs=inputs, origin=origin, traceparent=traceparent)
    queue.insert(entry, new)
    endings.tell_granted(entry, job)
    return job


def _part_foreign(maker: JobId) -> NotAllowed:
    return NotAllowed(
        "part_foreign",
        f"The job {maker} that this is a part of is not in this worker's hands.",
        "Update the worker.",
    )


def check_ids(entry: Entry, person_id: PersonId, job_id: JobId, task_id: TaskId) -> None:
    """Make sure that a computer names its job and its task by ids of their own.

    Raises:
        BadInput: `job_id_invalid`.
        Conflict: `task_id_taken`, `task_purged`.
    """
    if not (is_uuid(job_id) and is_uuid(task_id)):
        raise BadInput("job_id_invalid", "The computer names its job by no id.", "Update it.")
    task = tasks.load(entry.connection, task_id)
    if task is not None and task.person_id != person_id:
        raise Conflict("task_id_taken", "There is another task of this id.", "Ask again.")
    if task is None and purging.is_purged(entry.connection, person_id, task_id):
        raise Conflict("task_purged", "This task was deleted.", "Ask anew to run it again.")


def replace_job(entry: Entry, person_id: PersonId, job_id: JobId, by: str) -> None:
    """End a job that its person runs anew as another one; one that has ended stays as it is."""
    job = queue.load_in(entry, job_id)
    if job is None or job.person_id != person_id or job.life.state.is_terminal:
        return
    life = core.request_cancel(job.life, by)
    if life.state is JobState.CANCELLED:
        questions.close_of_job(entry, job_id)
        endings.cancel_unheld(entry, job, life)
    else:
        queue.save(entry, job, life)
