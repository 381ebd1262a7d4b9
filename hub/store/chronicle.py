"""The log read backwards, for people: what happened last, and who did what.

A page costs no more than SCANNED_MAX events, however rare what is looked for is: it says how far
it has looked instead. What people did has an index of its own, for it is a small part of the log.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hub.core.fact import Fact
from hub.store import events
from shared.ids import ConversationId, JobId, PersonId, QuestionId, TaskId, WorkerId
from shared.jobs import Origin
from shared.questions import Asking

SCANNED_MAX = 5_000
WORK = (
    "job_logged", "job_started", "job_succeeded", "job_queued", "job_granted", "session_opened",
    "question_asked", "job_resumed", "job_parked", "job_failed", "job_cancelled",
    "job_interrupted", "job_died", "question_parked", "late_result", "files_arrived",
    "files_missed", "worker_lost", "worker_back", "job_planned", "worker_offers",
)  # fmt: skip
"""What happens by itself once somebody asked for it, the most frequent first. The index below names
the same: whoever adds to it has that made anew by a migration."""
_NO_WORK = f"is_of_part = 0 AND type NOT IN ({', '.join(repr(type_) for type_ in WORK)})"
_BY_PEOPLE = f"is_of_part = 0 AND {' AND '.join(f'type <> {type_!r}' for type_ in WORK)}"
"""The same; of a list of values SQLite would make a table at each row that is written."""


def create_chronicle(connection: sqlite3.Connection) -> None:
    """What people did is found without reading what their computers told."""
    connection.execute(
        "CREATE INDEX events_by_people ON events (hub_seq, person_id)"
        f" WHERE type NOT IN ({', '.join(repr(type_) for type_ in WORK)})"
    )


def leave_out_parts(connection: sqlite3.Connection) -> None:
    """What is told of parts of jobs is nobody's news: one step of the hub's migrations."""
    connection.execute("ALTER TABLE events ADD COLUMN is_of_part INTEGER NOT NULL DEFAULT 0")
    connection.execute("DROP INDEX events_by_people")
    connection.execute(
        f"CREATE INDEX events_by_people ON events (hub_seq, person_id) WHERE {_NO_WORK}"
    )


def leave_out_plans(connection: sqlite3.Connection) -> None:
    """Nor what is told of plans, and of what computers can do: one step of the migrations."""
    connection.execute("DROP INDEX events_by_people")
    connection.execute(
        f"CREATE INDEX events_by_people ON events (hub_seq, person_id) WHERE {_NO_WORK}"
    )


def compare_types(connection: sqlite3.Connection) -> None:
    """Say what is no work without a list: one step of the migrations."""
    connection.execute("DROP INDEX events_by_people")
    connection.execute(
        f"CREATE INDEX events_by_people ON events (hub_seq, person_id) WHERE {_BY_PEOPLE}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events; what is None does not matter."""

    person_id: PersonId | None = None
    types: Sequence[str] = ()
    """All when empty, but for the lines that jobs log."""
    worker_id: WorkerId | None = None
    """That a computer wrote, or that are about it."""
    before: int | None = None
    """Only those with a smaller hub_seq."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Events, the newest first."""

    facts: tuple[Fact, ...]
    older: int | None
    """Where to look on; None at the beginning of the log."""


def stretch(connection: sqlite3.Connection, wanted: Wanted, limit: int) -> Stretch:
    """Look back for events that fit, among the SCANNED_MAX before a place."""
    tests, values = _place(wanted)
    where = f" WHERE {' AND '.join(tests)}" if tests else ""
    inner = f"SELECT * FROM events{where} ORDER BY hub_seq DESC LIMIT {SCANNED_MAX}"
    fits, told = _fits(wanted)
    rows = connection.execute(
        f"SELECT {events.COLUMNS} FROM ({inner}) WHERE {fits} ORDER BY hub_seq DESC LIMIT ?",
        (*values, *told, limit + 1),
    )
    facts = [events.to_fact(row) for row in rows]
    if len(facts) > limit:
        return Stretch(facts=tuple(facts[:limit]), older=facts[limit - 1].hub_seq)
    seen, first = connection.execute(
        f"SELECT count(*), min(hub_seq) FROM (SELECT hub_seq FROM events{where}"
        f" ORDER BY hub_seq DESC LIMIT {SCANNED_MAX})",
        values,
    ).fetchone()
    return Stretch(facts=tuple(facts), older=first if seen == SCANNED_MAX else None)


def by_people(connection: sqlite3.Connection, wanted: Wanted, limit: int) -> Stretch:
    """Look back for what people did, and what was done to who may come in."""
    tests, values = _place(wanted)
    tests += [_BY_PEOPLE, "NOT (type = 'session_ended' AND json_extract(body, '$.by') = '')"]
    rows = connection.execute(
        f"SELECT {events.COLUMNS} FROM events INDEXED BY events_by_people"
        f" WHERE {' AND '.join(tests)} ORDER BY hub_seq DESC LIMIT ?",
        (*values, limit + 1),
    )
    facts = [events.to_fact(row) for row in rows]
    older = facts[limit - 1].hub_seq if len(facts) > limit else None
    return Stretch(facts=tuple(facts[:limit]), older=older)


def _place(wanted: Wanted) -> tuple[list[str], list[object]]:
    tests: list[str] = []
    values: list[object] = []
    if wanted.person_id is not None:
        tests.append("person_id = ?")
        values.append(wanted.person_id)
    if wanted.before is not None:
        tests.append("hub_seq < ?")
        values.append(wanted.before)
    return tests, values


def _fits(wanted: Wanted) -> tuple[str, list[object]]:
    tests = ["type <> 'job_logged'", "is_of_part = 0"]
    values: list[object] = []
    if wanted.types:
        tests.append(f"type IN ({_marks(wanted.types)})")
        values += wanted.types
    if wanted.worker_id is not None:
        tests.append("(device = ? OR entity = ? OR json_extract(body, '$.worker_id') = ?)")
        values += [wanted.worker_id] * 3
    return " AND ".join(tests), values


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTold:
    title: str
    kind: str
    worker_id: WorkerId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTold:
    text: str
    conversation: ConversationId
    origin: Origin | None
    """Of its first job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What events are about, as people know it."""

    jobs: dict[JobId, JobTold] = field(default_factory=dict)
    tasks: dict[TaskId, TaskTold] = field(default_factory=dict)
    questions: dict[QuestionId, Asking] = field(default_factory=dict)


def about(connection: sqlite3.Connection, facts: Iterable[Fact]) -> About:
    """Look up the jobs, tasks and questions that events name."""
    facts = list(facts)
    jobs = connection.execute(
        "SELECT job_id, title, kind, worker_id FROM jobs WHERE job_id IN"
        f" ({_marks(job_ids := _named(facts, 'job_id'))})",
        job_ids,
    )
    tasks = connection.execute(
        "SELECT task_id, text, conversation, (SELECT origin FROM jobs WHERE jobs.task_id ="
        " tasks.task_id AND part_of IS NULL ORDER BY job_id LIMIT 1) FROM tasks WHERE task_id IN"
        f" ({_marks(task_ids := _named(facts, 'task_id'))})",
        task_ids,
    )
    questions = connection.execute(
        "SELECT question_id, asking FROM questions WHERE question_id IN"
        f" ({_marks(question_ids := _named(facts, 'question_id'))})",
        question_ids,
    )
    return About(
        jobs={
            JobId(row[0]): JobTold(title=row[1], kind=row[2], worker_id=row[3] or None)
            for row in jobs
        },
        tasks={
            TaskId(row[0]): TaskTold(
                text=row[1],
                conversation=ConversationId(row[2]),
                origin=Origin(row[3]) if row[3] else None,
            )
            for row in tasks
        },
        questions={QuestionId(row[0]): Asking.model_validate_json(row[1]) for row in questions},
    )


def _named(facts: Iterable[Fact], name: str) -> list[str]:
    found = (fact.payload.get(name) for fact in facts)
    return list(dict.fromkeys(value for value in found if isinstance(value, str)))


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
