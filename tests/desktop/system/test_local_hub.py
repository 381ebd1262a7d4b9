"""A hub that this program runs itself: it comes up, comes back, and goes with its parent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from desktop.store import facts
from desktop.store.database import open_store
from desktop.system import hub_program
from desktop.system.hub_program import HOST, free_port, is_well, port_is_free
from desktop.system.local_hub import HubState, LocalHub
from desktop.system.paths import find_paths
from shared.environment import Environment
from shared.errors import AppError

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 30.0


@pytest.fixture(autouse=True)
def _no_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@contextlib.asynccontextmanager
async def a_local_hub(home: Path) -> AsyncIterator[LocalHub]:
    """A local hub's keeper that runs; whether a hub does is the test's."""
    paths = find_paths(home)
    paths.make()
    with open_store(paths.store) as database:
        hub = LocalHub(paths, database, Environment())
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(hub.run())
            try:
                yield hub
            finally:
                running.cancel()


async def until_well(hub: LocalHub, *, is_so: bool = True) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        # It is another program: there is nothing to wait for but its answer.
        while await asyncio.to_thread(is_well, hub.url) != is_so:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def hub_process(data: Path) -> psutil.Process:
    """The hub that runs on a data folder, found by its environment."""
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if process.environ().get("HUB_DATA") == str(data):
                return process
    raise AssertionError("no hub runs there")


async def test_it_is_up_when_switched_on_and_gone_when_switched_off(tmp_path: Path) -> None:
    async with a_local_hub(tmp_path) as hub:
        assert hub.state is HubState.OFF
        url = await hub.switch_on()
        assert (hub.state, is_well(url)) == (HubState.RUNNING, True)
        assert hub.admin_key_file.exists()
        assert "hub_listening" in hub.log_file.read_text()
        await hub.switch_off()
        await until_well(hub, is_so=False)
    assert port_is_free(int(url.rpartition(":")[2]))


async def test_it_comes_back_at_the_next_start_on_the_port_of_before(tmp_path: Path) -> None:
    async with a_local_hub(tmp_path) as hub:
        url = await hub.switch_on()
    assert not is_well(url), "it ends with the program"
    async with a_local_hub(tmp_path) as hub:
        await until_well(hub)
        assert hub.url == url


async def test_a_hub_that_is_killed_is_started_again(tmp_path: Path) -> None:
    async with a_local_hub(tmp_path) as hub:
        await hub.switch_on()
        first = hub_process(hub.folder)
        failures: list[str] = []
        hub.listeners.append(lambda: failures.append(hub.error.code if hub.error else ""))
        os.kill(first.pid, signal.SIGKILL)
        await until_well(hub, is_so=False)
        await until_well(hub)
        assert failures[0] == "local_hub_ended"
        assert hub_process(hub.folder).pid != first.pid


async def test_a_strangers_program_on_its_port_makes_it_move_with_its_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.system.local_hub.PORT_SECONDS", 0.3)
    paths = find_paths(tmp_path)
    paths.make()
    port = free_port()
    with socket.socket() as stranger:
        stranger.bind((HOST, port))
        stranger.listen()
        with open_store(paths.store) as database:
            await database.write(lambda c: facts.put_local_hub_port(c, port))
            await database.write(lambda c: facts.put(c, "hub_url", facts.local_hub_url(port)))
        async with a_local_hub(tmp_path) as hub:
            url = await hub.switch_on()
            assert hub.port != port
    with open_store(paths.store) as database:
        assert await database.read(lambda c: facts.get(c, "hub_url")) == url


async def test_without_the_program_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = tmp_path / "bin"
    nowhere.mkdir()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(nowhere / "deskhand"))
    monkeypatch.setenv("PATH", str(nowhere))
    async with a_local_hub(tmp_path / "home") as hub:
        with pytest.raises(AppError) as missing:
            await hub.switch_on()
    assert missing.value.code == "hub_program_missing"
    assert "deskhand[hub]" in missing.value.hint


def test_a_frozen_program_finds_the_hub_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = tmp_path / hub_program.NAME
    hub.write_text("#!/bin/sh\n")
    hub.chmod(0o755)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "deskhand"))
    assert hub_program.hub_command() == (str(hub),)


KEEPER = """
import asyncio, sys
from pathlib import Path
from desktop.store.database import open_store
from desktop.system.local_hub import LocalHub
from desktop.system.paths import find_paths
from shared.environment import Environment

async def main():
    paths = find_paths(Path(sys.argv[1]))
    paths.make()
    with open_store(paths.store) as database:
        hub = LocalHub(paths, database, Environment())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(hub.run())
            print(await hub.switch_on(), flush=True)

asyncio.run(main())
"""


async def test_a_hub_does_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(  # noqa: ASYNC220 (it is killed below)
        [sys.executable, "-c", KEEPER, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        url = (await asyncio.to_thread(parent.stdout.readline)).decode().strip()
        hub = hub_process(tmp_path / "hub")
        parent.kill()
    await asyncio.to_thread(psutil.wait_procs, [hub], timeout=PATIENCE_SECONDS)
    assert not hub.is_running()
    assert not is_well(url)


async def test_a_hub_that_lacks_its_libraries_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slim = tmp_path / "slim"
    slim.mkdir()
    (slim / "sitecustomize.py").write_text("import sys\nsys.modules['uvicorn'] = None\n")
    monkeypatch.setenv("PYTHONPATH", f"{slim}{os.pathsep}{ROOT}")
    async with a_local_hub(tmp_path / "home") as hub:
        with pytest.raises(AppError) as missing:
            await hub.switch_on()
    assert missing.value.code == "hub_program_missing"


async def test_its_log_does_not_grow_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.system.local_hub.LOG_BYTES_MAX", 300)
    async with a_local_hub(tmp_path) as hub:
        for _ in range(4):
            await hub.switch_on()
            await hub.restart()
    logs = sorted(hub.folder.glob("hub.log*"))
    assert [log.name for log in logs] == ["hub.log", "hub.log.1"]
    assert all(log.stat().st_size <= 600 for log in logs)
