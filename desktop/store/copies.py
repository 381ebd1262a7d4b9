"""A copy of what the hub's log tells of this person: tasks, jobs, questions, logs, machines.

It is made from the table of events alone (`desktop.store.known`), and what stands in it depends on
nothing but the events and their order there: an event that comes out of its turn has its job told
anew from the first event on. Making all of it anew is in `desktop.store.rebuilt`, reads for windows
and commands are in `desktop.store.copied`.
"""

from __future__ import annotations

import sqlite3

from pydantic import ValidationError
from pydantic_core import to_json

from desktop.core.news import News
from desktop.store import copy_tables, known, peers, settings
from desktop.store.copy_lines import Lines
from desktop.store.copy_words import Words
from desktop.store.known import Kept, Turn
from shared.errors import ErrorBody
from shared.events import (
    AnswerGiven,
    AnswerSuperseded,
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
    JobPlanned,
    JobQueued,
    JobResumed,
    JobStarted,
    JobSucceeded,
    PartSettled,
    QuestionAnswered,
    QuestionAsked,
    QuestionParked,
    RequestRefused,
    ScheduleAsked,
    ScheduleChanged,
    ScheduleMissed,
    ScheduleRan,
    SettingChanged,
    TaskCreated,
    TaskRequested,
    WorkerBack,
    WorkerLost,
    WorkerOffers,
    WorkerPaired,
    WorkerRevoked,
    body_of,
)
from shared.ids import JobId
from shared.jobs import JobState
from shared.kinds.naming import title_for
from shared.messages import Numbered
from shared.questions import QUESTION_SECONDS
from shared.times import to_ms

LOGGED = JobLogged.model_fields["type"].default


HUB = "hub"
"""The device that the hub's own events come from."""
LOST = ErrorBody(
    code="hub_restored",
    message="The hub was restored from a backup and has forgotten this job; nobody has begun it.",
    hint="Ask for it again.",
)
_SCHEDULES = (ScheduleAsked, ScheduleChanged, ScheduleRan, ScheduleMissed)
_ENDS = frozenset((JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.DEAD))
"""Of a job that has come to its end; what is told of its attempt after that came too late."""


def hear(connection: sqlite3.Connection, told: Numbered) -> frozenset[News]:
    """Take in what the hub tells; what is known already changes nothing.

    A whole stretch is heard sooner by `desktop.store.hearing`.

    Args:
        connection: inside the transaction that moves the cursor.
        told: in the order of the hub's log.

    Returns:
        What may have changed.
    """
    # A hub may lower a stamp from the future, never raise one.
    found = known.find(connection, told.event)
    # Written out once for its signature and its digest.
    canonical = b"" if found and not found.doubt else told.event.canonical()
    kept = known.keep(
        connection,
        told.event,
        found,
        hub_seq=told.hub_seq,
        hlc=min(told.hlc, told.event.hlc),
        doubt="" if not canonical else peers.doubt(connection, told.event, canonical),
        canonical=canonical,
    )
    if kept.is_new or told.event.type == settings.CHANGED:  # its stamp may be another now
        return show(connection, told.event, kept)
    if kept.is_told_anew and kept.job_id and told.event.type != LOGGED:
        tell_anew(connection, JobId(kept.job_id))
        return frozenset({News.JOBS, News.QUESTIONS})
    return frozenset()


def wrote(connection: sqlite3.Connection, event: Event) -> frozenset[News]:
    """Take in what this machine has just written into its own log."""
    return show(connection, event, known.add(connection, event))


def show(connection: sqlite3.Connection, event: Event, kept: Kept) -> frozenset[News]:
    """Take an event into the copy that has just been kept."""
    if not kept.job_id or event.type == LOGGED:
        return apply(connection, event)
    turn = known.turn(connection, kept)
    if turn is Turn.NEXT and not known.has_lost(connection, kept.job_id):
        return apply(connection, event)
    if turn is Turn.ONLY and not copy_tables.has_job(connection, kept.job_id):
        # Nothing is known of its job that it could contradict.
        return apply(connection, event)
    tell_anew(connection, JobId(kept.job_id))
    return frozenset({News.JOBS, News.QUESTIONS})


def tell_anew(connection: sqlite3.Connection, job_id: JobId) -> None:
    """Make a job's row and its questions anew, of all its events in their order."""
    events = list(known.steps_in_order(connection, job_id))
    begun_ms = to_ms(events[0].at) if events else known.first_line_ms(connection, job_id)
    if begun_ms is None:
        copy_tables.drop_job(connection, job_id)
    else:
        copy_tables.clear_job(connection, job_id, begun_ms)
    connection.execute("delete from copy_question where job_id = ?", (job_id,))
    for event in events:
        apply(connection, event)
    connection.execute(
        "update copy_job as before set replaced_by = coalesce((select max(job_id) from copy_job"
        " where copy_job.replaces = before.job_id and copy_job.replaces != ''), '')"
        " where replaced_by = ? and replaced_by != ''",
        (job_id,),
    )
    if known.is_all_lost(connection, job_id):
        _lose(connection, job_id)


def mark_lost(connection: sqlite3.Connection) -> None:
    """Say of all jobs that a restored hub has forgotten, and no machine has, that they are lost."""
    jobs = connection.execute("select distinct job_id from event where is_lost = 1")
    for (job_id,) in jobs.fetchall():
        if known.is_all_lost(connection, job_id):
            _lose(connection, job_id)


def _lose(connection: sqlite3.Connection, job_id: str) -> None:
    connection.execute(
        "update copy_job set state = ?, error = ?, ended_ms = updated_ms, not_before_ms = null"
        " where job_id = ? and state in ('queued', 'offered', 'granted')",
        (JobState.INTERRUPTED, LOST.model_dump_json(), job_id),
    )


def apply(connection: sqlite3.Connection, event: Event) -> frozenset[News]:
    """Change the copy by an event that follows all others of its job."""
    if event.sealed_with:
        return frozenset()
    try:
        body = body_of(event)
    except ValidationError:
        return frozenset()
    return frozenset() if body is None else take(connection, event, body)


def take(
    connection: sqlite3.Connection,
    event: Event,
    body: EventBody,
    *,
    words: Words | None = None,
    has_row: bool = False,
) -> frozenset[News]:
    """Do what `apply` does, for whoever has read the event's body.

    Args:
        connection: inside a transaction.
        event: that follows all others of its job.
        body: what it says.
        words: gather what jobs are found by; None to write that at once.
        has_row: its job is known to have its row.
    """
    gathered = words or Words(connection)
    news = _Step(connection, event, gathered, has_row=has_row).take(body)
    if words is None:
        gathered.write()
    return news


class _Step:
    """One event on its way into the copy."""

    def __init__(
        self, connection: sqlite3.Connection, event: Event, words: Words, *, has_row: bool
    ) -> None:
        self._connection = connection
        self._event = event
        self._words = words
        self._has_row = has_row
        self._at_ms = to_ms(event.at)

    def take(self, body: EventBody) -> frozenset[News]:
        match body:
            case JobLogged():
                return self._log(body)
            case WorkerOffers():
                copy_tables.note_name(self._connection, body.worker_id, body.name)
                self._connection.execute(
                    "update copy_worker set kinds = ? where worker_id = ?",
                    (_json(body.kinds), body.worker_id),
                )
                return frozenset({News.WORKERS})
            case WorkerPaired() | WorkerLost() | WorkerBack() | WorkerRevoked():
                return self._worker(body)
            case SettingChanged():
                settings.settle(self._connection, body.name)
                return frozenset({News.SETTINGS})
            case TaskCreated():
                self._connection.execute(
                    # The hub's word on a task, whichever was here first.
                    "insert into copy_task (task_id, text, created_ms, is_told)"
                    " values (?, ?, ?, 1) on conflict do update set is_told = 1,"
                    " text = iif(is_told, min(text, excluded.text), excluded.text), created_ms ="
                    " iif(is_told, min(created_ms, excluded.created_ms), excluded.created_ms)",
                    (body.task_id, body.text, self._at_ms),
                )
                self._words.add_task(body.task_id)
                return frozenset({News.JOBS})
            case QuestionAnswered() | QuestionParked() | AnswerGiven() | AnswerSuperseded():
                self._know(body.job_id)
                self._question(body)
                self._note(body.job_id)
                return frozenset({News.JOBS, News.QUESTIONS})
            case _:
                job_id = getattr(body, "job_id", None)
                if not job_id:
                    # Schedules are read from the events themselves.
                    return frozenset({News.SCHEDULES} if isinstance(body, _SCHEDULES) else ())
                self._job(JobId(job_id), body)
                self._note(JobId(job_id))
                return frozenset({News.JOBS, News.QUESTIONS})

    def _job(self, job_id: JobId, body: EventBody) -> None:
        self._know(job_id)
        if part_of := getattr(body, "part_of", None):
            copy_tables.note_part(self._connection, job_id, part_of)
        match body:
            case TaskRequested():
                self._requested(body)
            case JobQueued():
                self._queued(body)
            case JobGranted():
                self._granted(body)
            case JobCancelRequested():
                self._set(job_id, cancel_by=body.by or "?")
            case CancelAsked():
                self._set(job_id, cancel_by="you")
            case JobDied():
                self._set(
                    job_id, state=JobState.DEAD, error=_json(body.error), ended_ms=self._at_ms
                )
            case RequestRefused() | PartSettled():
                self._overrule(body)
            case AttemptBody() if not isinstance(body, JobPlanned):
                self._attempt(body)
            case _:
                pass  # the others are told in the timeline alone

    def _granted(self, body: JobGranted) -> None:
        is_set = self._set(
            body.job_id, "fence < ? and ended_ms is null", (body.fence,),
            state=JobState.GRANTED, attempt=body.attempt, fence=body.fence,
            worker_id=body.worker_id,
        )  # fmt: skip
        if not is_set:
            # Given up for lost, its holder was back before anybody else, and goes on.
            self._set(
                body.job_id, "fence = ? and state = 'queued'", (body.fence,),
                state=JobState.RUNNING, attempt=body.attempt, worker_id=body.worker_id,
            )  # fmt: skip

    def _attempt(self, body: AttemptBody) -> None:
        job_id = body.job_id
        match body:
            case JobStarted():
                self._describe(body)
                if self._is_past(body):
                    return
                # Begun again, it waits for no earlier answer.
                self._close_questions(job_id)
                self._set(
                    job_id, state=JobState.RUNNING, attempt=body.attempt, fence=body.fence,
                    worker_id=self._event.device, started_ms=self._at_ms, ended_ms=None,
                    error="", not_before_ms=None,
                )  # fmt: skip
            case QuestionAsked():
                # What an attempt asked that was left behind needs no answer.
                state = "closed" if self._is_past(body) else "open"
                self._connection.execute(
                    "insert into copy_question"
                    " (question_id, job_id, asking, asked_ms, expires_ms, state)"
                    " values (?, ?, ?, ?, ?, ?) on conflict do nothing",
                    (
                        body.question_id,
                        job_id,
                        body.asking.model_dump_json(),
                        self._at_ms,
                        self._at_ms + QUESTION_SECONDS * 1000,
                        state,
                    ),
                )
                # The hub asks what is true of a job that its worker does not have any more.
                is_hubs = self._event.device == HUB
                self._move(body, JobState.INTERRUPTED if is_hubs else JobState.ASKING)
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

    def _describe(self, body: JobStarted) -> None:
        """Know a job by what its worker runs, when the hub never told of its making."""
        if body.job is not None:
            self._set(
                body.job_id, "kind = ''", (),
                kind=body.job.kind, title=body.job.title, task_id=body.job.task_id,
            )  # fmt: skip
            self._words.add_job(body.job_id)

    def _move(self, body: AttemptBody, state: JobState) -> None:
        self._set(
            body.job_id, "fence <= ? and ended_ms is null", (body.fence,),
            state=state, attempt=body.attempt, fence=body.fence, **self._teller(),
        )  # fmt: skip

    def _end(self, body: AttemptBody, state: JobState, **fields: object) -> None:
        # The first end counts; only the hub may say another, because its person did.
        if self._event.device != HUB and self._is_past(body):
            return
        self._set(
            body.job_id, "fence <= ?", (body.fence,),
            state=state, attempt=body.attempt, fence=body.fence, ended_ms=self._at_ms,
            **self._teller(), **fields,
        )  # fmt: skip
        self._close_questions(body.job_id)

    def _teller(self) -> dict[str, object]:
        """Name the machine that tells; what the hub tells changes none."""
        return {} if self._event.device == HUB else {"worker_id": self._event.device}

    def _is_past(self, body: AttemptBody) -> bool:
        """Say whether the job has a newer attempt, or had its end, before this was told."""
        row = self._connection.execute(
            "select fence, attempt, state from copy_job where job_id = ?", (body.job_id,)
        ).fetchone()
        if row is None:
            return False
        fence, attempt, state = row
        has_ended = fence == body.fence and state in _ENDS
        return has_ended or fence > body.fence or attempt > body.attempt

    def _queued(self, body: JobQueued) -> None:
        self._set(body.job_id, kind=body.kind, title=body.title, task_id=body.task_id)
        self._words.add_job(body.job_id)
        if body.reason in ("lost", "retry", "requeued"):
            # Whoever asked is gone; the next attempt asks for itself.
            self._close_questions(body.job_id)
        # What was made here without a hub is new to that when it has run already.
        is_further = "attempt <= ? and (? != 'new' or fence = 0)"
        self._set(
            body.job_id, is_further, (body.attempt, body.reason),
            state=JobState.QUEUED, attempt=body.attempt, ended_ms=None, cancel_by="",
            not_before_ms=None if body.not_before is None else to_ms(body.not_before),
        )  # fmt: skip

    def _requested(self, body: TaskRequested) -> None:
        is_ours = int(self._event.device == self._own_device())
        is_asked = body.part_of is None and body.follows is None
        if is_asked:
            self._task_asked(body, is_ours)
        self._set(
            body.job_id, "kind = ''", (),
            kind=body.kind, title=title_for(body.kind, body.inputs, body.title),
            task_id=body.task_id, inputs=_json(body.inputs), is_ours=is_ours,
            worker_id=body.worker_id or "", is_kept=int(body.is_kept), replaces=body.replaces or "",
        )  # fmt: skip
        self._connection.execute(
            "update copy_job set replaced_by = max(replaced_by, ?) where job_id ="
            " (select replaces from copy_job where job_id = ?)",
            (body.job_id, body.job_id),
        )
        self._words.add_job(body.job_id)
        if is_asked:
            self._words.add_task(body.task_id)

    def _task_asked(self, body: TaskRequested, is_ours: int) -> None:
        """What jobs have made is of a task that is known already."""
        self._connection.execute(
            "insert into copy_task (task_id, text, created_ms, is_ours) values (?, ?, ?, ?)"
            " on conflict do update set is_ours = max(is_ours, excluded.is_ours),"
            " text = iif(is_told, text, min(text, excluded.text)), created_ms ="
            " iif(is_told, created_ms, min(created_ms, excluded.created_ms))",
            (body.task_id, body.text or body.title or body.kind, self._at_ms, is_ours),
        )

    def _overrule(self, body: RequestRefused | PartSettled) -> None:
        """The hub's word on a job beats what was asked for, and what its worker told."""
        if isinstance(body, RequestRefused):
            self._refused(body)
        elif body.state is not JobState.SUCCEEDED:
            self._set(
                body.job_id, state=body.state, result="", ended_ms=self._at_ms,
                error=_json(body.error) if body.error else "",
            )  # fmt: skip

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

    def _question(
        self, body: QuestionAnswered | QuestionParked | AnswerGiven | AnswerSuperseded
    ) -> None:
        match body:
            case AnswerSuperseded():
                self._superseded(body)
            case QuestionAnswered():
                self._connection.execute(
                    "update copy_question set state = 'answered', value = ?, answered_by = ?,"
                    " answered_ms = ?, given = '' where question_id = ? and job_id = ?",
                    (
                        body.answer.value,
                        body.answer.by,
                        self._at_ms,
                        body.question_id,
                        body.job_id,
                    ),
                )
            case QuestionParked():
                self._connection.execute(
                    "update copy_question set state = 'parked' where question_id = ?"
                    " and job_id = ? and state = 'open'",
                    (body.question_id, body.job_id),
                )
            case AnswerGiven():
                self._connection.execute(
                    "update copy_question set given = ?, is_used = ? where question_id = ?"
                    " and job_id = ? and state in ('open', 'parked')",
                    (body.value, int(body.is_used), body.question_id, body.job_id),
                )

    def _superseded(self, body: AnswerSuperseded) -> None:
        """Another answer counts, and this one came second."""
        self._connection.execute(
            "update copy_question set second = ?, second_by = ?, value = ?, answered_by = ?,"
            " answered_ms = coalesce(answered_ms, ?), given = '',"
            " state = case state when 'closed' then state else 'answered' end"
            " where question_id = ? and job_id = ?",
            (
                body.value, body.by, body.counted.value, body.counted.by,
                self._at_ms, body.question_id, body.job_id,
            ),
        )  # fmt: skip

    def _close_questions(self, job_id: JobId) -> None:
        self._connection.execute(
            "update copy_question set state = 'closed' where job_id = ?"
            " and state in ('open', 'parked')",
            (job_id,),
        )

    def _log(self, body: JobLogged) -> frozenset[News]:
        lines = Lines(self._connection)
        lines.add(body, self._at_ms)
        lines.write()
        return frozenset({News.LOGS})

    def _worker(
        self, body: WorkerPaired | WorkerLost | WorkerBack | WorkerRevoked
    ) -> frozenset[News]:
        if isinstance(body, WorkerPaired):
            peers.pin(self._connection, body)
        state = {WorkerLost: "lost", WorkerRevoked: "revoked"}.get(type(body), "known")
        copy_tables.note_name(self._connection, body.worker_id, body.name)
        self._connection.execute(
            "update copy_worker set state = ?, since_ms = ? where worker_id = ?",
            (state, self._at_ms, body.worker_id),
        )
        return frozenset({News.WORKERS})

    def _know(self, job_id: JobId) -> None:
        """Make a row for a job that events tell of before the one that made it."""
        if not self._has_row and not copy_tables.has_job(self._connection, job_id):
            copy_tables.know_job(self._connection, job_id, self._at_ms)

    def _set(
        self, job_id: JobId, condition: str = "1", values: tuple[object, ...] = (), **fields: object
    ) -> bool:
        """Change a job's row when it is not further than this event; say whether it was not."""
        columns = "".join(f"{name} = ?, " for name in fields)
        told = [*fields.values()]
        if "worker_id" in fields:
            columns += (
                "machine = coalesce((select name from copy_worker"
                " where copy_worker.worker_id = ?), ''), "
            )
            told.append(fields["worker_id"])
        changed = self._connection.execute(
            f"update copy_job set {columns}updated_ms = max(updated_ms, ?)"
            f" where job_id = ? and {condition}",
            (*told, self._at_ms, job_id, *values),
        )
        return changed.rowcount > 0

    def _note(self, job_id: JobId) -> None:
        """Remember that the hub knows the job, when it speaks of it."""
        if self._event.device == HUB:
            self._connection.execute(
                "update copy_job set is_told = 1 where job_id = ? and is_told = 0", (job_id,)
            )

    def _own_device(self) -> str:
        row = self._connection.execute("select value from fact where name = 'worker_id'").fetchone()
        return "" if row is None else str(row[0])


def _json(value: object) -> str:
    return to_json(value).decode()
