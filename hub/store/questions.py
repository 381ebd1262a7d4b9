"""Questions: open, parked, answered, closed."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from hub.core.question import Question, QuestionState
from hub.store.ledger import Entry
from shared.ids import ConversationId, JobId, PersonId, QuestionId, TaskId
from shared.questions import Answer, Asking
from shared.times import from_ms, to_ms

_SELECT = (
    "SELECT q.question_id, q.job_id, q.person_id, q.asking, q.is_hubs, q.state, q.asked_ms,"
    " q.expires_ms, q.value, q.answered_by, t.conversation FROM questions AS q"
    " JOIN jobs AS j ON j.job_id = q.job_id JOIN tasks AS t ON t.task_id = j.task_id"
)
COUNTED_MAX = 1000
_OPEN = "q.state IN ('open', 'parked')"


def insert(entry: Entry, question: Question) -> bool:
    """Keep a question; False when one of its id is there already."""
    made = entry.connection.execute(
        "INSERT OR IGNORE INTO questions VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)",
        (
            question.question_id,
            question.job_id,
            question.person_id,
            question.asking.model_dump_json(),
            int(question.is_hubs),
            question.state,
            to_ms(question.asked_at),
            None if question.expires_at is None else to_ms(question.expires_at),
        ),
    )
    return made.rowcount == 1


def load(connection: sqlite3.Connection, question_id: QuestionId) -> Question | None:
    row = connection.execute(f"{_SELECT} WHERE q.question_id = ?", (question_id,)).fetchone()
    return _to_question(row) if row else None


def save(entry: Entry, question: Question) -> None:
    """Write down its state and its answer."""
    answer = question.answer
    entry.connection.execute(
        "UPDATE questions SET state = ?, value = ?, answered_by = ? WHERE question_id = ?",
        (
            question.state,
            answer.value if answer else None,
            answer.by if answer else None,
            question.question_id,
        ),
    )


def close_of_job(entry: Entry, job_id: JobId) -> None:
    """Its job has ended: nobody needs to answer any more."""
    entry.connection.execute(
        "UPDATE questions SET state = 'closed' WHERE job_id = ? AND state IN ('open', 'parked')",
        (job_id,),
    )


def open_ones(
    connection: sqlite3.Connection, person_id: PersonId | None, conversation: ConversationId | None
) -> list[Question]:
    """The oldest first."""
    rows = connection.execute(
        f"{_SELECT} WHERE {_OPEN} AND (? IS NULL OR q.person_id = ?)"
        " AND (? IS NULL OR t.conversation = ?) ORDER BY q.asked_ms, q.question_id",
        (person_id, person_id, conversation, conversation),
    )
    return [_to_question(row) for row in rows]


def count_open(connection: sqlite3.Connection, person_id: PersonId | None) -> int:
    """How many wait for an answer, up to `COUNTED_MAX`."""
    mine = "" if person_id is None else " AND q.person_id = ?"
    values = (COUNTED_MAX,) if person_id is None else (person_id, COUNTED_MAX)
    rows = f"SELECT 1 FROM questions AS q WHERE {_OPEN}{mine} LIMIT ?"
    return int(connection.execute(f"SELECT count(*) FROM ({rows})", values).fetchone()[0])


def of_task(connection: sqlite3.Connection, task_id: TaskId) -> list[Question]:
    """What the jobs of a task ask now, the oldest first."""
    rows = connection.execute(
        f"{_SELECT} WHERE j.task_id = ? AND {_OPEN} ORDER BY q.asked_ms, q.question_id", (task_id,)
    )
    return [_to_question(row) for row in rows]


def create_answered(connection: sqlite3.Connection) -> None:
    """Find the answers of a person in the log: one step of the hub's migrations."""
    connection.execute(
        "CREATE INDEX events_answered ON events (person_id) WHERE type = 'question_answered'"
    )


def answered_lately(
    connection: sqlite3.Connection, person_id: PersonId | None, limit: int
) -> list[tuple[Question, datetime]]:
    """What was answered last, and when; the newest first."""
    whose, values = ("1", ()) if person_id is None else ("person_id = ?", (person_id,))
    rows = connection.execute(
        "SELECT json_extract(body, '$.question_id'), at FROM events INDEXED BY events_answered"
        f" WHERE type = 'question_answered' AND {whose} ORDER BY hub_seq DESC LIMIT ?",
        (*values, limit),
    ).fetchall()
    found = [(load(connection, QuestionId(name)), datetime.fromisoformat(at)) for name, at in rows]
    return [(question, at) for question, at in found if question is not None]


def waiting(connection: sqlite3.Connection) -> list[tuple[QuestionId, datetime]]:
    """Open questions that run out, and when by the clock on the wall; the soonest first."""
    rows = connection.execute(
        f"SELECT question_id, expires_ms FROM questions AS q WHERE {_OPEN} AND q.state = 'open'"
        " AND expires_ms IS NOT NULL ORDER BY expires_ms"
    )
    return [(QuestionId(question_id), from_ms(expires)) for question_id, expires in rows]


def has_answers(connection: sqlite3.Connection, job_id: JobId) -> bool:
    """Say whether a person has told this job something that holds for its worker only."""
    row = connection.execute(
        "SELECT 1 FROM questions WHERE job_id = ? AND state = 'answered' AND is_hubs = 0 LIMIT 1",
        (job_id,),
    ).fetchone()
    return row is not None


def answers_of(connection: sqlite3.Connection, job_id: JobId) -> list[tuple[str, str]]:
    """What a job's executor asked (key) and was answered, as people read it; the oldest first."""
    rows = connection.execute(
        f"{_SELECT} WHERE q.job_id = ? AND q.state = 'answered' AND q.is_hubs = 0"
        " ORDER BY q.question_id",
        (job_id,),
    )
    found = [_to_question(row) for row in rows]
    return [(q.asking.key, q.asking.label_of(q.answer.value)) for q in found if q.answer]


def _to_question(row: tuple[object, ...]) -> Question:
    question_id, job_id, person_id, asking, is_hubs, state, asked, expires, value, by, where = row
    assert isinstance(asked, int)
    return Question(
        question_id=QuestionId(str(question_id)),
        job_id=JobId(str(job_id)),
        person_id=PersonId(str(person_id)),
        conversation=ConversationId(str(where)),
        asking=Asking.model_validate_json(str(asking)),
        is_hubs=bool(is_hubs),
        state=QuestionState(str(state)),
        asked_at=from_ms(asked),
        expires_at=from_ms(expires) if isinstance(expires, int) else None,
        answer=None if value is None else Answer(value=str(value), by=str(by)),
    )
