"""The attempts in this worker's hands, and the questions they wait for."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from desktop.core.attempt import Attempt, AttemptState
from shared.ids import JobId, QuestionId
from shared.jobs import JobSpec
from shared.questions import Asking


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    question_id: QuestionId
    job_id: JobId
    number: int
    """Of the attempt that asked."""
    asking: Asking


def save(connection: sqlite3.Connection, attempt: Attempt) -> None:
    """Write an attempt, new or changed."""
    connection.execute(
        "insert into attempt(job_id, number, state, fence, outcome_seq, spec) "
        "values (?, ?, ?, ?, ?, ?) on conflict(job_id, number) do update set "
        "state = excluded.state, fence = excluded.fence, outcome_seq = excluded.outcome_seq",
        (
            attempt.spec.job_id,
            attempt.number,
            attempt.state.value,
            attempt.fence,
            attempt.outcome_seq,
            attempt.spec.model_dump_json(),
        ),
    )


def forget(connection: sqlite3.Connection, job_id: JobId, number: int) -> None:
    connection.execute("delete from question where job_id = ? and number = ?", (job_id, number))
    connection.execute("delete from attempt where job_id = ? and number = ?", (job_id, number))


def forget_ended(connection: sqlite3.Connection, acked_seq: int) -> None:
    """Drop the attempts whose outcome the hub has committed."""
    rows = connection.execute(
        "select job_id, number from attempt where state = ? and outcome_seq <= ?",
        (AttemptState.ENDED.value, acked_seq),
    ).fetchall()
    for job_id, number in rows:
        forget(connection, JobId(job_id), number)


def attempts(connection: sqlite3.Connection) -> list[Attempt]:
    """Return every attempt in the journal, oldest job first."""
    rows = connection.execute(
        "select spec, number, state, fence, outcome_seq from attempt order by job_id, number"
    )
    return [
        Attempt(
            spec=JobSpec.model_validate_json(spec),
            number=number,
            state=AttemptState(state),
            fence=fence,
            outcome_seq=outcome_seq,
        )
        for spec, number, state, fence, outcome_seq in rows
    ]


def ask(connection: sqlite3.Connection, question: OpenQuestion) -> None:
    connection.execute(
        "insert into question(question_id, job_id, number, key, asking) values (?, ?, ?, ?, ?)",
        (
            question.question_id,
            question.job_id,
            question.number,
            question.asking.key,
            question.asking.model_dump_json(),
        ),
    )


def answer(connection: sqlite3.Connection, question_id: QuestionId, value: str) -> None:
    connection.execute("update question set value = ? where question_id = ?", (value, question_id))


def asked_by(connection: sqlite3.Connection, job_id: JobId, number: int) -> QuestionId | None:
    """Return the question that an attempt waits for; None when it waits for none."""
    row = connection.execute(
        "select question_id from question where job_id = ? and number = ? and value is null",
        (job_id, number),
    ).fetchone()
    return QuestionId(row[0]) if row else None


def open_question(connection: sqlite3.Connection, question_id: QuestionId) -> OpenQuestion | None:
    """Return a question that nobody has answered here yet."""
    row = connection.execute(
        "select job_id, number, asking from question where question_id = ? and value is null",
        (question_id,),
    ).fetchone()
    if row is None:
        return None
    return OpenQuestion(
        question_id=question_id,
        job_id=JobId(row[0]),
        number=row[1],
        asking=Asking.model_validate_json(row[2]),
    )
