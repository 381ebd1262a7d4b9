"""Real processes of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psutil
from pydantic import JsonValue

from hub.core.pool import Pool
from hub.hosts.process import ProcessHost, Settings
from tests.hub.hosts.worlds import HUB, HostWorld, a_pool, write_secrets

NODE = str(Path(__file__).with_name("fake_node.py"))


@contextlib.asynccontextmanager
async def processes(folder: Path) -> AsyncIterator[HostWorld]:
    settings: dict[str, JsonValue] = {
        "hub": HUB,
        "folder": str(folder / "nodes"),
        "secrets_file": write_secrets(folder),
        "command": f"{sys.executable} {NODE} {folder}",
        "stop_seconds": 1,
    }
    pool = a_pool("probes", "process", **settings)
    strangers: list[subprocess.Popen[bytes]] = []
    (folder / "file").touch()

    async def stranger() -> str:
        """A process with an instance's name in its command line."""
        child = await asyncio.to_thread(_stranger, folder)
        (folder / "deskhand-probes-0a0a0a0a").mkdir()
        strangers.append(child)
        return str(child.pid)

    async def is_there(name: str) -> bool:
        return any(child.poll() is None for child in strangers if str(child.pid) == name)

    async def told(name: str) -> str:
        # The folder is its owner's alone; command lines are everybody's.
        found = [p for p in psutil.process_iter(["cmdline", "environ"]) if _is(p, name)]
        return " ".join(" ".join(p.info["cmdline"] or ()) for p in found)

    try:
        yield HostWorld(
            pool=pool,
            other=replace(pool, name="probes-2"),
            open=_open,
            cannot_start=replace(pool, settings={**settings, "command": "/no/such/program"}),
            unreachable=replace(pool, settings={**settings, "folder": str(folder / "file" / "x")}),
            make_stranger=stranger,
            is_there=is_there,
            told=told,
        )
    finally:
        for child in strangers:
            child.kill()
            await asyncio.to_thread(child.wait)
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if str(folder) in " ".join(process.cmdline()):
                    process.send_signal(signal.SIGKILL)


def _stranger(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, NODE, "deskhand-probes-0a0a0a0a"],
        env={"DESKHAND_FLEET_INSTANCE": "x", "PATH": ""},
        stderr=subprocess.DEVNULL,
        cwd=folder,
        start_new_session=True,
    )


def _open(pool: Pool) -> ProcessHost:
    return ProcessHost(Settings.model_validate(pool.settings))


def _is(process: psutil.Process, name: str) -> bool:
    return (process.info["environ"] or {}).get("DESKHAND_FLEET_INSTANCE") == name
