"""A new machine of a person: it has all that happened before, by one file or over the line."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.agent.setup import Seams
from desktop.core.link import LinkState
from desktop.store import copied, facts
from shared.database import Database
from shared.jobs import JobState
from shared.snapshot import FAR_BEHIND_EVENTS, SNAPSHOT_PATH
from tests.benchmarks.sync.log import fill
from tests.flows.ring import PATIENCE_SECONDS, Ring, Worker, a_ring
from tests.flows.wire import Wire

pytestmark = pytest.mark.flow


async def until_up_to(worker: Worker, hub_seq: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        # A store has no bell.
        while (await worker.database.read(facts.hub_cursor))[1] < hub_seq:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def shown(database: Database) -> list[tuple[object, ...]]:
    """Everything that stands in a copy of jobs and logs."""

    def read(connection: object) -> list[tuple[object, ...]]:
        rows = connection.execute(  # type: ignore[attr-defined]
            "select job_id, kind, title, state, attempt, fence, worker_id, created_ms, updated_ms,"
            " ended_ms, result, line_count from copy_job order by job_id"
        ).fetchall()
        lines = connection.execute(  # type: ignore[attr-defined]
            "select job_id, copy_line.number, text from copy_line join copy_job on"
            " copy_job.number = job order by 1, 2"
        ).fetchall()
        return [*rows, *lines]

    return await database.read(read)


async def filled(folder: Path, events: int) -> None:
    async with a_ring(folder) as ring:
        person_id = ring.person_id
    await fill(folder / "hub", person_id, events)


async def joined(ring: Ring, name: str, *, by_snapshot: bool) -> Worker:
    worker = await ring.pair(name)
    worker.setup = replace(worker.setup, seams=Seams(has_snapshots=by_snapshot))
    worker.start()
    return worker


async def test_a_new_machine_has_the_same_by_a_snapshot_as_over_the_line(tmp_path: Path) -> None:
    await filled(tmp_path, FAR_BEHIND_EVENTS + 500)
    async with a_ring(tmp_path) as ring:
        quick = await joined(ring, "quick-pc", by_snapshot=True)
        await quick.until(LinkState.ONLINE)
        await until_up_to(quick, FAR_BEHIND_EVENTS)
        brought = [status for status in quick.statuses if status.total]
        assert brought, "nothing was brought by a snapshot"
        assert brought[-1].done == brought[-1].total > FAR_BEHIND_EVENTS
        slow = await joined(ring, "slow-pc", by_snapshot=False)
        position = ring.hub.services.feed.position()
        await until_up_to(slow, position - 1)
        await until_up_to(quick, position - 1)
        assert not [status for status in slow.statuses if status.total]
        rows = await shown(quick.database)
        assert rows == await shown(slow.database)
        assert len(rows) > FAR_BEHIND_EVENTS / 2
        # And it works as any other machine does.
        job_id = await ring.ask_for("count", worker="quick-pc", number=2)
        await ring.until(job_id, JobState.SUCCEEDED)
        job = await quick.database.read(lambda c: copied.job(c, job_id))
        assert job is not None


async def test_a_machine_that_was_away_for_long_catches_up_and_loses_nothing(
    tmp_path: Path,
) -> None:
    async with a_ring(tmp_path) as ring:
        worker = await ring.join()
        person_id, port = ring.person_id, ring.hub.settings.port
        job_id = await ring.ask_for("count", number=2)
        await ring.until(job_id, JobState.SUCCEEDED)
        await worker.stop()
        workers, ring.workers = ring.workers, []
    await fill(tmp_path / "hub", person_id, FAR_BEHIND_EVENTS + 500)
    worker.statuses.clear()
    async with a_ring(tmp_path, port=port, workers=workers) as ring:
        worker.start()
        await until_up_to(worker, FAR_BEHIND_EVENTS)
        assert [status for status in worker.statuses if status.total]
        job = await worker.database.read(lambda c: copied.job(c, job_id))
        assert job is not None
        assert job.row.state is JobState.SUCCEEDED
        await worker.stop()
        worker.database.close()


async def test_without_a_snapshot_the_line_brings_the_log(tmp_path: Path) -> None:
    """A hub of before has no such route; a wire that answers for it stands in for one."""
    await filled(tmp_path, FAR_BEHIND_EVENTS + 200)
    async with a_ring(tmp_path) as ring, Wire(ring.hub.settings.port) as wire:
        wire.unknown_path = SNAPSHOT_PATH
        worker = await ring.pair("anna-pc", through=wire.url)
        worker.start()
        await until_up_to(worker, FAR_BEHIND_EVENTS)
        assert not [status for status in worker.statuses if status.total]
