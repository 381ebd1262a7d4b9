"""Runs and their probes are found by index, however many jobs there are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.store import runs
from hub.store.database import open_store
from shared.ids import JobId, PersonId, TaskId

READS: dict[str, Callable[..., object]] = {
    "page": lambda c: runs.page(c, PersonId("p"), 50, JobId("j")),
    "everybody": lambda c: runs.page(c, None, 50, None),
    "counts": lambda c: runs.counts(c, JobId("r")),
    "probes": lambda c: runs.probes(c, JobId("r"), "answered", 50, JobId("j")),
    "probe": lambda c: runs.probe(c, JobId("r"), 3),
    "statistics": lambda c: runs.statistics(c, TaskId("t"), "r"),
    "transcript": lambda c: runs.transcript(c, TaskId("t"), "r", 3),
}


@pytest.mark.parametrize("read", sorted(READS))
async def test_no_read_walks_through_all_jobs(tmp_path: Path, read: str) -> None:
    with open_store(tmp_path / "hub.sqlite3") as database:
        said: list[str] = []

        def look(connection) -> list[str]:  # type: ignore[no-untyped-def]
            connection.set_trace_callback(said.append)
            READS[read](connection)
            connection.set_trace_callback(None)
            plans = [
                row[3]
                for statement in said
                for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
            ]
            return [plan for plan in plans if plan.startswith("SCAN j")]

        assert await database.read(look) == []
        assert said
