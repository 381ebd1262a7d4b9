"""A worker that is killed and started again tells the truth about what it held."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desktop.core.link import LinkState
from shared.events import JobInterrupted, JobLogged
from shared.messages import Accept, HeldState
from tests.desktop.link.hub_double import HubDouble
from tests.desktop.link.workers import granted, offered, spec, working
from tests.desktop.runner.hard_children import all_gone, is_alive

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
async def hub() -> AsyncIterator[HubDouble]:
    async with HubDouble().serving() as double:
        yield double


@contextlib.asynccontextmanager
async def program(home: Path, base: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a worker as a program; it is killed, without a word, when the block ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.desktop.worker_program", str(home), base,
        cwd=ROOT, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def pid_told(hub: HubDouble) -> int:
    lines = [line for body in hub.bodies if isinstance(body, JobLogged) for line in body.lines]
    return int(lines[0].rsplit(" ", 1)[1])


async def test_a_kill_in_the_middle_of_a_repeatable_job_gives_it_back_without_a_word(
    hub: HubDouble, tmp_path: Path
) -> None:
    job = spec("hard.hang")
    async with program(tmp_path, hub.base):
        await hub.until(lambda: hub.end is not None and hub.end.phase == "open")
        await granted(hub, job)
        await hub.until_event("job_logged")
        child = pid_told(hub)
        assert is_alive(child)
    assert await asyncio.to_thread(all_gone, child)
    told = len(hub.events)
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        assert hub.hellos[-1].held == ()
        await granted(hub, job, attempt=2, fence=2)
    assert hub.events[told].type == "job_started", "nothing false was told"


async def test_a_kill_in_the_middle_of_a_job_with_effects_is_told_as_interrupted(
    hub: HubDouble, tmp_path: Path
) -> None:
    job = spec("hard.hang_once")
    async with program(tmp_path, hub.base):
        await hub.until(lambda: hub.end is not None and hub.end.phase == "open")
        await granted(hub, job, fence=5)
        await hub.until_event("job_logged")
        child = pid_told(hub)
    assert await asyncio.to_thread(all_gone, child)
    async with working(tmp_path, hub.base) as worker:
        interrupted = await hub.until_event("job_interrupted")
        assert isinstance(interrupted, JobInterrupted)
        assert (interrupted.job_id, interrupted.attempt, interrupted.fence) == (job.job_id, 1, 5)
        assert interrupted.reason
        assert [held.state for held in hub.hellos[-1].held] == [HeldState.ENDED]
        await hub.until(lambda: not worker.agent.attempts)
    assert len(hub.of_type("job_started")) == 1, "it was not started again"


async def test_a_kill_after_a_yes_and_before_the_grant_still_holds_the_offer(
    hub: HubDouble, tmp_path: Path
) -> None:
    job = spec("hard.brief")
    async with program(tmp_path, hub.base):
        await hub.until(lambda: hub.end is not None and hub.end.phase == "open")
        assert isinstance(await offered(hub, job), Accept)
    async with working(tmp_path, hub.base):
        await hub.until(lambda: len(hub.hellos) == 2)
    assert [(h.job_id, h.state) for h in hub.hellos[1].held] == [(job.job_id, HeldState.ACCEPTED)]


async def test_the_start_is_in_the_store_before_the_hub_hears_of_it(
    hub: HubDouble, tmp_path: Path
) -> None:
    job = spec("hard.hang")
    async with program(tmp_path, hub.base):
        await hub.until(lambda: hub.end is not None and hub.end.phase == "open")
        await granted(hub, job)
    with contextlib.closing(sqlite3.connect(tmp_path / "worker.sqlite3")) as store:
        rows = store.execute("select job_id, state, fence from attempt").fetchall()
    assert rows == [(job.job_id, "running", 1)]


async def test_an_idle_worker_is_small(hub: HubDouble, tmp_path: Path) -> None:
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tests.desktop.link.workers import working\n"
        "from desktop.core.link import LinkState\n"
        "async def main():\n"
        "    async with working(Path(sys.argv[1]), sys.argv[2]) as worker:\n"
        "        await worker.until_state(LinkState.ONLINE)\n"
        "        print(' '.join(sys.modules))\n"
        "asyncio.run(main())\n"
    )
    async with working(tmp_path, hub.base):
        pass  # the store is there: a worker that starts anew migrates nothing
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path), hub.base,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, env=dict(os.environ),
    )  # fmt: skip
    said, _ = await asyncio.wait_for(process.communicate(), 30)
    loaded = set(said.decode().split())
    assert "desktop.agent.agent" in loaded
    heavy = {"pandas", "numpy", "sklearn", "sqlite_utils", "httpx", "keyring", "pyarrow"}
    assert not heavy & loaded
