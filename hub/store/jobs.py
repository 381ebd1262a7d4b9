"""Jobs as people read them. What decisions need is in `hub.store.queue`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from hub.core.job import HELD_STATES, JobCard
from hub.core.spans import Traced
from hub.store.queue import to_job
from hub.store.row_walks import IS_WHOLE
from shared import trace
from shared.errors import ErrorBody
from shared.ids import ConversationId, JobId, PersonId, TaskId, WorkerId
from shared.jobs import JobState, Origin
from shared.times import from_ms

CARD = (
    "SELECT j.job_id, j.task_id, j.person_id, j.kind, j.priority, j.tools, j.pinned_to,"
    " j.created_ms, j.state, j.attempt, j.fence, j.failures, j.losses, j.worker_id, j.is_held,"
    " j.not_before_ms, j.cancel_by, j.question_id, j.session_id, j.part_of, j.is_lent,"
    " j.title, j.origin, j.inputs, j.result, j.error, j.updated_ms, t.text, t.conversation"
    " FROM jobs AS j JOIN tasks AS t ON t.task_id = j.task_id"
)
# By way of what is in hand or asks: all jobs there ever were would be walked for a few.
_HELD = CARD.replace(
    "FROM jobs AS j",
    "FROM (SELECT job_id FROM jobs INDEXED BY jobs_held WHERE is_held = 1 UNION"
    " SELECT job_id FROM questions WHERE state IN ('open', 'parked')) AS held"
    " CROSS JOIN jobs AS j ON j.job_id = held.job_id",
)
_JOB_COLUMNS = 21
NAMED_MAX = 10_000
"""Short names repeat after a million jobs; nobody means one that is older than these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which jobs; what is None does not matter."""

    person_id: PersonId | None = None
    states: frozenset[JobState] = frozenset()
    """All when empty."""
    conversation: ConversationId | None = None
    task_id: TaskId | None = None
    before: JobId | None = None
    part_of: JobId | None = None
    """The parts of this job; without, no parts at all."""


def card(connection: sqlite3.Connection, job_id: JobId) -> JobCard | None:
    row = connection.execute(f"{CARD} WHERE j.job_id = ?", (job_id,)).fetchone()
    return to_card(row) if row else None


def origin_of(connection: sqlite3.Connection, job_id: JobId) -> Origin:
    """Whose words a job's inputs are; it has to be there."""
    (origin,) = connection.execute("SELECT origin FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
    return Origin(origin)


def traceparent_of(connection: sqlite3.Connection, job_id: JobId) -> str:
    """Return the place of a job in its trace; what is made for it goes on from there."""
    row = connection.execute("SELECT traceparent FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
    return (row[0] if row else "") or str(trace.of_id(job_id))


def traced(connection: sqlite3.Connection, job_id: JobId) -> Traced | None:
    """Read what the spans of a job need; None when it is not there."""
    row = connection.execute(
        "SELECT kind, traceparent, created_ms, state FROM jobs WHERE job_id = ?", (job_id,)
    ).fetchone()
    if row is None:
        return None
    return Traced(
        job_id=job_id,
        kind=row[0],
        traceparent=row[1] or str(trace.of_id(job_id)),
        created_at=from_ms(row[2]),
        ended=row[3] if JobState(row[3]).is_terminal else "",
    )


def traceparents_of(connection: sqlite3.Connection, job_ids: Sequence[JobId]) -> dict[JobId, str]:
    """Return the places of many jobs; those that are not there are left out."""
    marks = ",".join("?" * len(job_ids))
    rows = connection.execute(
        f"SELECT job_id, traceparent FROM jobs WHERE job_id IN ({marks})", list(job_ids)
    )
    return {JobId(job_id): told or str(trace.of_id(job_id)) for job_id, told in rows}


def page(connection: sqlite3.Connection, wanted: Filter, limit: int) -> list[JobCard]:
    """The newest first."""
    tests = [IS_WHOLE if wanted.part_of is None else "j.part_of IS NOT NULL"]
    values: list[str | int] = []
    for column, value in (
        ("j.person_id = ?", wanted.person_id),
        ("t.conversation = ?", wanted.conversation),
        ("j.task_id = ?", wanted.task_id),
        ("j.part_of = ?", wanted.part_of),
        ("j.job_id < ?", wanted.before),
    ):
        if value is not None:
            tests.append(column)
            values.append(value)
    if wanted.states:
        # States come from an enumeration, never from outside; spelled out they find their index.
        names = ",".join(f"'{state.value}'" for state in sorted(wanted.states))
        tests.append(f"j.state = {names}" if len(wanted.states) == 1 else f"j.state IN ({names})")
    where = f" WHERE {' AND '.join(tests)}"
    # Dead letters are few among many: they are found by their own index, whatever is guessed.
    # Parts are in none of the indexes of whole jobs.
    is_dead = wanted.states == {JobState.DEAD} and wanted.part_of is None
    select = CARD.replace("jobs AS j", "jobs AS j INDEXED BY jobs_dead") if is_dead else CARD
    rows = connection.execute(f"{select}{where} ORDER BY j.job_id DESC LIMIT ?", (*values, limit))
    return [to_card(row) for row in rows]


def held(connection: sqlite3.Connection, limit: int) -> list[JobCard]:
    """Everybody's jobs that a worker has or that ask, the newest first; no parts of others."""
    states = ", ".join(f"'{state.value}'" for state in sorted(HELD_STATES))
    rows = connection.execute(
        f"{_HELD} WHERE {IS_WHOLE} AND j.state IN ({states}) ORDER BY j.job_id DESC LIMIT ?",
        (limit,),
    )
    return [to_card(row) for row in rows]


def named(connection: sqlite3.Connection, person_id: PersonId | None, short: str) -> JobCard | None:
    """The newest job with a short name, among the newest NAMED_MAX."""
    row = connection.execute(
        "SELECT job_id FROM (SELECT job_id, short FROM jobs WHERE (? IS NULL OR person_id = ?)"
        " AND part_of IS NULL ORDER BY job_id DESC LIMIT ?) WHERE short = ?"
        " ORDER BY job_id DESC LIMIT 1",
        (person_id, person_id, NAMED_MAX, short),
    ).fetchone()
    return card(connection, JobId(row[0])) if row else None


def last_worker(
    connection: sqlite3.Connection, person_id: PersonId, conversation: ConversationId, kind: str
) -> WorkerId | None:
    """Who ran the last job of a kind that ended well in a conversation."""
    row = connection.execute(
        "SELECT j.worker_id FROM jobs AS j JOIN tasks AS t ON t.task_id = j.task_id"
        " WHERE j.person_id = ? AND j.kind = ? AND j.state = 'succeeded' AND t.conversation = ?"
        f" AND {IS_WHOLE} ORDER BY j.job_id DESC LIMIT 1",
        (person_id, kind, conversation),
    ).fetchone()
    return WorkerId(row[0]) if row and row[0] else None


def last_worker_of_task(
    connection: sqlite3.Connection, task_id: TaskId | None, kind: str
) -> WorkerId | None:
    """Who ran the last job of a kind that ended well in a task."""
    row = connection.execute(
        "SELECT worker_id FROM jobs WHERE task_id = ? AND kind = ? AND state = 'succeeded'"
        " AND part_of IS NULL ORDER BY job_id DESC LIMIT 1",
        (task_id, kind),
    ).fetchone()
    return WorkerId(row[0]) if row and row[0] else None


def set_aside(connection: sqlite3.Connection, person_id: PersonId | None) -> dict[JobState, int]:
    """How many jobs wait for a person, or are dead, by state; everybody's when None."""
    found = connection.execute(
        "SELECT person_id FROM people" if person_id is None else "SELECT ?",
        () if person_id is None else (person_id,),
    ).fetchall()
    counts = dict.fromkeys((JobState.ASKING, JobState.INTERRUPTED, JobState.DEAD), 0)
    for (one,) in found:
        for state in counts:
            # As the partial index is written, so that it is counted by that.
            row = connection.execute(
                "SELECT count(*) FROM jobs INDEXED BY jobs_otherwise WHERE person_id = ?"
                f" AND state = '{state.value}' AND part_of IS NULL",
                (one,),
            ).fetchone()
            counts[state] += int(row[0])
    return counts


def to_card(row: tuple[str, ...]) -> JobCard:
    title, origin, inputs, result, error, updated_ms, text, conversation = row[_JOB_COLUMNS:]
    return JobCard(
        job=to_job(row[:_JOB_COLUMNS]),
        title=title,
        text=text,
        conversation=ConversationId(conversation),
        origin=Origin(origin),
        inputs=json.loads(inputs),
        result=json.loads(result) if result else None,
        error=ErrorBody.model_validate_json(error) if error else None,
        updated_at=from_ms(int(updated_ms)),
    )


def part_counts(connection: sqlite3.Connection, job_id: JobId) -> dict[JobState, int]:
    """Count a job's parts by state."""
    rows = connection.execute(
        "SELECT state, count(*) FROM jobs INDEXED BY jobs_parts WHERE part_of = ?"
        " AND part_of IS NOT NULL GROUP BY state",
        (job_id,),
    )
    return {JobState(state): count for state, count in rows}


def count_open(connection: sqlite3.Connection, person_id: PersonId) -> dict[JobState, int]:
    """Count a person's jobs that are not over, by state; no parts of jobs."""
    ends = [state.value for state in JobState if state.is_terminal]
    marks = ", ".join("?" * len(ends))
    rows = connection.execute(
        f"SELECT state, count(*) FROM jobs WHERE person_id = ? AND state NOT IN ({marks})"
        " AND part_of IS NULL GROUP BY state",
        (person_id, *ends),
    )
    return {JobState(state): count for state, count in rows}
