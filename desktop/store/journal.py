"""The attempts in this worker's hands, and the questions they wait for."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

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


def add_kept(connection: sqlite3.Connection) -> None:
    """Know the jobs that are run here without a hub: one step of the worker's migrations."""
    for column in ("is_kept", "crashes"):
        connection.execute(f"alter table attempt add column {column} integer not null default 0")


def add_postponed(connection: sqlite3.Connection) -> None:
    """Know what waits for another start: one step of the worker's migrations."""
    connection.execute("alter table attempt add column postponed integer not null default 0")
    connection.execute("alter table attempt add column not_before text")
    connection.execute("alter table attempt add column wait_seconds real not null default 0")


def save(connection: sqlite3.Connection, attempt: Attempt) -> None:
    """Write an attempt, new or changed."""
    connection.execute(
        "insert into attempt(job_id, number, state, fence, outcome_seq, spec, is_kept, crashes,"
        " part_of, postponed, not_before, wait_seconds)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict(job_id, number) do update set "
        "state = excluded.state, fence = excluded.fence, outcome_seq = excluded.outcome_seq, "
        "spec = excluded.spec, crashes = excluded.crashes, postponed = excluded.postponed, "
        "not_before = excluded.not_before, wait_seconds = excluded.wait_seconds",
        (
            attempt.spec.job_id,
            attempt.number,
            attempt.state.value,
            attempt.fence,
            attempt.outcome_seq,
            attempt.spec.model_dump_json(),
            int(attempt.is_kept),
            attempt.crashes,
            attempt.part_of or "",
            attempt.postponed,
            attempt.not_before.isoformat() if attempt.not_before else None,
            attempt.wait_seconds,
        ),
    )


def forget(connection: sqlite3.Connection, job_id: JobId, number: int) -> None:
    forget_questions(connection, job_id, number)
    connection.execute("delete from attempt where job_id = ? and number = ?", (job_id, number))


def forget_questions(connection: sqlite3.Connection, job_id: JobId, number: int) -> None:
    connection.execute("delete from question where job_id = ? and number = ?", (job_id, number))


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
        "select spec, number, state, fence, outcome_seq, is_kept, crashes, part_of, postponed,"
        " not_before, wait_seconds from attempt order by job_id, number"
    )
    return [
        Attempt(
            spec=JobSpec.model_validate_json(spec),
            number=number,
            state=AttemptState(state),
            fence=fence,
            outcome_seq=outcome_seq,
            is_kept=bool(is_kept),
            crashes=crashes,
            part_of=JobId(part_of) if part_of else None,
            postponed=postponed,
            not_before=datetime.fromisoformat(not_before) if not_before else None,
            wait_seconds=wait_seconds,
        )
        for (
            spec,
            number,
            state,
            fence,
            outcome_seq,
            is_kept,
            crashes,
            part_of,
            postponed,
            not_before,
            wait_seconds,
        ) in rows
    ]


def is_alive(connection: sqlite3.Connection, job_id: JobId, number: int) -> bool:
    """Say whether an attempt runs or asks, as far as is committed."""
    row = connection.execute(
        "select 1 from attempt where job_id = ? and number = ? and state in ('running', 'asking')",
        (job_id, number),
    ).fetchone()
    return row is not None


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


def answers(connection: sqlite3.Connection, job_id: JobId, number: int) -> dict[str, str]:
    """Return what an attempt has been told so far, by question key."""
    rows = connection.execute(
        "select key, value from question where job_id = ? and number = ? and value is not null",
        (job_id, number),
    )
    return dict(rows.fetchall())


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
