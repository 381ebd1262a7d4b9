"""The hub that is measured, a program of its own.

    python -m tests.benchmarks.queue.hub FOLDER PORT

It is put together as `deskhand-hub serve` does it: its real store (WAL, synchronous=FULL), API,
sockets, trail. It reads an order a line and answers each with a line of JSON: "usage", "online",
or "enqueue COUNT CALLERS", which asks for jobs inside this process: a hub without HTTP.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from hub.app import Hub, running
from hub.server import loop_factory, spare_collector
from hub.services.requests import Request
from hub.settings import Settings
from shared.logs import configure
from tests.benchmarks.queue.nothing import NOTHING


def usage() -> dict[str, float]:
    """CPU of this process and, of it, of its event loop's thread; the store's is the rest."""
    return {"cpu_seconds": time.process_time(), "loop_cpu_seconds": time.thread_time()}


async def enqueue(hub: Hub, count: int, callers: int) -> dict[str, float]:
    [person, *_] = await hub.services.registry.people()
    left = iter(range(count))
    begun = time.monotonic()

    async def call() -> None:
        for _ in left:
            await hub.services.intake.request(
                Request(
                    person_id=person.person_id,
                    kind=NOTHING.name,
                    inputs={"asked_at": time.monotonic()},
                    title="nothing",
                )
            )

    async with asyncio.TaskGroup() as tasks:
        for _ in range(callers):
            tasks.create_task(call())
    return {"begun": begun, "ended": time.monotonic()}


async def serve(folder: Path, port: int) -> None:
    orders: asyncio.Queue[str] = asyncio.Queue()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _read_orders(orders.put_nowait))
    async with running(Settings(port=port, data=folder), kinds={NOTHING.name: NOTHING}) as hub:
        # The first request must not pay for making the API.
        await hub.api.ready()
        _say({"url": hub.settings.local_url})
        while order := await orders.get():
            match order.split():
                case ["usage"]:
                    _say(usage())
                case ["online"]:
                    _say({"online": len(hub.engine.connected())})
                case ["enqueue", count, callers]:
                    _say(await enqueue(hub, int(count), int(callers)))
                case _:
                    _say({"error": f"no such order: {order}"})


def _read_orders(put: Callable[[str], None]) -> Callable[[], None]:
    def read() -> None:
        # One order at a time: whoever gives them waits for each answer. None: the pipe is closed.
        put(os.read(sys.stdin.fileno(), 4096).decode().strip())

    return read


def _say(told: Mapping[str, float | str]) -> None:
    print(json.dumps(told), flush=True)


def main() -> None:
    folder, port = sys.argv[1:]
    configure(json_lines=True)
    spare_collector()  # as `deskhand-hub serve` does
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(Path(folder), int(port)))


if __name__ == "__main__":
    main()
