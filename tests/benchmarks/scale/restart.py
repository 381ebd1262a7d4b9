"""From the start of a hub's program to the first job that it offers to a worker."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from shared.capabilities import Capability
from shared.messages import Hello, Offer
from shared.protocol import FRAME_BYTES_MAX, WorkerEnd
from tests.benchmarks.footprint import BYTECODE, free_port, stop
from tests.benchmarks.scale.stores import cpu_seconds
from tests.enrolled import Machine

CALL_SECONDS = 0.01
"""Between two calls of a worker that waits for the hub."""
PATIENCE_SECONDS = 120.0


def first_offer(folder: Path, worker: Machine, kind: str) -> tuple[float, float]:
    """Start the product's hub on a store with waiting jobs, and wait for an offer.

    Return the seconds that it took, and the hub's CPU seconds until then. The worker calls without
    a pause; it takes nothing, so that the store stays what it is.
    """
    port = free_port()
    begun = time.monotonic()
    hub = subprocess.Popen(
        [sys.executable, "-m", "hub", "serve"],
        env={**os.environ, **BYTECODE, "HUB_DATA": str(folder), "HUB_PORT": str(port)},
        stderr=subprocess.DEVNULL,
    )
    try:
        asyncio.run(_until_offered(f"ws://127.0.0.1:{port}/api/v1/worker", worker, kind))
        return time.monotonic() - begun, cpu_seconds(hub)
    finally:
        stop(hub)


async def _until_offered(url: str, worker: Machine, kind: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await _call(url, worker, kind)
            except (OSError, WebSocketException):
                await asyncio.sleep(CALL_SECONDS)


async def _call(url: str, worker: Machine, kind: str) -> None:
    headers = {"Authorization": f"Bearer {worker.token}"}
    async with connect(
        url, additional_headers=headers, compression=None, max_size=FRAME_BYTES_MAX
    ) as socket:
        end = WorkerEnd(hub_epoch="", hub_seq=0, outbox_seq=0, now=time.monotonic())
        end.hello(
            Hello(
                device=worker.worker_id,
                epoch=1,
                name=worker.name,
                capabilities=(Capability(kind=kind),),
                slots=1,
                outbox_seq=0,
                hub_seq=0,
            )
        )
        for frame in end.frames_to_send():
            await socket.send(frame)
        while not isinstance(end.receive(await socket.recv(), time.monotonic()), Offer):
            pass
