"""Real containers, of a real Podman socket. Left out with a reason where Podman cannot run them."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import gc
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import docker
import pytest
from pydantic import JsonValue

from hub.core.pool import Pool
from hub.hosts.docker import DockerHost, Settings
from tests.hub.hosts.worlds import HUB, HostWorld, a_pool, write_secrets

IMAGE = "localhost/deskhand-test-node:1"
PROGRAMS = ("sh", "sleep")
# No fork in the loop's waiting: the shell hears TERM at once.
COMMAND = ["/bin/sh", "-c", "trap 'exit 0' TERM; while :; do /bin/sleep 0.1; done"]
CONFIGURATION = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
events_logger = "file"
"""
UP_SECONDS = 20.0


@dataclass(frozen=True)
class _Podman:
    folder: Path
    reason: str = ""

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "CONTAINERS_CONF": str(self.folder / "containers.conf")}


@cache
def _podman() -> _Podman:
    """Set Podman up once for this process, with an image of this system's own shell."""
    folder = Path(tempfile.mkdtemp(prefix="deskhand-podman-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    missing = [name for name in ("podman", "runc") if shutil.which(name) is None]
    if missing or os.name != "posix" or os.geteuid() != 0:
        return _Podman(folder, f"needs root, podman and runc (missing: {missing})")
    (folder / "containers.conf").write_text(CONFIGURATION)
    with tarfile.open(folder / "image.tar", "w") as image:
        for name, place in _files().items():
            image.add(os.path.realpath(place), name)
    podman = _Podman(folder)
    made = _run(podman, "import", "-q", str(folder / "image.tar"), IMAGE)
    if made.returncode:
        return replace(podman, reason=f"podman import: {made.stderr[-300:]}")
    tried = _run(podman, "run", "--rm", "--network=none", IMAGE, "/bin/sh", "-c", "exit 0")
    if tried.returncode:
        return replace(podman, reason=f"podman run: {tried.stderr[-300:]}")
    return podman


def _files() -> dict[str, str]:
    """The programs and their libraries, by their place in the image."""
    files = {}
    for name in PROGRAMS:
        place = shutil.which(name) or name
        files[f"bin/{name}"] = place
        libraries = subprocess.run(["ldd", place], capture_output=True, text=True, check=False)
        for library in re.findall(r"(/\S+)", libraries.stdout):
            files[library.lstrip("/")] = library
    return files


def _run(podman: _Podman, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["podman", *arguments], env=podman.environment, capture_output=True, text=True, check=False
    )


@contextlib.asynccontextmanager
async def containers(folder: Path) -> AsyncIterator[HostWorld]:
    podman = await asyncio.to_thread(_podman)
    if podman.reason:
        pytest.skip(podman.reason)
    address = f"unix://{folder}/p.sock"
    service = await asyncio.to_thread(_serving, podman, address)
    try:
        async with asyncio.timeout(UP_SECONDS):
            while not (folder / "p.sock").exists():  # noqa: ASYNC110 - it rings no bell
                await asyncio.sleep(0.05)
        client = docker.DockerClient(base_url=address)
        try:
            yield _world(folder, address, client)
        finally:
            await asyncio.to_thread(_clean, client)
    finally:
        service.kill()
        await asyncio.to_thread(service.wait)
        # The SDK leaves the socket open that found nobody.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


def _serving(podman: _Podman, address: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["podman", "system", "service", "--time=0", address],
        env=podman.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _world(folder: Path, address: str, client: docker.DockerClient) -> HostWorld:
    # A fleet of this test's own: others run beside it.
    fleet = f"t{os.getpid()}"
    settings: dict[str, JsonValue] = {
        "hub": HUB,
        "fleet": fleet,
        "image": IMAGE,
        "command": [*COMMAND],
        "secrets_file": write_secrets(folder),
        "base_url": address,
        "network": "none",
        "memory_mb": 64,
        "cpus": 0.5,
        "stop_seconds": 3,
    }
    pool = a_pool("probes", "docker", **settings)

    async def stranger() -> str:
        name = f"{fleet}-probes-{os.urandom(3).hex()}"
        await asyncio.to_thread(
            lambda: client.containers.run(
                IMAGE, COMMAND, name=name, detach=True, network_mode="none",
                labels={"deskhand.fleet": "another", "deskhand.pool": "probes", "test": fleet},
            )
        )  # fmt: skip
        return name

    async def is_there(name: str) -> bool:
        found = await asyncio.to_thread(client.containers.get, name)
        return bool(found.status == "running")

    async def told(name: str) -> str:
        attributes = (await asyncio.to_thread(client.containers.get, name)).attrs
        config = attributes["Config"]
        seen = {"name": name, "labels": config["Labels"], "command": config["Cmd"]}
        assert attributes["HostConfig"]["ReadonlyRootfs"] is True
        assert attributes["HostConfig"]["Memory"] == 64 * 1024 * 1024
        return repr((seen, attributes.get("Args"), config.get("Entrypoint")))

    return HostWorld(
        pool=pool,
        other=replace(pool, name="probes-2"),
        open=_open,
        cannot_start=replace(pool, settings={**settings, "image": "localhost/no-such:1"}),
        unreachable=replace(pool, settings={**settings, "base_url": f"unix://{folder}/none.sock"}),
        make_stranger=stranger,
        is_there=is_there,
        told=told,
    )


def _open(pool: Pool) -> DockerHost:
    return DockerHost(Settings.model_validate(pool.settings))


def _clean(client: docker.DockerClient) -> None:
    fleet = f"t{os.getpid()}"
    for container in client.containers.list(all=True):
        labels = container.labels
        if fleet in (labels.get("deskhand.fleet"), labels.get("test")):
            container.remove(force=True)
    client.close()
