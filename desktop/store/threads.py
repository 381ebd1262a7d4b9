"""Reads of the copy as conversations: one thread a task, its messages, and what was not read yet.

Plain functions of a connection for `await desk.look(…)`; each reads a bounded number of rows and
pages by keys, so that the last page costs what the first one costs. `read` and `begin_reading`
write. What stands in messages was said by hubs and jobs: whoever shows it strips what acts.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from desktop.store import copied, facts
from desktop.store.copied import IS_WHOLE, JobRow, QuestionRow, Step
from desktop.store.known import IS_SHOWN
from desktop.store.planned import IS_STEP_NEWS
from desktop.store.words import match_of
from shared.events import AnswerGiven, AnswerSuperseded, QuestionAnswered, QuestionAsked
from shared.ids import QuestionId, TaskId
from shared.times import from_ms, to_ms

THREADS_PAGE = 50
MESSAGES_PAGE = 16
UNREAD_MAX = 100
"""More is not counted: "99+" says enough."""
OPEN_MAX = 20
"""Open questions of one thread that are shown at once."""

TOLD = (
    "job_succeeded", "job_failed", "job_died", "job_interrupted", "job_cancelled",
    "request_refused", "files_arrived", "files_missed", "late_result",
)  # fmt: skip
"""Steps that a person wants to have seen. A question counts by itself, for as long as it is open.
"""
SILENT = ("task_requested", "job_granted", "job_resumed", "job_parked")
"""Steps that make no message: another one says the same, or nobody needs to know."""
_TOLD = ", ".join(f"'{name}'" for name in TOLD)
_SILENT = ", ".join(f"'{name}'" for name in SILENT)
_IS_SAID = f"type not in ({_SILENT}) and not ({IS_STEP_NEWS})"
_IS_TOLD = f"type in ({_TOLD}) and is_of_part = 0"
"""Parts of jobs tell a person nothing; there may be thousands."""
_JOBS = f"select job_id from copy_job where task_id = :task and {IS_WHOLE}"
_STEPS = f"from event where job_id in ({_JOBS}) and {IS_SHOWN}"
_READ_FROM = "read_from_ms"


class Filter(StrEnum):
    """Which threads a list shows."""

    ALL = "all"
    ASKING = "asking"
    UNDER_WAY = "under_way"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    step: Step
    question: QuestionRow | None
    """The question that the step is about, as it stands now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A task as the list shows it."""

    job: JobRow
    """The job of it that changed last."""
    last: Message | None
    """What was said last."""
    unread: int
    """At most UNREAD_MAX."""
    open_questions: int

    @property
    def task_id(self) -> TaskId:
        return self.job.task_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """One thread, as far as it was read."""

    task_id: TaskId
    text: str
    """What the person said; empty when it is not known."""
    said_at: datetime | None
    jobs: tuple[JobRow, ...]
    """In the order they were made."""
    messages: tuple[Message, ...]
    """Without gaps, the oldest first."""
    has_older: bool
    has_newer: bool
    open: tuple[QuestionRow, ...]
    """What is asked now, the oldest first, wherever in the thread it was asked."""
    last_step: int
    """The newest step of the thread, of whatever type."""


def create(connection: sqlite3.Connection) -> None:
    """Make what remembers how far a person has read."""
    connection.execute(
        "create table copy_read (task_id text primary key, step_id integer not null) strict"
    )
    connection.execute(
        f"create index copy_step_told on copy_step (step_id) where type in ({_TOLD})"
    )


def add_events(connection: sqlite3.Connection) -> None:
    """Find what a person wants to have seen in the table of all events."""
    connection.execute(f"create index event_told on event (step_id) where type in ({_TOLD})")


def leave_out_parts(connection: sqlite3.Connection) -> None:
    """Find what a person wants to have seen among what parts of jobs tell."""
    connection.execute("alter table event add column is_of_part integer not null default 0")
    connection.execute("drop index event_told")
    connection.execute(f"create index event_told on event (step_id) where {_IS_TOLD}")


def begin_reading(connection: sqlite3.Connection, now: datetime) -> None:
    """Count as unread what is told from now on; what a hub tells of before is old. Idempotent."""
    if not facts.get(connection, _READ_FROM):
        facts.put(connection, _READ_FROM, str(to_ms(now)))


def read(connection: sqlite3.Connection, task_id: TaskId, step_id: int) -> None:
    """Remember that a thread was read up to a step."""
    connection.execute(
        "insert into copy_read (task_id, step_id) values (?, ?)"
        " on conflict (task_id) do update set step_id = max(step_id, excluded.step_id)",
        (task_id, step_id),
    )


def threads(
    connection: sqlite3.Connection,
    *,
    words: str = "",
    wanted: Filter = Filter.ALL,
    after: JobRow | None = None,
    limit: int = THREADS_PAGE,
) -> tuple[Thread, ...]:
    """Read the threads that follow one, those that changed last first.

    Args:
        connection: of the store.
        words: as a person typed them; looked for in titles and in what the person said.
        wanted: which threads.
        after: the job of the last thread that is known already.
        limit: how many threads.
    """
    conditions, values = _conditions(words, wanted)
    if after is not None:
        conditions.append("(updated_ms, number) < (?, ?)")
        values += [to_ms(after.updated_at), after.number]
    rows = connection.execute(
        f"{copied.JOBS} where {' and '.join(conditions)}"
        " order by updated_ms desc, number desc limit ?",
        (*values, limit),
    ).fetchall()
    return tuple(_thread(connection, copied.job_row(row)) for row in rows)


def talk(
    connection: sqlite3.Connection,
    task_id: TaskId,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int = MESSAGES_PAGE,
) -> Talk:
    """Read messages of one thread.

    Args:
        connection: of the store.
        task_id: whose thread.
        before: the newest messages before this step; the newest of all when nothing is said.
        after: the messages that follow this step.
        limit: how many messages.
    """
    known = {"task": task_id, "before": before, "after": after, "limit": limit}
    where = "step_id < :before" if before is not None else "1"
    where, order = ("step_id > :after", "asc") if after is not None else (where, "desc")
    ids = [
        number
        for (number,) in connection.execute(
            f"select step_id {_STEPS} and {where}"
            f" and {_IS_SAID} order by step_id {order} limit :limit",
            known,
        )
    ]
    told = connection.execute(
        "select text, created_ms from copy_task where task_id = ?", (task_id,)
    ).fetchone()
    ends = {"task": task_id, "first": min(ids, default=0), "last": max(ids, default=0)}
    older, newer, last = connection.execute(
        f"select exists (select 1 {_STEPS} and step_id < :first"
        f" and {_IS_SAID}),"
        f" exists (select 1 {_STEPS} and step_id > :last"
        f" and {_IS_SAID}),"
        f" (select max(step_id) {_STEPS})",
        ends,
    ).fetchone()
    return Talk(
        task_id=task_id,
        text="" if told is None else told[0],
        said_at=None if told is None else from_ms(told[1]),
        jobs=copied.jobs_of_task(connection, task_id),
        messages=tuple(_messages(connection, sorted(ids))),
        has_older=bool(older and ids),
        has_newer=bool(newer and ids),
        open=open_in(connection, task_id),
        last_step=last or 0,
    )


def open_in(connection: sqlite3.Connection, task_id: TaskId) -> tuple[QuestionRow, ...]:
    """Read what a thread asks now, the oldest first."""
    ids = connection.execute(
        "select question_id from copy_question join copy_job using (job_id)"
        f" where task_id = ? and {IS_WHOLE}"
        " and copy_question.state in ('open', 'parked') and given = ''"
        " order by asked_ms, question_id limit ?",
        (task_id, OPEN_MAX),
    ).fetchall()
    found = (copied.question(connection, one) for (one,) in ids)
    return tuple(row for row in found if row is not None)


def task_of(connection: sqlite3.Connection, item: str) -> TaskId | None:
    """Find the thread of a task, a job or a question, by its id or a job's short form."""
    row = connection.execute("select task_id from copy_job where task_id = ?", (item,)).fetchone()
    if row is not None:
        return TaskId(row[0])
    asked = copied.question(connection, QuestionId(item))
    job_id = asked.job_id if asked is not None else copied.job_named(connection, item)
    if job_id is None:
        return None
    (task_id,) = connection.execute(
        "select coalesce((select task_id from copy_job where job_id = ?), '')", (job_id,)
    ).fetchone()
    return TaskId(task_id) if task_id else None


def attention(connection: sqlite3.Connection) -> int:
    """Count what waits for this person's eyes: open questions, and what was not read."""
    (asked,) = connection.execute(
        "select count(*) from (select 1 from copy_question where state != 'answered'"
        " and state != 'closed' and given = '' limit ?)",
        (UNREAD_MAX,),
    ).fetchone()
    (unread,) = connection.execute(
        "select count(*) from (select step_id, job_id, at_ms from event"
        f" where {_IS_TOLD} order by step_id desc limit ?) as told"
        " join copy_job using (job_id) left join copy_read using (task_id)"
        " where told.step_id > coalesce(copy_read.step_id, 0) and at_ms >= ?",
        (UNREAD_MAX, _read_from(connection)),
    ).fetchone()
    return int(asked) + int(unread)


def _conditions(words: str, wanted: Filter) -> tuple[list[str], list[object]]:
    conditions: list[str] = [
        f"task_id != '' and {IS_WHOLE}",
        "not exists (select 1 from copy_job as newer where newer.task_id = copy_job.task_id"
        " and newer.part_of = ''"
        " and (newer.updated_ms, newer.number) > (copy_job.updated_ms, copy_job.number))",
    ]
    values: list[object] = []
    match wanted:
        case Filter.ASKING:
            conditions.append(
                "task_id in (select task_id from copy_question join copy_job using (job_id)"
                " where copy_question.state != 'answered' and copy_question.state != 'closed'"
                " and given = '')"
            )
        case Filter.UNDER_WAY:
            conditions.append("copy_job.state in ('queued', 'offered', 'granted', 'running')")
        case Filter.ALL:
            pass
    if query := match_of(words):
        conditions.append(
            "task_id in (select task_id from copy_job where number in"
            " (select rowid from copy_job_words where copy_job_words match ?))"
        )
        values.append(query)
    return conditions, values


def _thread(connection: sqlite3.Connection, job: JobRow) -> Thread:
    known = {
        "task": job.task_id,
        "unread_max": UNREAD_MAX,
        "read_from": _read_from(connection),
    }
    last, unread, asked = connection.execute(
        f"select (select max(step_id) {_STEPS}"
        f" and {_IS_SAID}),"
        f" (select count(*) from (select 1 {_STEPS} and step_id >"
        " coalesce((select step_id from copy_read where task_id = :task), 0)"
        f" and type in ({_TOLD}) and at_ms >= :read_from limit :unread_max)),"
        f" (select count(*) from copy_question where job_id in ({_JOBS})"
        " and state in ('open', 'parked') and given = '')",
        known,
    ).fetchone()
    said = [] if last is None else _messages(connection, [last])
    return Thread(
        job=job,
        last=said[0] if said else None,
        unread=unread,
        open_questions=asked,
    )


def _messages(connection: sqlite3.Connection, step_ids: list[int]) -> list[Message]:
    return [
        Message(step=step, question=_question_of(connection, step))
        for step in copied.steps_numbered(connection, step_ids)
    ]


def _question_of(connection: sqlite3.Connection, step: Step) -> QuestionRow | None:
    match step.body:
        case QuestionAsked() | QuestionAnswered() | AnswerGiven() | AnswerSuperseded():
            return copied.question(connection, step.body.question_id)
        case _:
            return None


def _read_from(connection: sqlite3.Connection) -> int:
    return int(facts.get(connection, _READ_FROM) or 2**62)
