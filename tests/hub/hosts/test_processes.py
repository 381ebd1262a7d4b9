"""Nodes as processes: remembered over restarts, never confused with others, ended in the end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.core.pool import InstanceState, Pool
from hub.hosts.process import ProcessHost, Settings
from shared.errors import AppError, BadInput
from tests.hub.hosts.process_world import processes
from tests.hub.hosts.worlds import BROKER, KEY, HostWorld

STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(sys.argv[1] + '/up', 'w').close()
time.sleep(600)
"""
END_SECONDS = 15.0


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HostWorld]:
    async with processes(tmp_path) as made:
        yield made


def opened(pool: Pool) -> ProcessHost:
    return ProcessHost(Settings.model_validate(pool.settings))


def noted(folder: Path, name: str) -> dict[str, object]:
    told: dict[str, object] = json.loads((folder / "nodes" / f"{name}.node").read_text())
    return told


async def until(folder: Path, pattern: str) -> Path:
    async with asyncio.timeout(END_SECONDS):
        while not (found := list(folder.glob(pattern))):  # noqa: ASYNC110, ASYNC240
            await asyncio.sleep(0.02)
    return found[0]


async def test_a_node_is_told_all_it_needs_by_its_environment(
    world: HostWorld, tmp_path: Path
) -> None:
    host = opened(world.pool)
    (name,) = await host.start(world.pool, 1)
    told = json.loads((await until(tmp_path, "*.told")).read_text())
    assert told == {
        "DESKHAND_FLEET_BROKER": BROKER,
        "DESKHAND_FLEET_HUB": "http://127.0.0.1:9",
        "DESKHAND_FLEET_INSTANCE": name,
        "DESKHAND_FLEET_KEY": KEY,
        "DESKHAND_FLEET_KINDS": "llm.probe",
        "DESKHAND_FLEET_NODE": name,
        "DESKHAND_FLEET_POOL": "probes",
        "DESKHAND_FLEET_SLOTS": "1",
    }
    await host.stop(world.pool, [name])


async def test_a_folder_that_others_can_write_in_names_no_process(
    world: HostWorld, tmp_path: Path
) -> None:
    folder = tmp_path / "nodes"
    folder.mkdir()
    folder.chmod(0o777)
    host = opened(world.pool)
    for call in (host.instances(world.pool), host.start(world.pool, 1)):
        with pytest.raises(AppError) as caught:
            await call
        assert caught.value.code == "host_refused"
        assert "others can write" in caught.value.message


async def test_a_process_that_got_the_id_of_a_node_is_not_taken_for_it(
    world: HostWorld, tmp_path: Path
) -> None:
    host = opened(world.pool)
    (name,) = await host.start(world.pool, 1)
    file = tmp_path / "nodes" / f"{name}.node"
    # The node is gone, and its id belongs to this very process by now.
    file.write_text(json.dumps({**noted(tmp_path, name), "pid": os.getpid()}))
    assert await opened(world.pool).instances(world.pool) == ()
    assert not file.exists()
    await host.close()


async def test_one_that_was_killed_is_gone_at_the_next_look(
    world: HostWorld, tmp_path: Path
) -> None:
    host = opened(world.pool)
    (name,) = await host.start(world.pool, 1)
    os.kill(int(str(noted(tmp_path, name)["pid"])), signal.SIGKILL)
    async with asyncio.timeout(END_SECONDS):
        while await host.instances(world.pool):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_one_that_does_not_end_in_time_is_killed_at_a_later_look(
    world: HostWorld, tmp_path: Path
) -> None:
    script = tmp_path / "stubborn.py"
    script.write_text(STUBBORN)
    command = f"{sys.executable} {script} {tmp_path}"
    pool = replace(world.pool, settings={**world.pool.settings, "command": command})
    host = opened(pool)
    (name,) = await host.start(pool, 1)
    await until(tmp_path, "up")
    await host.stop(pool, [name])
    again = opened(pool)
    async with asyncio.timeout(END_SECONDS):
        while listed := await again.instances(pool):
            assert listed[0].state is InstanceState.STOPPING
            await asyncio.sleep(0.02)


async def test_secrets_that_others_can_read_are_refused(world: HostWorld, tmp_path: Path) -> None:
    (tmp_path / "fleet.env").chmod(0o644)
    with pytest.raises(BadInput) as raised:
        await opened(world.pool).start(world.pool, 1)
    assert raised.value.code == "secrets_file_open"
    assert KEY not in str(raised.value)


async def test_logs_are_for_their_owner_alone(world: HostWorld, tmp_path: Path) -> None:
    host = opened(world.pool)
    (name,) = await host.start(world.pool, 1)
    assert (tmp_path / "nodes").stat().st_mode & 0o077 == 0
    assert (tmp_path / "nodes" / f"{name}.log").exists()
    await host.stop(world.pool, [name])
