"""A worker's store is copied, and both copies are used in turn: nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.store import facts, outbox
from desktop.store.database import open_store
from desktop.system.paths import Paths
from shared.environment import Environment
from shared.events import SettingChanged
from shared.jobs import JobState
from tests.flows.ring import PATIENCE_SECONDS, Ring, Worker, a_ring

pytestmark = pytest.mark.flow


async def copied(worker: Worker, folder: Path) -> Worker:
    """Another machine's folder with a copy of a worker's store, token and all."""
    paths = Paths(data=folder, config=folder)
    paths.make()

    def copy(connection: sqlite3.Connection) -> None:
        with sqlite3.connect(paths.store) as target:
            connection.backup(target)

    with sqlite3.connect(worker.setup.paths.store) as source:
        copy(source)
    return Worker(
        name="twin", setup=replace(worker.setup, paths=paths), database=open_store(paths.store)
    )


async def write(worker: Worker, *values: str) -> None:
    """Let the person change a setting, without a line."""

    def run(connection: sqlite3.Connection) -> None:
        for value in values:
            body = SettingChanged(name="theme", value=value)
            outbox.append(connection, body, at=Environment().now(), sign=worker.setup.sign)

    await worker.database.write(run)


async def settings_known(ring: Ring) -> Counter[str]:
    told = await ring.hub.services.feed.after(0, 100_000)
    return Counter(str(f.payload["value"]) for f in told if f.type == "setting_changed")


async def until_told(ring: Ring, worker: Worker) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        # A store has no bell.
        while await worker.database.read(outbox.waiting):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def turn(ring: Ring, worker: Worker, *values: str) -> None:
    """Use one of the machines: it writes, tells what it wrote, and does a job."""
    await write(worker, *values)
    worker.start()
    await until_told(ring, worker)
    job_id = await ring.ask_for("effect", text=str(ring.folder / "marks"))
    await ring.until(job_id, JobState.SUCCEEDED)
    await until_told(ring, worker)
    await worker.stop()


async def test_two_copies_of_a_store_used_in_turn_lose_and_double_nothing(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        one = await ring.pair("anna-pc")
        await turn(ring, one, "a", "b")
        # What both have and the hub has not: whoever comes first tells it.
        await write(one, "both 1", "both 2")
        twin = await copied(one, tmp_path / "twin")
        await turn(ring, one, "c")
        # As many as to reach beyond what the hub has of this log.
        more = [f"twin {number}" for number in range(20)]
        await turn(ring, twin, *more)
        await turn(ring, one, "d")
        await turn(ring, twin, "e")
        await turn(ring, one, "f")
        told = await settings_known(ring)
        assert told == Counter(["a", "b", "c", "d", "e", "f", "both 1", "both 2", *more])
        marks = (tmp_path / "marks").read_text().split()
        assert len(marks) == len(set(marks)) == 6
        epochs = [await worker.database.read(facts.epoch) for worker in (one, twin)]
        assert epochs[0] != epochs[1]
        twin.database.close()
