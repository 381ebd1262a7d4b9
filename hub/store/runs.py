"""Probe runs and their probes: jobs, read by what they are part of."""

from __future__ import annotations

import sqlite3

from hub.core.job import JobCard
from hub.core.run import PROBE, RUN, STATS, TRANSCRIPT, Counted, ProbeShelf, RunCounts, counted
from hub.store.jobs import CARD, to_card
from shared.ids import JobId, PersonId, TaskId

SHELVES: dict[ProbeShelf, str] = {
    "all": "",
    "answered": " AND j.state = 'succeeded' AND j.result ->> 'state' = 'answered'",
    "refused": " AND j.state = 'succeeded' AND j.result ->> 'state' = 'refused'",
    "failed": " AND j.state IN ('failed', 'dead')",
    "open": " AND j.state IN ('queued', 'offered', 'granted', 'running', 'asking')",
}


def page(
    connection: sqlite3.Connection, person_id: PersonId | None, limit: int, before: JobId | None
) -> list[JobCard]:
    """Runs, the newest first; everybody's when no person is named."""
    # By the index of kinds: few of very many jobs are runs.
    whose = "(SELECT person_id FROM people)" if person_id is None else "(?)"
    earlier = "" if before is None else " AND j.job_id < ?"
    values = [value for value in (person_id, before) if value is not None]
    rows = connection.execute(
        f"{CARD} WHERE j.person_id IN {whose} AND j.kind = '{RUN}' AND j.part_of IS NULL{earlier}"
        " ORDER BY j.job_id DESC LIMIT ?",
        (*values, limit),
    )
    return [to_card(row) for row in rows]


def counts(connection: sqlite3.Connection, run: JobId) -> RunCounts:
    """Count a run's probes as they stand now, each by its newest job."""
    rows = connection.execute(
        "SELECT state, result ->> 'model', result ->> 'state', error ->> 'code', count(*),"
        " sum(result ->> 'cost_usd') FROM"
        # With max() alone, the other columns are those of its row.
        " (SELECT max(job_id), state, result, error FROM jobs WHERE part_of = ?"
        " GROUP BY inputs ->> 'index') GROUP BY 1, 2, 3, 4",
        (run,),
    )
    return counted([Counted(*row) for row in rows])


def probes(
    connection: sqlite3.Connection,
    run: JobId,
    shelf: ProbeShelf,
    limit: int,
    before: JobId | None,
) -> list[JobCard]:
    """A run's probes, the newest first."""
    earlier = "" if before is None else " AND j.job_id < ?"
    values = [value for value in (run, before) if value is not None]
    rows = connection.execute(
        f"{CARD} WHERE j.part_of = ?{SHELVES[shelf]}{earlier} ORDER BY j.job_id DESC LIMIT ?",
        (*values, limit),
    )
    return [to_card(row) for row in rows]


def probe(connection: sqlite3.Connection, run: JobId, index: int) -> JobCard | None:
    """The newest job of one probe."""
    row = connection.execute(
        f"{CARD} WHERE j.part_of = ? AND j.kind = '{PROBE}' AND j.inputs ->> 'index' = ?"
        " ORDER BY j.job_id DESC LIMIT 1",
        (run, index),
    ).fetchone()
    return to_card(row) if row else None


def statistics(connection: sqlite3.Connection, task_id: TaskId, run: str) -> JobCard | None:
    """The newest statistics of a run."""
    row = connection.execute(
        f"{CARD} WHERE j.task_id = ? AND j.kind = '{STATS}' AND j.inputs ->> 'run' = ?"
        " ORDER BY j.job_id DESC LIMIT 1",
        (task_id, run),
    ).fetchone()
    return to_card(row) if row else None


def transcript(
    connection: sqlite3.Connection, task_id: TaskId, run: str, index: int
) -> JobCard | None:
    """The newest job that fetches what was said in a probe."""
    row = connection.execute(
        f"{CARD} WHERE j.task_id = ? AND j.kind = '{TRANSCRIPT}' AND j.inputs ->> 'run' = ?"
        " AND coalesce(j.inputs ->> 'index', 0) = ? ORDER BY j.job_id DESC LIMIT 1",
        (task_id, run, index),
    ).fetchone()
    return to_card(row) if row else None
