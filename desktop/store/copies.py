"""A copy of what the hub's log tells of this person: tasks, jobs, questions, logs, machines.

It is made from events alone (`apply`, in the order they come) and can be made anew from them.
Events of this machine are applied when they are written; when the hub tells them again they are
left out, by their number. Reads for windows and commands are in `desktop.store.copied`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from desktop.core.admission import AskedHere
from desktop.core.news import News
from shared.errors import ErrorBody
from shared.events import (
    AnswerGiven,
    AttemptBody,
    CancelAsked,
    Event,
    EventBody,
    JobCancelled,
    JobCancelRequested,
    JobDied,
    JobFailed,
    JobGranted,
    JobInterrupted,
    JobLogged,
    JobParked,
    JobQueued,
    JobResumed,
    JobStarted,
    JobSucceeded,
    QuestionAnswered,
    QuestionAsked,
    QuestionParked,
    RequestRefused,
    TaskCreated,
    TaskRequested,
    WorkerBack,
    WorkerLost,
    WorkerPaired,
    WorkerRevoked,
    body_of,
)
from shared.ids import JobId, QuestionId, WorkerId
from shared.jobs import JobState
from shared.questions import QUESTION_SECONDS
from shared.times import to_ms

LIVE: Final = (JobState.GRANTED, JobState.RUNNING, JobState.ASKING)


def create(connection: sqlite3.Connection) -> None:
    """Make the tables: one step of the worker's migrations."""
    for statement in (
        "create table copy_worker (worker_id text primary key, name text not null,"
        " state text not null default 'known', since_ms integer not null default 0) strict",
        "create table copy_task (task_id text primary key, text text not null,"
        " created_ms integer not null, is_ours integer not null default 0) strict",
        # Only what lists show and sort by; `result` and `error` are JSON as the events told them.
        "create table copy_job (number integer primary key, job_id text not null unique,"
        " task_id text not null default '',"
        " kind text not null default '', title text not null default '',"
        " state text not null default 'queued', attempt integer not null default 1,"
        " fence integer not null default 0, worker_id text not null default '',"
        # The worker's name, and where lists put the job: both to sort by, page by page.
        " machine text not null default '', shelf integer generated always as ("
        "case state when 'asking' then 0 when 'running' then 1 when 'granted' then 1"
        " when 'queued' then 2 when 'offered' then 2 when 'succeeded' then 4"
        " when 'cancelled' then 4 else 3 end) virtual,"
        " created_ms integer not null, updated_ms integer not null,"
        " started_ms integer, ended_ms integer, not_before_ms integer,"
        " running_seconds real, inputs text not null default '', result text not null default '',"
        " error text not null default '', cancel_by text not null default '',"
        " line_count integer not null default 0, is_ours integer not null default 0) strict",
        "create table asked_here (job_id text primary key, kind text not null,"
        " inputs text not null) strict",
        "create index copy_job_updated on copy_job (updated_ms desc)",
        "create index copy_job_created on copy_job (created_ms, number)",
        *(
            f"create index copy_job_{name} on copy_job ({order}, created_ms desc, number desc)"
            for name, order in (
                ("shelf", "shelf"),
                ("title", "title collate nocase"),
                ("machine", "machine collate nocase"),
                ("kind", "kind"),
            )
        ),
        "create index copy_job_task on copy_job (task_id)",
        "create table copy_question (question_id text primary key, job_id text not null,"
        " asking text not null, state text not null default 'open', asked_ms integer not null,"
        " expires_ms integer not null, value text not null default '',"
        " answered_by text not null default '', answered_ms integer,"
        # Given here, and not yet counted by the hub.
        " given text not null default '') strict",
        "create index copy_question_job on copy_question (job_id)",
        "create index copy_question_open on copy_question (asked_ms) where state != 'answered'"
        " and state != 'closed'",
        "create table copy_step (step_id integer primary key, job_id text not null,"
        " at_ms integer not null, device text not null, type text not null,"
        " body text not null) strict",
        "create index copy_step_job on copy_step (job_id, step_id)",
        # `job` is the job's number here, `number` the line's within the job: both without gaps,
        # so that any page of any log is one seek.
        "create table copy_line (line_id integer primary key, job integer not null,"
        " number integer not null, attempt integer not null, at_ms integer not null,"
        " text text not null) strict",
        "create unique index copy_line_job on copy_line (job, number)",
        "create virtual table copy_line_words using fts5(text, content='copy_line',"
        " content_rowid='line_id', columnsize=0,"
        " tokenize='unicode61 remove_diacritics 2')",
        # A job's words stand under its number.
        "create virtual table copy_job_words using fts5(words, columnsize=0,"
        " tokenize='unicode61 remove_diacritics 2', prefix='2 3')",
    ):
        connection.execute(statement)
    # A store of before: the hub tells its whole log again, and the copy is made of it.
    begin(connection)
    connection.execute("update fact set value = '0' where name = 'hub_seq'")


def begin(connection: sqlite3.Connection) -> None:
    """Start the copy anew: the hub is another one, or was restored and tells its log again.

    What this machine has written so far comes from the hub from now on, like everything else.
    """
    for table in ("worker", "task", "job", "question", "step", "line", "job_words"):
        connection.execute(f"delete from copy_{table}")
    connection.execute("insert into copy_line_words(copy_line_words) values ('rebuild')")
    told = dict(connection.execute("select name, value from fact").fetchall())
    epoch = told.get("epoch", "0")
    row = connection.execute("select max(seq) from outbox where epoch = ?", (epoch,)).fetchone()
    # Old events are deleted; the highest number ever used is remembered aside.
    written = max(row[0] or 0, int(told.get(f"last_seq.{epoch}", "0")))
    connection.execute(
        "insert into fact (name, value) values ('copy_starts', ?)"
        " on conflict (name) do update set value = excluded.value",
        (str(written),),
    )


def is_echo(connection: sqlite3.Connection, event: Event) -> bool:
    """Say whether the hub tells what this machine wrote, and took into the copy when it did."""
    told = dict(
        connection.execute(
            "select name, value from fact where name in ('worker_id', 'epoch', 'copy_starts')"
        ).fetchall()
    )
    return (
        event.device == told.get("worker_id")
        and str(event.epoch) == told.get("epoch")
        and event.seq > int(told.get("copy_starts", "0"))
    )


def apply(
    connection: sqlite3.Connection, event: Event, held: Callable[[JobId], bool]
) -> frozenset[News]:
    """Take an event into the copy.

    Args:
        connection: inside the transaction that moves the cursor, or that writes the event.
        event: the hub's, another machine's, or one that this machine just wrote.
        held: whether an attempt of a job is alive on this machine now; what the hub tells of
            its queue is older than that.

    Returns:
        What may have changed.
    """
    try:
        body = body_of(event)
    except ValidationError:
        return frozenset()
    if body is None:
        return frozenset()
    return _Step(connection, event, held).take(body)


class _Step:
    """One event on its way into the copy."""

    def __init__(
        self, connection: sqlite3.Connection, event: Event, held: Callable[[JobId], bool]
    ) -> None:
        self._connection = connection
        self._event = event
        self._held = held
        self._at_ms = to_ms(event.at)

    def take(self, body: EventBody) -> frozenset[News]:
        match body:
            case JobLogged():
                return self._log(body)
            case WorkerPaired() | WorkerLost() | WorkerBack() | WorkerRevoked():
                return self._worker(body)
            case TaskCreated():
                self._connection.execute(
                    "insert into copy_task (task_id, text, created_ms) values (?, ?, ?)"
                    " on conflict do nothing",
                    (body.task_id, body.text, self._at_ms),
                )
                return frozenset({News.JOBS})
            case QuestionAnswered() | QuestionParked() | AnswerGiven():
                self._question(body)
                self._note(body.job_id)
                return frozenset({News.JOBS, News.QUESTIONS})
            case _:
                job_id = getattr(body, "job_id", None)
                if job_id is None:
                    return frozenset()
                self._job(JobId(job_id), body)
                self._note(JobId(job_id))
                return frozenset({News.JOBS, News.QUESTIONS})

    def _job(self, job_id: JobId, body: EventBody) -> None:
        self._know(job_id)
        match body:
            case TaskRequested():
                self._requested(body)
            case JobQueued():
                self._queued(body)
            case JobGranted() if not self._held(job_id):
                self._set(
                    job_id, "fence < ? and ended_ms is null", (body.fence,),
                    state=JobState.GRANTED, attempt=body.attempt, fence=body.fence,
                    worker_id=body.worker_id,
                )  # fmt: skip
            case JobCancelRequested():
                self._set(job_id, cancel_by=body.by or "?")
            case CancelAsked():
                self._set(job_id, cancel_by="you")
            case JobDied():
                self._set(
                    job_id, state=JobState.DEAD, error=_json(body.error), ended_ms=self._at_ms
                )
            case RequestRefused():
                self._refused(body)
            case AttemptBody():
                self._attempt(body)
            case _:
                pass  # the others are told in the timeline alone

    def _attempt(self, body: AttemptBody) -> None:
        job_id = body.job_id
        match body:
            case JobStarted():
                self._set(
                    job_id, "fence <= ?", (body.fence,),
                    state=JobState.RUNNING, attempt=body.attempt, fence=body.fence,
                    worker_id=self._event.device, started_ms=self._at_ms, ended_ms=None,
                    error="", not_before_ms=None,
                )  # fmt: skip
            case QuestionAsked():
                self._connection.execute(
                    "insert into copy_question (question_id, job_id, asking, asked_ms, expires_ms)"
                    " values (?, ?, ?, ?, ?) on conflict do nothing",
                    (
                        body.question_id,
                        job_id,
                        body.asking.model_dump_json(),
                        self._at_ms,
                        self._at_ms + QUESTION_SECONDS * 1000,
                    ),
                )
                self._move(body, JobState.ASKING)
            case JobResumed():
                self._move(body, JobState.RUNNING)
            case JobParked():
                self._move(body, JobState.ASKING)
            case JobSucceeded():
                self._end(
                    body, JobState.SUCCEEDED, result=_json(body.result), error="",
                    running_seconds=body.running_seconds,
                )  # fmt: skip
            case JobFailed():
                self._end(body, JobState.FAILED, error=_json(body.error))
            case JobCancelled():
                self._end(body, JobState.CANCELLED, error="")
            case JobInterrupted():
                told = ErrorBody(code="interrupted", message=body.reason, hint="")
                self._end(body, JobState.INTERRUPTED, error=_json(told))
            case _:
                raise AssertionError(body)

    def _move(self, body: AttemptBody, state: JobState) -> None:
        self._set(
            body.job_id, "fence <= ? and ended_ms is null", (body.fence,),
            state=state, attempt=body.attempt, fence=body.fence, worker_id=self._event.device,
        )  # fmt: skip

    def _end(self, body: AttemptBody, state: JobState, **fields: object) -> None:
        self._set(
            body.job_id, "fence <= ?", (body.fence,),
            state=state, attempt=body.attempt, fence=body.fence, worker_id=self._event.device,
            ended_ms=self._at_ms, **fields,
        )  # fmt: skip
        self._close_questions(body.job_id)

    def _queued(self, body: JobQueued) -> None:
        self._set(body.job_id, kind=body.kind, title=body.title, task_id=body.task_id)
        self._index(body.job_id)
        if not self._held(body.job_id):
            self._set(
                body.job_id, "attempt <= ?", (body.attempt,),
                state=JobState.QUEUED, attempt=body.attempt, ended_ms=None, cancel_by="",
                not_before_ms=None if body.not_before is None else to_ms(body.not_before),
            )  # fmt: skip

    def _requested(self, body: TaskRequested) -> None:
        is_ours = int(self._event.device == self._own_device())
        self._connection.execute(
            "insert into copy_task (task_id, text, created_ms, is_ours) values (?, ?, ?, ?)"
            " on conflict do nothing",
            (body.task_id, body.text or body.title or body.kind, self._at_ms, is_ours),
        )
        self._set(
            body.job_id, "kind = ''", (),
            kind=body.kind, title=body.title or body.kind.rpartition(".")[2],
            task_id=body.task_id, inputs=_json(body.inputs), is_ours=is_ours,
            worker_id=body.worker_id or "",
        )  # fmt: skip
        self._index(body.job_id)

    def _index(self, job_id: JobId) -> None:
        """Let a job be found by the words of its title, its kind and its task."""
        self._connection.execute(
            "insert or replace into copy_job_words (rowid, words) select number,"
            " title || ' ' || kind || ' ' || coalesce(text, '')"
            " from copy_job left join copy_task using (task_id) where job_id = ?",
            (job_id,),
        )

    def _refused(self, body: RequestRefused) -> None:
        match body.request:
            case "task_requested":
                self._set(
                    body.job_id, state=JobState.FAILED, error=_json(body.error),
                    ended_ms=self._at_ms,
                )  # fmt: skip
            case "cancel_asked":
                self._set(body.job_id, cancel_by="")
            case "answer_given":
                self._connection.execute(
                    "update copy_question set given = '' where job_id = ? and state = 'open'",
                    (body.job_id,),
                )
            case _:
                pass

    def _question(self, body: QuestionAnswered | QuestionParked | AnswerGiven) -> None:
        match body:
            case QuestionAnswered():
                self._connection.execute(
                    "update copy_question set state = 'answered', value = ?, answered_by = ?,"
                    " answered_ms = ?, given = '' where question_id = ?",
                    (body.answer.value, body.answer.by, self._at_ms, body.question_id),
                )
            case QuestionParked():
                self._connection.execute(
                    "update copy_question set state = 'parked' where question_id = ?"
                    " and state = 'open'",
                    (body.question_id,),
                )
            case AnswerGiven():
                self._connection.execute(
                    "update copy_question set given = ? where question_id = ?"
                    " and state in ('open', 'parked')",
                    (body.value, body.question_id),
                )

    def _close_questions(self, job_id: JobId) -> None:
        self._connection.execute(
            "update copy_question set state = 'closed' where job_id = ?"
            " and state in ('open', 'parked')",
            (job_id,),
        )

    def _log(self, body: JobLogged) -> frozenset[News]:
        self._know(body.job_id)
        job, count = self._connection.execute(
            "update copy_job set line_count = line_count + ? where job_id = ?"
            " returning number, line_count",
            (len(body.lines), body.job_id),
        ).fetchone()
        row = self._connection.execute("select max(line_id) from copy_line").fetchone()
        before, first = row[0] or 0, count - len(body.lines) + 1
        self._connection.executemany(
            "insert into copy_line (line_id, job, number, attempt, at_ms, text)"
            " values (?, ?, ?, ?, ?, ?)",
            (
                (before + 1 + index, job, first + index, body.attempt, self._at_ms, line)
                for index, line in enumerate(body.lines)
            ),
        )
        self._connection.executemany(
            "insert into copy_line_words (rowid, text) values (?, ?)",
            enumerate(body.lines, before + 1),
        )
        return frozenset({News.LOGS})

    def _worker(
        self, body: WorkerPaired | WorkerLost | WorkerBack | WorkerRevoked
    ) -> frozenset[News]:
        state = {WorkerLost: "lost", WorkerRevoked: "revoked"}.get(type(body), "known")
        note_name(self._connection, body.worker_id, body.name)
        self._connection.execute(
            "update copy_worker set state = ?, since_ms = ? where worker_id = ?",
            (state, self._at_ms, body.worker_id),
        )
        return frozenset({News.WORKERS})

    def _know(self, job_id: JobId) -> None:
        """Make a row for a job that events tell of before the one that made it."""
        self._connection.execute(
            "insert into copy_job (job_id, created_ms, updated_ms) values (?, ?, ?)"
            " on conflict do nothing",
            (job_id, self._at_ms, self._at_ms),
        )

    def _set(
        self, job_id: JobId, condition: str = "1", values: tuple[object, ...] = (), **fields: object
    ) -> None:
        """Change a job's row when it is not further than this event."""
        columns = ", ".join(f"{name} = ?" for name in fields)
        self._connection.execute(
            f"update copy_job set {columns}, updated_ms = max(updated_ms, ?)"
            f" where job_id = ? and {condition}",
            (*fields.values(), self._at_ms, job_id, *values),
        )
        if "worker_id" in fields:
            self._connection.execute(
                "update copy_job set machine = coalesce((select name from copy_worker"
                " where copy_worker.worker_id = copy_job.worker_id), '') where job_id = ?",
                (job_id,),
            )

    def _note(self, job_id: JobId) -> None:
        """Write the event into the job's timeline."""
        self._connection.execute(
            "insert into copy_step (job_id, at_ms, device, type, body) values (?, ?, ?, ?, ?)",
            (job_id, self._at_ms, self._event.device, self._event.type, _json(self._event.body)),
        )

    def _own_device(self) -> str:
        row = self._connection.execute("select value from fact where name = 'worker_id'").fetchone()
        return "" if row is None else str(row[0])


def note_asked(connection: sqlite3.Connection, body: TaskRequested) -> None:
    """Keep what the person at this machine asks for where no hub's word can change it."""
    connection.execute(
        "insert into asked_here (job_id, kind, inputs) values (?, ?, ?)",
        (body.job_id, body.kind, _json(body.inputs)),
    )


def asked_here(connection: sqlite3.Connection, job_id: JobId) -> AskedHere | None:
    """Return what the person at this machine asked for under a job's id."""
    row = connection.execute(
        "select kind, inputs from asked_here where job_id = ?", (job_id,)
    ).fetchone()
    return None if row is None else AskedHere(kind=row[0], inputs=from_json(row[1]))


def question_job(connection: sqlite3.Connection, question_id: QuestionId) -> JobId | None:
    row = connection.execute(
        "select job_id from copy_question where question_id = ?", (question_id,)
    ).fetchone()
    return None if row is None else JobId(row[0])


def note_name(connection: sqlite3.Connection, worker_id: WorkerId, name: str) -> None:
    """Know a machine by its name; this one knows its own before the hub tells of it."""
    known = connection.execute(
        "select 1 from copy_worker where worker_id = ? and name = ?", (worker_id, name)
    ).fetchone()
    if known:
        return
    connection.execute(
        "insert into copy_worker (worker_id, name) values (?, ?)"
        " on conflict (worker_id) do update set name = excluded.name",
        (worker_id, name),
    )
    connection.execute("update copy_job set machine = ? where worker_id = ?", (name, worker_id))


def _json(value: object) -> str:
    return to_json(value).decode()
