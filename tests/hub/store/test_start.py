"""What a hub reads at its start costs what waits and runs, not what ever was."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.store import jobs, queue
from hub.store.database import open_store
from shared.ids import WorkerId


@pytest.mark.parametrize(
    "read",
    [
        queue.queued,
        queue.waits,
        queue.held,
        lambda c: queue.held(c, WorkerId("some")),
        lambda c: jobs.held(c, 200),
    ],
    ids=["queued", "waits", "held", "held by one", "cards of what is held"],
)
def test_no_read_of_a_start_walks_all_jobs(
    tmp_path: Path, read: Callable[[sqlite3.Connection], object]
) -> None:
    def look(connection: sqlite3.Connection) -> list[str]:
        said: list[str] = []
        connection.set_trace_callback(said.append)
        read(connection)
        connection.set_trace_callback(None)
        assert said
        plans = [connection.execute(f"EXPLAIN QUERY PLAN {one}").fetchall() for one in said]
        return [str(step[3]) for plan in plans for step in plan]

    with open_store(tmp_path) as database:
        steps = database.submit(look).result(10)
    walks = [step for step in steps if " jobs " in f"{step} "]
    assert walks
    # Both hold open jobs alone.
    assert all("jobs_queued" in step or "jobs_held" in step for step in walks), steps
