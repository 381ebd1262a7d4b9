"""What people and the hub said to each other on the web, and how far each thread was read.

A thread itself is read from the log of events; only what no event tells stands here.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from pydantic import TypeAdapter

from hub.core.chat import MESSAGES_KEPT_MAX, UNREAD_MAX, Author, ChatMessage, Talk, ThreadLine
from hub.core.fact import HUB_DEVICE, Fact
from hub.core.job import JobCard
from hub.core.question import Question
from hub.core.task import Task
from hub.core.view import View
from hub.store import events, jobs, people, questions, workers
from hub.store.jobs import Filter
from shared.ids import ConversationId, JobId, PersonId, QuestionId, TaskId, WorkerId
from shared.times import from_ms, to_ms

TOLD = (
    "job_succeeded", "job_failed", "job_died", "job_interrupted", "question_asked",
    "files_arrived", "files_missed", "late_result",
)  # fmt: skip
"""What a person wants to have seen."""
SILENT = ("job_logged", "job_granted", "job_resumed", "job_parked", "task_requested")
"""Other events say the same, or nobody needs to know."""
JOBS_MAX = 200
"""Of one task: more are not looked at."""

_TOLD = ", ".join(f"'{name}'" for name in TOLD)
_SILENT = ", ".join(f"'{name}'" for name in SILENT)
_VIEWS: TypeAdapter[View] = TypeAdapter(View)
_SELECT = (
    "SELECT number, conversation, ref, author, said_by, view, task_id, hub_seq, at_ms, edits"
    " FROM chat_messages"
)
_OF_TASK = (
    "entity IN (SELECT ? UNION ALL SELECT job_id FROM jobs WHERE task_id = ? AND part_of IS NULL)"
)
"""Parts of jobs tell a person nothing."""


def create(connection: sqlite3.Connection) -> None:
    """Make the tables: one step of the hub's migrations."""
    for statement in _SCHEMA:
        connection.execute(statement)


_SCHEMA = (
    """CREATE TABLE chat_messages (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation TEXT NOT NULL,
        ref TEXT NOT NULL,
        author TEXT NOT NULL,
        said_by TEXT NOT NULL,
        view TEXT NOT NULL,
        task_id TEXT NOT NULL,
        job_id TEXT NOT NULL,
        hub_seq INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        edits INTEGER NOT NULL DEFAULT 0,
        UNIQUE (conversation, ref)
    ) STRICT""",
    "CREATE INDEX chat_in_order ON chat_messages (conversation, number)",
    "CREATE INDEX chat_of_task ON chat_messages (task_id, number) WHERE task_id != ''",
    "CREATE INDEX chat_of_job ON chat_messages (job_id) WHERE job_id != ''",
    """CREATE TABLE chat_read (
        person_id TEXT NOT NULL,
        task_id TEXT NOT NULL,
        hub_seq INTEGER NOT NULL,
        PRIMARY KEY (person_id, task_id)
    ) STRICT, WITHOUT ROWID""",
)


def written(view: View) -> str:
    """Spell a view as it is stored."""
    return _VIEWS.dump_json(view).decode()


def put(connection: sqlite3.Connection, message: ChatMessage) -> bool:
    """Keep a message, or how one looks now; say whether anything changed. `number` is given here.

    What was said once is not said again: a person's words under a known name change nothing. Nor is
    anything said of what has been forgotten meanwhile: a message may have been on its way.
    """
    if _is_forgotten(connection, message):
        return False
    view = written(message.view)
    known = connection.execute(
        "SELECT view FROM chat_messages WHERE conversation = ? AND ref = ?",
        (message.conversation, message.ref),
    ).fetchone()
    if known is not None:
        if known[0] == view or message.author is Author.PERSON:
            return False
        connection.execute(
            "UPDATE chat_messages SET view = ?, edits = edits + 1, job_id = ?"
            " WHERE conversation = ? AND ref = ?",
            (view, message.view.job_id or "", message.conversation, message.ref),
        )
        return True
    connection.execute(
        "INSERT INTO chat_messages (conversation, ref, author, said_by, view, task_id, job_id,"
        " hub_seq, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            message.conversation,
            message.ref,
            message.author,
            message.by,
            view,
            message.task_id or "",
            message.view.job_id or "",
            message.hub_seq,
            to_ms(message.at),
        ),
    )
    connection.execute(
        "DELETE FROM chat_messages WHERE number IN (SELECT number FROM chat_messages"
        " WHERE conversation = ? ORDER BY number DESC LIMIT -1 OFFSET ?)",
        (message.conversation, MESSAGES_KEPT_MAX),
    )
    return True


def _is_forgotten(connection: sqlite3.Connection, message: ChatMessage) -> bool:
    """Say whether what a message is about is there no more."""
    for table, name, value in (
        ("tasks", "task_id", message.task_id),
        ("jobs", "job_id", message.view.job_id),
    ):
        query = f"SELECT 1 FROM {table} WHERE {name} = ?"
        if value and connection.execute(query, (value,)).fetchone() is None:
            return True
    return False


def page(
    connection: sqlite3.Connection, conversation: ConversationId, before: int | None, limit: int
) -> list[ChatMessage]:
    """The newest messages before a place, the oldest of them first."""
    rows = connection.execute(
        f"{_SELECT} WHERE conversation = ? AND (? IS NULL OR number < ?)"
        " ORDER BY number DESC LIMIT ?",
        (conversation, before, before, limit),
    ).fetchall()
    return [_to_message(row) for row in reversed(rows)]


def forget(connection: sqlite3.Connection, task_id: TaskId, job_ids: list[JobId]) -> None:
    """Delete what was said about a task, wherever it was said."""
    connection.execute("DELETE FROM chat_messages WHERE task_id = ?", (task_id,))
    connection.execute("DELETE FROM chat_read WHERE task_id = ?", (task_id,))
    connection.executemany(
        "DELETE FROM chat_messages WHERE job_id = ?", [(job_id,) for job_id in job_ids]
    )


def read_up_to(
    connection: sqlite3.Connection, person_id: PersonId, task_id: TaskId, hub_seq: int
) -> bool:
    """Remember how far a person has read a thread; False when that is no news."""
    moved = connection.execute(
        "INSERT INTO chat_read VALUES (?, ?, ?) ON CONFLICT (person_id, task_id)"
        " DO UPDATE SET hub_seq = excluded.hub_seq WHERE hub_seq < excluded.hub_seq",
        (person_id, task_id, hub_seq),
    )
    return moved.rowcount == 1


def begin_reading(connection: sqlite3.Connection, person_id: PersonId, hub_seq: int) -> None:
    """Count as unread what is told from now on: nobody has to read all that was before."""
    connection.execute(
        "INSERT INTO chat_read VALUES (?, '', ?) ON CONFLICT DO NOTHING", (person_id, hub_seq)
    )


def talk(connection: sqlite3.Connection, task: Task, *, before: int | None, limit: int) -> Talk:
    """The newest part of a thread, or the newest before a place in the log."""
    facts = events.of_entities(
        connection,
        f"{_OF_TASK} AND person_id = ? AND (? IS NULL OR hub_seq < ?)"
        f" AND type NOT IN ({_SILENT}) ORDER BY hub_seq DESC LIMIT ?",
        (task.task_id, task.task_id, task.person_id, before, before, limit + 1),
    )
    has_older, facts = len(facts) > limit, facts[:limit][::-1]
    cards = jobs.page(connection, Filter(task_id=task.task_id), JOBS_MAX)[::-1]
    owner = people.load(connection, task.person_id)
    return Talk(
        task=task,
        owner=owner.name if owner else "",
        cards=tuple(cards),
        facts=tuple(facts),
        messages=_said_in(
            connection, task.task_id, facts[0].hub_seq if has_older and facts else 0, before
        ),
        questions=_questions(connection, task, facts),
        machines=_machines(connection, cards, facts),
        has_older=has_older,
        has_newer=before is not None,
    )


def thread_line(
    connection: sqlite3.Connection, reader: PersonId | None, task_id: TaskId
) -> ThreadLine | None:
    """A thread in a list; None when its task is gone. With no reader, nothing is unread."""
    cards = jobs.page(connection, Filter(task_id=task_id), 1)
    if not cards:
        return None
    card = cards[0]
    told = events.of_entities(
        connection,
        f"{_OF_TASK} AND person_id = ? AND type NOT IN ({_SILENT}) ORDER BY hub_seq DESC LIMIT 1",
        (task_id, task_id, card.job.person_id),
    )
    last = told[0] if told else None
    (asked,) = connection.execute(
        "SELECT count(*) FROM questions WHERE job_id IN"
        " (SELECT job_id FROM jobs WHERE task_id = ? AND part_of IS NULL)"
        " AND state IN ('open', 'parked')",
        (task_id,),
    ).fetchone()
    return ThreadLine(
        card=card,
        last=last,
        questions={q.question_id: q for fact in told if (q := _question_of(connection, fact))},
        machines=_machines(connection, cards, told),
        unread=_unread(connection, reader, task_id) if reader else 0,
        open_questions=asked,
    )


def _unread(connection: sqlite3.Connection, reader: PersonId, task_id: TaskId) -> int:
    (mark,) = connection.execute(
        "SELECT coalesce(max(hub_seq), 0) FROM chat_read"
        " WHERE person_id = ? AND task_id IN ('', ?)",
        (reader, task_id),
    ).fetchone()
    (count,) = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM events INDEXED BY idx_events_entity"
        f" WHERE {_OF_TASK} AND person_id = ? AND hub_seq > ? AND type IN ({_TOLD}) LIMIT ?)",
        (task_id, task_id, reader, mark, UNREAD_MAX),
    ).fetchone()
    return int(count)


def _said_in(
    connection: sqlite3.Connection, task_id: TaskId, first: int, before: int | None
) -> tuple[ChatMessage, ...]:
    rows = connection.execute(
        f"{_SELECT} WHERE task_id = ? AND task_id != '' AND hub_seq >= ?"
        " AND (? IS NULL OR hub_seq < ?) ORDER BY number DESC LIMIT ?",
        (task_id, first, before, before, MESSAGES_KEPT_MAX),
    ).fetchall()
    return tuple(_to_message(row) for row in reversed(rows))


def _machines(
    connection: sqlite3.Connection, cards: list[JobCard], facts: list[Fact]
) -> dict[WorkerId, str]:
    named = {card.worker_id or card.job.pinned_to for card in cards}
    named |= {WorkerId(fact.device) for fact in facts if fact.device != HUB_DEVICE}
    found = [workers.load(connection, worker_id) for worker_id in named if worker_id]
    return {worker.worker_id: worker.name for worker in found if worker}


def _questions(
    connection: sqlite3.Connection, task: Task, facts: list[Fact]
) -> dict[QuestionId, Question]:
    found = [_question_of(connection, fact) for fact in facts]
    opened = questions.of_task(connection, task.task_id)
    return {question.question_id: question for question in (*found, *opened) if question}


def _question_of(connection: sqlite3.Connection, fact: Fact) -> Question | None:
    name = str(fact.payload.get("question_id", ""))
    return questions.load(connection, QuestionId(name)) if name else None


def _to_message(row: tuple[object, ...]) -> ChatMessage:
    number, conversation, ref, author, by, view, task_id, hub_seq, at_ms, edits = row
    assert isinstance(number, int)
    assert isinstance(hub_seq, int)
    assert isinstance(at_ms, int)
    assert isinstance(edits, int)
    at: datetime = from_ms(at_ms)
    return ChatMessage(
        number=number,
        conversation=ConversationId(str(conversation)),
        ref=str(ref),
        author=Author(str(author)),
        by=str(by),
        view=_VIEWS.validate_json(str(view)),
        task_id=TaskId(str(task_id)) if task_id else None,
        hub_seq=hub_seq,
        at=at,
        edits=edits,
    )
