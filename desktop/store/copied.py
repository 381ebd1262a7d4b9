"""Reads of the copy of the hub's log: machines, jobs, their steps and their questions.

Plain functions of a connection for `await desk.look(…)`; each reads a bounded number of rows.
Lists of jobs by state, words and order are in `copied_list`, lines of logs in `copied_lines`.
What is told here was said by hubs and jobs: whoever shows it strips what acts (`plain_text`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from desktop.store.known import IS_SHOWN
from shared.errors import ErrorBody
from shared.events import Event, EventBody, body_of
from shared.ids import JobId, QuestionId, TaskId, WorkerId, short
from shared.jobs import JobState
from shared.kinds import JsonObject
from shared.questions import Asking
from shared.times import from_ms, to_ms

STEPS_MAX = 500
"""The newest steps of a job; more are not read at once."""
QUESTIONS_MAX = 200
NAMED_JOBS_MAX = 2000
"""Among so many newest jobs a short id is looked for."""
_OBJECT: TypeAdapter[JsonObject] = TypeAdapter(JsonObject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    worker_id: WorkerId
    name: str
    state: str
    """"known", "lost" (away for longer than a nap) or "revoked"."""
    since: datetime | None
    """Since when it is so; None for a machine the hub has told nothing about."""
    kinds: tuple[str, ...] = ()
    """What it can run, as the hub told last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job as lists show it."""

    number: int
    """Its number in this machine's copy; of two made in the same moment the higher is newer."""
    job_id: JobId
    task_id: TaskId
    kind: str
    title: str
    state: JobState
    attempt: int
    worker_id: WorkerId
    """The machine that has it, had it last, or must run it; empty when none is known."""
    machine: str
    """That machine's name."""
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    not_before: datetime | None
    error: ErrorBody | None
    cancel_by: str
    """Who asked for its end; empty when nobody did."""
    is_ours: bool
    """Asked for at this machine."""
    headline: str
    """The result's one sentence; empty without a result."""
    asks: str
    """What its open question says; empty when it asks nothing."""
    is_kept: bool = False
    """It runs on the machine it was asked for at, because no hub was there."""
    is_told: bool = True
    """The hub knows it."""
    replaced_by: JobId | None = None
    """The job that is run instead of it."""
    part_of: JobId | None = None
    """The job that it is a part of; lists leave it out."""

    @property
    def created_ms(self) -> int:
        return to_ms(self.created_at)

    @property
    def asked_at(self) -> datetime:
        """When it was asked for; a hub that adopted it came to know of it later than it began."""
        return min(self.created_at, self.started_at or self.created_at)

    @property
    def short_id(self) -> str:
        return short(self.job_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job with everything that is known of it."""

    row: JobRow
    text: str
    """What the person said."""
    inputs: JsonObject
    result: JsonObject | None
    running_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One event of a job's timeline."""

    step_id: int
    job_id: JobId
    at: datetime
    device: str
    """A worker's id, or "hub"."""
    machine: str
    """The name of that worker; empty for the hub."""
    type: str
    body: EventBody | None
    """None for an event of a newer program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionRow:
    question_id: QuestionId
    job_id: JobId
    asking: Asking
    state: str
    """"open", "parked" (its time ran out, it still can be answered), "answered" or "closed"."""
    asked_at: datetime
    expires_at: datetime
    value: str
    answered_by: str
    answered_at: datetime | None
    given: str
    """An answer given at this machine that the hub has not counted yet."""
    is_used: bool = False
    """The job went on with what was given here already."""
    second: str = ""
    """An answer that came after the one that counts; empty when none did."""
    second_by: str = ""

    @property
    def is_open(self) -> bool:
        """Whether an answer is still wanted, and none was given here."""
        return self.state in ("open", "parked") and not self.given


def workers(connection: sqlite3.Connection) -> tuple[Worker, ...]:
    """Read all machines of this person, by name."""
    rows = connection.execute(
        "select worker_id, name, state, since_ms, kinds from copy_worker"
        " order by name collate nocase"
    )
    return tuple(
        Worker(
            worker_id=WorkerId(one),
            name=name,
            state=state,
            since=_moment(since or None),
            kinds=tuple(from_json(kinds)),
        )
        for one, name, state, since, kinds in rows
    )


JOB_COLUMNS = (
    "number, job_id, task_id, kind, title, state, attempt, worker_id, machine, created_ms,"
    " updated_ms, started_ms, ended_ms, not_before_ms, error, cancel_by, is_ours,"
    " coalesce(nullif(result, '') ->> '$.headline', ''), coalesce((select asking ->> '$.text' from"
    " copy_question where copy_question.job_id = copy_job.job_id and given = ''"
    " and copy_question.state in ('open', 'parked')), ''), is_kept, is_told, replaced_by,"
    " part_of"
)
JOBS = f"select {JOB_COLUMNS} from copy_job"
IS_WHOLE = "part_of = ''"
"""Of jobs those that are no parts of others; what lists walk along holds these alone."""


def job_row(values: tuple[object, ...]) -> JobRow:
    """Make a row of what `JOBS` selects."""
    number, job_id, task_id, kind, title, state, attempt, worker_id, machine = values[:9]
    created, updated, started, ended, not_before, error, cancel_by, is_ours = values[9:17]
    return JobRow(
        number=_whole(number),
        job_id=JobId(str(job_id)),
        task_id=TaskId(str(task_id)),
        kind=str(kind),
        title=str(title),
        state=JobState(str(state)),
        attempt=_whole(attempt),
        worker_id=WorkerId(str(worker_id)),
        machine=str(machine),
        created_at=from_ms(_whole(created)),
        updated_at=from_ms(_whole(updated)),
        started_at=_moment(started),
        ended_at=_moment(ended),
        not_before=_moment(not_before),
        error=_error(str(error)),
        cancel_by=str(cancel_by),
        is_ours=bool(is_ours),
        headline=str(values[17]),
        asks=str(values[18]),
        is_kept=bool(values[19]),
        is_told=bool(values[20]),
        replaced_by=JobId(str(values[21])) if values[21] else None,
        part_of=JobId(str(values[22])) if values[22] else None,
    )


def newest(connection: sqlite3.Connection, limit: int) -> tuple[JobRow, ...]:
    """Read the jobs that were asked for last."""
    rows = connection.execute(
        f"{JOBS} where {IS_WHOLE} order by created_ms desc, number desc limit ?",
        (limit,),
    )
    return tuple(job_row(row) for row in rows)


def live(connection: sqlite3.Connection, limit: int = 100) -> tuple[JobRow, ...]:
    """Read the jobs that run or ask, on any machine, the newest first."""
    rows = connection.execute(
        f"{JOBS} where shelf in (0, 1) and {IS_WHOLE}"
        " order by created_ms desc, number desc limit ?",
        (limit,),
    )
    return tuple(job_row(row) for row in rows)


def jobs_of_task(connection: sqlite3.Connection, task_id: TaskId) -> tuple[JobRow, ...]:
    """Read a task's jobs in the order they were made."""
    rows = connection.execute(
        f"{JOBS} where task_id = ? and {IS_WHOLE} order by created_ms, number limit ?",
        (task_id, STEPS_MAX),
    )
    return tuple(job_row(row) for row in rows)


def parts_of(
    connection: sqlite3.Connection, job_id: JobId, after: int = 0, limit: int = STEPS_MAX
) -> tuple[JobRow, ...]:
    """Read a page of a job's parts, by their number here, beginning after one."""
    rows = connection.execute(
        f"{JOBS} where part_of = ? and part_of != '' and number > ? order by number limit ?",
        (job_id, after, limit),
    )
    return tuple(job_row(row) for row in rows)


def part_counts(connection: sqlite3.Connection, job_id: JobId) -> Mapping[JobState, int]:
    """Count a job's parts by state."""
    rows = connection.execute(
        "select state, count(*) from copy_job where part_of = ? and part_of != '' group by state",
        (job_id,),
    )
    return {JobState(state): count for state, count in rows}


def job(connection: sqlite3.Connection, job_id: JobId) -> Job | None:
    """Read all that is known of a job; None when nothing is."""
    row = next(iter(rows_of(connection, (job_id,))), None)
    if row is None:
        return None
    text, inputs, result, running_seconds = connection.execute(
        "select coalesce(text, ''), inputs, result, running_seconds"
        " from copy_job left join copy_task using (task_id) where job_id = ?",
        (job_id,),
    ).fetchone()
    return Job(
        row=row,
        text=text,
        inputs=_object(inputs) or {},
        result=_object(result),
        running_seconds=running_seconds,
    )


def rows_of(connection: sqlite3.Connection, job_ids: Sequence[JobId]) -> tuple[JobRow, ...]:
    """Read the rows of some jobs anew, in no order; jobs that are gone are left out."""
    marks = ", ".join("?" * len(job_ids))
    rows = connection.execute(f"{JOBS} where job_id in ({marks})", tuple(job_ids))
    return tuple(job_row(row) for row in rows)


def job_named(connection: sqlite3.Connection, name: str) -> JobId | None:
    """Find a job by its id or its short form ("K7Q2", "#k7q2"), the newest that has it."""
    if connection.execute("select 1 from copy_job where job_id = ?", (name,)).fetchone():
        return JobId(name)
    wanted = name.removeprefix("#").upper()
    ids = connection.execute(
        f"select job_id from copy_job where {IS_WHOLE}"
        " order by created_ms desc, number desc limit ?",
        (NAMED_JOBS_MAX,),
    )
    return next((JobId(one) for (one,) in ids if short(one) == wanted), None)


def steps(connection: sqlite3.Connection, job_id: JobId) -> tuple[Step, ...]:
    """Read a job's timeline, the oldest first; of a very long one the newest steps."""
    rows = connection.execute(
        f"{_STEP} where job_id = ? and {IS_SHOWN} order by step_id desc limit ?",
        (job_id, STEPS_MAX),
    ).fetchall()
    return _steps(reversed(rows))


def steps_numbered(connection: sqlite3.Connection, step_ids: Sequence[int]) -> tuple[Step, ...]:
    """Read some steps by their numbers, of whatever jobs, the oldest first."""
    marks = ", ".join("?" * len(step_ids))
    rows = connection.execute(
        f"{_STEP} where step_id in ({marks}) order by step_id", tuple(step_ids)
    )
    return _steps(rows)


_STEP = (
    "select step_id, job_id, at_ms, device, coalesce(name, ''), type, body from event"
    " left join copy_worker on worker_id = device"
)


def _steps(rows: Iterable[tuple[int, str, int, str, str, str, str]]) -> tuple[Step, ...]:
    return tuple(
        Step(
            step_id=number,
            job_id=JobId(job_id),
            at=from_ms(at_ms),
            device=device,
            machine=machine,
            type=kind,
            body=_body(device, kind, body, from_ms(at_ms)),
        )
        for number, job_id, at_ms, device, machine, kind, body in rows
    )


_QUESTION = (
    "select question_id, job_id, asking, state, asked_ms, expires_ms, value, answered_by,"
    " answered_ms, given, is_used, second, second_by from copy_question"
)


def questions(connection: sqlite3.Connection, job_id: JobId) -> tuple[QuestionRow, ...]:
    """Read what a job has asked, the oldest first."""
    rows = connection.execute(
        f"{_QUESTION} where job_id = ? order by asked_ms limit ?", (job_id, QUESTIONS_MAX)
    )
    return _questions(rows)


def question(connection: sqlite3.Connection, question_id: QuestionId) -> QuestionRow | None:
    rows = connection.execute(f"{_QUESTION} where question_id = ?", (question_id,))
    return next(iter(_questions(rows)), None)


def open_questions(connection: sqlite3.Connection) -> tuple[QuestionRow, ...]:
    """Read what jobs on all machines wait for, the oldest first."""
    rows = connection.execute(
        f"{_QUESTION} where state != 'answered' and state != 'closed' order by asked_ms limit ?",
        (QUESTIONS_MAX,),
    )
    return tuple(row for row in _questions(rows) if row.is_open)


def _questions(rows: sqlite3.Cursor) -> tuple[QuestionRow, ...]:
    return tuple(
        QuestionRow(
            question_id=QuestionId(question_id),
            job_id=JobId(job_id),
            asking=Asking.model_validate_json(asking),
            state=state,
            asked_at=from_ms(asked_ms),
            expires_at=from_ms(expires_ms),
            value=value,
            answered_by=by,
            answered_at=_moment(answered_ms),
            given=given,
            is_used=bool(is_used),
            second=second,
            second_by=second_by,
        )
        for (
            question_id,
            job_id,
            asking,
            state,
            asked_ms,
            expires_ms,
            value,
            by,
            answered_ms,
            given,
            is_used,
            second,
            second_by,
        ) in rows
    )


def _body(device: str, kind: str, body: str, at: datetime) -> EventBody | None:
    try:
        event = Event(
            device=device, epoch=0, seq=1, at=at, type=kind, body=_OBJECT.validate_json(body)
        )
        return body_of(event)
    except ValidationError:
        return None


def _error(text: str) -> ErrorBody | None:
    if not text:
        return None
    try:
        return ErrorBody.model_validate_json(text)
    except ValidationError:
        return ErrorBody(code="unreadable", message=text[:400])


def _object(text: str) -> JsonObject | None:
    return _OBJECT.validate_json(text) if text else None


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value


def _moment(milliseconds: object) -> datetime | None:
    return None if milliseconds is None else from_ms(_whole(milliseconds))
