"""A machine whose store is damaged comes back as who it was, and hears what it has lost."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from desktop.core.link import LinkState
from desktop.store import copied, facts, identity
from desktop.store.salvage import open_own_store
from shared.ids import JobId
from shared.jobs import JobState
from tests.flows.ring import Worker, a_ring

pytestmark = pytest.mark.flow


async def test_a_machine_with_a_ruined_store_asks_the_hub_and_repeats_no_effect(
    tmp_path: Path,
) -> None:
    async with a_ring(tmp_path) as ring:
        worker = await ring.join()
        done = await ring.ask_for("effect", text=str(tmp_path / "marks"))
        await ring.until(done, JobState.SUCCEEDED)
        cut = await ring.ask_for("effect", text=str(tmp_path / "marks"), number=60_000)
        await until_marked(tmp_path / "marks", cut)
        await ruin(worker)

        worker.start()
        await worker.until(LinkState.ONLINE)
        card = await ring.until(cut, JobState.INTERRUPTED, JobState.ASKING)
        await until_copied(worker, done, JobState.SUCCEEDED)
        after = await ring.ask_for("count", number=3)
        await ring.until(after, JobState.SUCCEEDED)

        assert card.job.life.attempt == 1, "nobody ran it again"
        assert (await read(tmp_path / "marks")).split() == [done, cut]
        assert await worker.database.read(facts.epoch) == 2


async def ruin(worker: Worker) -> None:
    """Stop a program and leave nothing of its store that could be read."""
    await worker.stop()
    path = worker.setup.paths.store
    told = await worker.database.read(identity.told)
    await asyncio.to_thread(identity.note, path, told)
    worker.database.close()
    await asyncio.to_thread(path.write_bytes, b"\x5a" * 65536)
    worker.database = await asyncio.to_thread(open_own_store, path)
    worker.statuses.clear()


async def until_marked(path: Path, job_id: JobId) -> None:
    """Wait until a job's effect has happened; a file has no bell."""
    async with asyncio.timeout(30):
        while job_id not in await read(path):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def until_copied(worker: Worker, job_id: JobId, state: JobState) -> None:
    """Wait until the worker's copy shows a job as it is."""
    async with asyncio.timeout(30):
        while True:
            row = await worker.database.read(lambda c: copied.job(c, job_id))
            if row is not None and row.row.state is state:
                return
            await asyncio.sleep(0.02)


async def read(path: Path) -> str:
    with contextlib.suppress(FileNotFoundError):
        return await asyncio.to_thread(path.read_text)
    return ""
