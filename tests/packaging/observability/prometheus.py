"""A real Prometheus on loopback with the packaged configuration, whose targets a test names."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.packaging.observability.stack import FOLDER

START_SECONDS = 40.0
STOP_SECONDS = 10.0
LOOK_SECONDS = 0.2
Result = list[dict[str, Any]]


@dataclass(frozen=True)
class Prometheus:
    client: httpx.AsyncClient

    async def ask(self, expression: str) -> Result:
        """Evaluate an expression now.

        Raises:
            AssertionError: Prometheus refuses it, and says why.
        """
        answer = await self.client.get("/api/v1/query", params={"query": expression})
        told = answer.json()
        assert told["status"] == "success", f"{expression}: {told.get('error')}"
        result: Result = told["data"]["result"]
        return result

    async def until(self, expression: str) -> None:
        """Wait until an expression has a result, bounded."""
        async with asyncio.timeout(START_SECONDS):
            while not await self.ask(expression):  # noqa: ASYNC110 - another program, no bell
                await asyncio.sleep(LOOK_SECONDS)


@contextlib.asynccontextmanager
async def prometheus(
    folder: Path, targets: Mapping[str, Sequence[str]], key: str
) -> AsyncIterator[Prometheus]:
    """Run one inside the block.

    Args:
        folder: for its configuration and data.
        targets: addresses by the name of the file that lists them: "hub", "workers".
        key: for the hub's figures.
    """
    config = _configured(folder, targets, key)
    port = _free_port()
    command = (
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    )
    process = subprocess.Popen(  # noqa: ASYNC220 - returns at once
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as client:
            await _ready(client)
            yield Prometheus(client)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _configured(folder: Path, targets: Mapping[str, Sequence[str]], key: str) -> Path:
    """Copy what is packaged; only where things are, and how often they are asked, is changed."""
    shutil.copytree(FOLDER / "prometheus", folder / "config")
    (folder / "key").write_text(key)
    config = folder / "config" / "prometheus.yml"
    told = yaml.safe_load(config.read_text())
    told["global"] |= {
        "scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"
    }  # fmt: skip
    told["alerting"] = {}
    told["scrape_configs"] = [
        job for job in told["scrape_configs"] if job["job_name"].startswith("deskhand-")
    ]
    told["scrape_configs"][0]["authorization"]["credentials_file"] = str(folder / "key")
    config.write_text(json.dumps(told))
    for name, addresses in targets.items():
        (folder / "config" / "targets" / f"{name}.yml").write_text(
            json.dumps([{"targets": list(addresses)}])
        )
    return config


async def _ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get("/-/ready")).status_code == 200:
                    return
            await asyncio.sleep(LOOK_SECONDS)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
