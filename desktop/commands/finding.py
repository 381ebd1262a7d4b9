"""Finding what a person named: jobs and questions by their short ids, machines by their names."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from desktop.commands.worker import pairing_of
from desktop.store import copied
from desktop.store.copied import Job, QuestionRow
from desktop.system.paths import Paths
from shared.database import peek
from shared.errors import Conflict, NotFound
from shared.ids import WorkerId, short


@contextlib.contextmanager
def reading(paths: Paths) -> Iterator[sqlite3.Connection]:
    """Open the store to read it, whether or not the program runs.

    Raises:
        NotFound: `not_paired`.
    """
    pairing_of(paths)
    with peek(paths.store) as connection:
        yield connection


def job_named(connection: sqlite3.Connection, name: str) -> Job:
    """Find a job.

    Raises:
        NotFound: `job_unknown`.
    """
    job_id = copied.job_named(connection, name)
    job = copied.job(connection, job_id) if job_id else None
    if job is None:
        raise NotFound(
            "job_unknown",
            f"This computer knows no job {name[:60]}.",
            "deskhand jobs lists them; --search looks into their logs, too.",
        )
    return job


def question_named(connection: sqlite3.Connection, name: str) -> QuestionRow:
    """Find an open question by its own short id or by its job's.

    Raises:
        NotFound: `question_unknown`.
        Conflict: `question_answered`.
    """
    wanted = name.removeprefix("#").upper()
    for row in copied.open_questions(connection):
        if wanted in (short(row.question_id), short(row.job_id)) or name in (
            row.question_id,
            row.job_id,
        ):
            return row
    job_id = copied.job_named(connection, name)
    asked = copied.questions(connection, job_id) if job_id else ()
    if asked:
        last = asked[-1]
        value = last.asking.label_of(last.value or last.given)
        by = f" by {last.answered_by}" if last.answered_by else ""
        told = f"It was answered{by}: {value}" if value else "Its question is closed"
        raise Conflict("question_answered", f"{name} asks nothing now. {told}.", "deskhand jobs")
    raise NotFound(
        "question_unknown",
        f"There is no open question {name[:60]}.",
        "deskhand questions lists what is asked.",
    )


def worker_named(connection: sqlite3.Connection, name: str) -> WorkerId:
    """Find a machine of this person.

    Raises:
        NotFound: `worker_unknown`.
    """
    known = [worker for worker in copied.workers(connection) if worker.state != "revoked"]
    for worker in known:
        if worker.name.casefold() == name.casefold():
            return worker.worker_id
    names = ", ".join(worker.name for worker in known)
    raise NotFound(
        "worker_unknown", f"There is no machine called {name[:60]}.", f"Known: {names or 'none'}."
    )
