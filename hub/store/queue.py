"""Jobs as decisions see them: made, loaded, moved on. The hot path, so plain SQL."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic_core import to_json

from hub.core.job import Job, Life
from hub.store.ledger import Entry
from hub.store.moves import Move, life_row
from hub.store.owed import Row
from shared.errors import ErrorBody
from shared.ids import JobId, PersonId, QuestionId, SessionId, TaskId, WorkerId, short
from shared.jobs import NO_SESSION, JobSpec, JobState, Origin, Priority
from shared.kinds import JsonObject
from shared.messages import Grant
from shared.times import from_ms, to_ms

JOB = (
    "job_id, task_id, person_id, kind, priority, tools, pinned_to, created_ms, state, attempt,"
    " fence, failures, losses, worker_id, is_held, not_before_ms, cancel_by, question_id,"
    " session_id, part_of, is_lent"
)
_LOAD = f"SELECT {JOB} FROM jobs WHERE job_id = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """What a job is made with, beside what decisions need."""

    job: Job
    title: str
    inputs: JsonObject
    origin: Origin
    traceparent: str


def insert(entry: Entry, new: NewJob) -> None:
    job, life = new.job, new.job.life
    entry.make(
        job,
        (
            job.job_id,
            short(job.job_id),
            job.task_id,
            job.person_id,
            job.kind,
            job.priority,
            _tools(job),
            job.pinned_to,
            to_ms(job.created_at),
            new.title,
            to_json(new.inputs).decode(),
            new.origin,
            new.traceparent,
            *life_row(life),
            None,
            None,
            entry.now_ms,
            job.session_id,
            job.part_of,
            int(job.is_lent),
        ),
    )
    if job.is_lent:
        entry.settle()  # `lent` looks beside
    if not job.life.is_held:  # else its worker has it, and nobody needs to be told what it is
        entry.specs.append(_spec_of(new))


def insert_granted(entry: Entry, new: NewJob) -> None:
    """Insert a job that is made as a worker's own; that worker is told after the commit."""
    insert(entry, new)
    spec, life = _spec_of(new), new.job.life
    assert life.worker_id is not None
    entry.specs.append(spec)
    grant = Grant(job_id=spec.job_id, attempt=life.attempt, fence=life.fence, job=spec)
    entry.grants.append((life.worker_id, grant))


def _spec_of(new: NewJob) -> JobSpec:
    job = new.job
    return JobSpec(
        job_id=job.job_id,
        task_id=job.task_id,
        kind=job.kind,
        title=new.title,
        inputs=new.inputs,
        origin=new.origin,
        traceparent=new.traceparent,
        session_id=job.session_id or NO_SESSION,
    )


def load(connection: sqlite3.Connection, job_id: JobId) -> Job | None:
    row = connection.execute(_LOAD, (job_id,)).fetchone()
    return to_job(row) if row else None


def load_in(entry: Entry, job_id: JobId) -> Job | None:
    """Load a job within a transaction, as the transaction has left it."""
    job = entry.known(job_id)
    if job is None:
        job = load(entry.beside, job_id)
        if job is not None:
            entry.loaded[job_id] = job
    return job


def save(entry: Entry, job: Job, life: Life, *, result: JsonObject | None = None) -> Job:
    """Move a job on (and keep its pin), with its result when it has one; returns it as it is."""
    return _written(entry, job, life, result)


def seat(entry: Entry, job: Job, life: Life, session_id: SessionId | None) -> Job:
    """Move a job on, into a session or out of the one it was in; returns it as it is."""
    return _written(entry, job, life, session_id=session_id, is_seated=True)


def reorder(entry: Entry, job: Job, life: Life, priority: Priority) -> Job:
    """Let a waiting job wait with another priority; returns it as it is."""
    entry.connection.execute(
        "UPDATE jobs SET priority = ? WHERE job_id = ?", (priority, job.job_id)
    )
    return _written(entry, replace(job, priority=priority), life)


def _written(
    entry: Entry,
    job: Job,
    life: Life,
    result: JsonObject | None = None,
    *,
    session_id: SessionId | None = None,
    is_seated: bool = False,
) -> Job:
    now = Job(
        job_id=job.job_id,
        task_id=job.task_id,
        person_id=job.person_id,
        kind=job.kind,
        priority=job.priority,
        tools=job.tools,
        pinned_to=job.pinned_to,
        session_id=session_id if is_seated else job.session_id,
        part_of=job.part_of,
        is_lent=job.is_lent,
        created_at=job.created_at,
        life=life,
    )
    text = None if result is None else to_json(result).decode()
    entry.move(Move(now, entry.now_ms, is_seated, text))
    return now


def title_of(connection: sqlite3.Connection, job_id: JobId) -> str:
    row = connection.execute("SELECT title FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
    return str(row[0]) if row else ""


def set_title(entry: Entry, job_id: JobId, title: str) -> None:
    entry.connection.execute("UPDATE jobs SET title = ? WHERE job_id = ?", (title, job_id))


def set_error(entry: Entry, job_id: JobId, error: ErrorBody | None) -> None:
    entry.connection.execute(
        "UPDATE jobs SET error = ? WHERE job_id = ?",
        (error.model_dump_json() if error else None, job_id),
    )


def queued(connection: sqlite3.Connection) -> list[Job]:
    """Every job that waits for a worker, the oldest first: what a restart rebuilds from."""
    rows = connection.execute(
        f"SELECT {JOB} FROM jobs INDEXED BY jobs_queued WHERE state = 'queued' ORDER BY job_id"
    )
    return [to_job(row) for row in rows]


def waits(connection: sqlite3.Connection) -> dict[JobId, float]:
    """How many seconds each waiting job was to wait when it began to."""
    rows = connection.execute(
        "SELECT job_id, not_before_ms - updated_ms FROM jobs INDEXED BY jobs_queued"
        " WHERE state = 'queued' AND not_before_ms IS NOT NULL"
    )
    return {JobId(job_id): max(0, milliseconds) / 1000 for job_id, milliseconds in rows}


def held(connection: sqlite3.Connection, worker_id: WorkerId | None = None) -> list[Job]:
    """Jobs whose grant a worker has now; every worker's when None."""
    if worker_id is None:
        # Without a hint SQLite walks all jobs ever made, for they are in order already.
        rows = connection.execute(
            f"SELECT {JOB} FROM jobs INDEXED BY jobs_held WHERE is_held = 1 ORDER BY job_id"
        )
    else:
        rows = connection.execute(
            f"SELECT {JOB} FROM jobs INDEXED BY jobs_held WHERE is_held = 1 AND worker_id = ?"
            " ORDER BY job_id",
            (worker_id,),
        )
    return [to_job(row) for row in rows]


def of_task(connection: sqlite3.Connection, task_id: TaskId) -> list[Job]:
    """A task's jobs, the oldest first; no parts of them."""
    rows = connection.execute(
        f"SELECT {JOB} FROM jobs WHERE task_id = ? AND part_of IS NULL ORDER BY job_id", (task_id,)
    )
    return [to_job(row) for row in rows]


def lent(entry: Entry, maker: JobId) -> list[Job]:
    """The parts of a job that other workers are to run and that have not ended."""
    # Which they are never changes; how they stand may not be written yet.
    rows = entry.beside.execute(
        "SELECT job_id FROM jobs INDEXED BY jobs_lent WHERE part_of = ? AND is_lent = 1"
        " ORDER BY job_id",
        (maker,),
    ).fetchall()
    parts = [load_in(entry, JobId(job_id)) for (job_id,) in rows]
    return [job for job in parts if job is not None and not job.life.state.is_terminal]


def lend(entry: Entry, job: Job, maker: Job) -> Job:
    """Know a job as a part that is lent: a hub that was restored took it in as a job of its own."""
    entry.connection.execute(
        "UPDATE jobs SET part_of = ?, is_lent = 1 WHERE job_id = ?", (maker.job_id, job.job_id)
    )
    return save(entry, replace(job, part_of=maker.job_id, is_lent=True), job.life)


def error_of(connection: sqlite3.Connection, job_id: JobId) -> ErrorBody | None:
    """Return what a job failed with last."""
    row = connection.execute("SELECT error FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
    return ErrorBody.model_validate_json(row[0]) if row and row[0] else None


def unheld(connection: sqlite3.Connection) -> list[Job]:
    """Jobs that have not ended and that no worker has: waiting for one, or for a person."""
    rows = connection.execute(
        f"SELECT {JOB} FROM jobs WHERE is_held = 0"
        " AND state IN ('queued', 'offered', 'asking', 'interrupted') ORDER BY job_id"
    )
    return [to_job(row) for row in rows]


def in_state(connection: sqlite3.Connection, person_id: PersonId, state: JobState) -> list[Job]:
    """Load a person's jobs in one state, the oldest first."""
    rows = connection.execute(
        f"SELECT {JOB} FROM jobs WHERE person_id = ? AND state = '{state}' AND part_of IS NULL"
        " ORDER BY job_id",
        (person_id,),
    )
    return [to_job(row) for row in rows]


def specs(connection: sqlite3.Connection, job_ids: list[JobId]) -> dict[JobId, JobSpec]:
    """What workers are told of jobs, answers given so far included."""
    found = {}
    for job_id in job_ids:
        row = connection.execute(
            "SELECT task_id, kind, title, inputs, origin, traceparent FROM jobs WHERE job_id = ?",
            (job_id,),
        ).fetchone()
        if row is None:
            continue
        answers = connection.execute(
            "SELECT json_extract(asking, '$.key'), value FROM questions"
            " WHERE job_id = ? AND state = 'answered' AND is_hubs = 0 ORDER BY question_id",
            (job_id,),
        ).fetchall()
        found[job_id] = JobSpec(
            job_id=job_id,
            task_id=TaskId(row[0]),
            kind=row[1],
            title=row[2],
            inputs=json.loads(row[3]),
            answers=dict(answers),
            origin=Origin(row[4]),
            traceparent=row[5],
        )
    return found


def was_granted(
    connection: sqlite3.Connection, job_id: JobId, worker_id: WorkerId, attempt: int, fence: int
) -> bool:
    """Say whether a worker ever had this grant; looked up in the log, for latecomers only."""
    row = connection.execute(
        "SELECT 1 FROM events WHERE entity = ? AND device = 'hub' AND type = 'job_granted'"
        " AND json_extract(body, '$.worker_id') = ? AND json_extract(body, '$.attempt') = ?"
        " AND json_extract(body, '$.fence') = ?",
        (job_id, worker_id, attempt, fence),
    ).fetchone()
    return row is not None


def was_at(connection: sqlite3.Connection, job_id: JobId, worker_id: WorkerId) -> bool:
    """Say whether a worker was ever granted a job; looked up in the log, for latecomers only."""
    row = connection.execute(
        "SELECT 1 FROM events WHERE entity = ? AND device = 'hub' AND type = 'job_granted'"
        " AND json_extract(body, '$.worker_id') = ? LIMIT 1",
        (job_id, worker_id),
    ).fetchone()
    return row is not None


def to_job(row: Row) -> Job:
    (job_id, task_id, person_id, kind, priority, tools, pinned_to, created_ms, *rest) = row
    *life, session, part_of, is_lent = rest
    return Job(
        job_id=JobId(str(job_id)),
        task_id=TaskId(str(task_id)),
        person_id=PersonId(str(person_id)),
        kind=str(kind),
        priority=Priority(str(priority)),
        tools=tuple(json.loads(str(tools))) if tools != "[]" else (),
        pinned_to=WorkerId(str(pinned_to)) if pinned_to else None,
        session_id=SessionId(str(session)) if session else None,
        part_of=JobId(str(part_of)) if part_of else None,
        is_lent=bool(is_lent),
        created_at=_moment(created_ms),
        life=_to_life(life),
    )


def _to_life(columns: list[object]) -> Life:
    state, attempt, fence, failures, losses, worker_id, is_held, wait_ms, cancel_by, asked = columns
    assert isinstance(attempt, int)
    assert isinstance(fence, int)
    assert isinstance(failures, int)
    assert isinstance(losses, int)
    return Life(
        state=JobState(str(state)),
        attempt=attempt,
        fence=fence,
        failures=failures,
        losses=losses,
        worker_id=WorkerId(str(worker_id)) if worker_id else None,
        is_held=bool(is_held),
        not_before=None if wait_ms is None else _moment(wait_ms),
        cancel_by=str(cancel_by),
        question_id=QuestionId(str(asked)) if asked else None,
    )


def _tools(job: Job) -> str:
    return json.dumps(job.tools) if job.tools else "[]"


def _moment(milliseconds: object) -> datetime:
    assert isinstance(milliseconds, int)
    return from_ms(milliseconds)
