"""Many headless workers on one hub: it is killed under all of them, and every job ends once.

`DESKHAND_CROWD=300 pytest -s tests/flows/test_many_workers.py` is the load of docs/scale.md.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import time
from pathlib import Path

import pytest

from hub.demo.programs import free_port
from hub.store.database import STORE_NAME
from shared.api.client import Client
from shared.api.tasks import NewTask
from tests.enrolled import Member, enrol
from tests.flows.crowd import HubProgram, a_crowd

pytestmark = [pytest.mark.flow, pytest.mark.slow, pytest.mark.timeout(900)]

WORKERS = int(os.environ.get("DESKHAND_CROWD", "30"))
EACH = 10
"""Workers of one person: each of them is told of all that concerns the person."""
ONCE, AGAIN = "play.effect", "play.count"
"""A kind that must not run twice, and one that may."""
PATIENCE_SECONDS = 30.0 + WORKERS
ENDINGS = ("job_succeeded", "job_failed", "job_cancelled", "job_interrupted", "job_dead")


def ask(url: str, members: list[Member], each: int) -> list[str]:
    """Have everybody ask for some jobs a machine of theirs, of both kinds; return the jobs."""
    asked = []
    for member in members:
        client = Client(url, member.key)
        for number in range(len(member.machines) * each):
            told = client.create_task(NewTask(kind=ONCE if number % 2 else AGAIN))
            asked.append(told.job_id)
    return asked


def ends(folder: Path) -> dict[str, list[str]]:
    """How each job ended, by the hub's log."""
    found: dict[str, list[str]] = {}
    connection = sqlite3.connect(folder / STORE_NAME)
    marks = ",".join("?" * len(ENDINGS))
    rows = connection.execute(f"SELECT entity, type FROM events WHERE type IN ({marks})", ENDINGS)
    for job_id, ending in rows:
        found.setdefault(job_id, []).append(ending)
    connection.close()
    return found


async def until_ended(folder: Path, jobs: int) -> None:
    """Wait until the hub's log tells the end of so many jobs."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(await asyncio.to_thread(ends, folder)) < jobs:  # noqa: ASYNC110 (another program)
            await asyncio.sleep(0.1)


async def test_a_hub_killed_under_many_workers_loses_and_doubles_nothing(tmp_path: Path) -> None:
    data = tmp_path / "hub"
    assert WORKERS % EACH == 0
    members = await asyncio.to_thread(enrol, data, WORKERS // EACH, EACH, (ONCE, AGAIN))
    hub = HubProgram(data, free_port())
    figures: dict[str, float] = {}
    try:
        await hub.start(PATIENCE_SECONDS)
        begun = time.monotonic()
        async with a_crowd(tmp_path / "crowd", members, hub.url) as crowd:
            await crowd.until(lambda: len(crowd.online) == WORKERS, PATIENCE_SECONDS)
            figures["all online after, s"] = time.monotonic() - begun
            # As many jobs as workers are begun and held; as many again wait for a slot.
            jobs = await asyncio.to_thread(ask, hub.url, members, 2)
            await crowd.until(lambda: len(crowd.effects) == WORKERS, PATIENCE_SECONDS)
            figures["first half begun after, s"] = time.monotonic() - begun
            figures["hub before the kill: CPU s"] = hub.cpu_seconds()
            figures["hub before the kill: RSS MiB"] = hub.rss_mib()
            await hub.kill()
            await crowd.until(lambda: not crowd.online, PATIENCE_SECONDS)
            crowd.gate.set()  # what is begun ends while nobody can be told
            begun = time.monotonic()
            await hub.start(PATIENCE_SECONDS)
            figures["hub is there again after, s"] = time.monotonic() - begun
            crowd.hurry()
            await crowd.until(lambda: len(crowd.online) == WORKERS, PATIENCE_SECONDS)
            figures["all online again after, s"] = time.monotonic() - begun
            await until_ended(data, len(jobs))
            figures["all jobs ended after, s"] = time.monotonic() - begun
            figures["hub after it: CPU s"] = hub.cpu_seconds()
            figures["all workers: RSS MiB, most"] = (
                resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            )
            figures["all workers: CPU s"] = time.process_time()
            assert dict(crowd.effects) == dict.fromkeys(jobs, 1)
        assert ends(data) == {job_id: ["job_succeeded"] for job_id in jobs}
    finally:
        await hub.kill()
    print(f"\n{WORKERS} workers, {2 * WORKERS} jobs, load {os.getloadavg()[0]:.1f}")
    print("\n".join(f"  {what:32} {value:8.1f}" for what, value in figures.items()))
