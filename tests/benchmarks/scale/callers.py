"""Plain sockets that talk to `scale.floor` as idle workers do to a hub: the same frames, no more.

    python -m tests.benchmarks.scale.callers WS_URL BEAT_SECONDS

Orders, one a line, each answered with a line of JSON once it is done:

    open COUNT              so many more; each sends a worker's hello, then a beat now and then
    progress RATE SECONDS   one of them tells such progress as a worker does
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import uvloop
from websockets.asyncio.client import ClientConnection, connect

from shared.capabilities import Capability
from shared.ids import WorkerId
from shared.messages import Beat, Hello
from shared.protocol import FRAME_BYTES_MAX
from shared.protocol.frames import encode
from tests.benchmarks.scale.orders import read_orders, say
from tests.benchmarks.scale.workers import METRICS, OPEN_SECONDS, OPENING_MAX, SLOTS

HELLO = encode(
    Hello(
        device=WorkerId("0" * 32),
        epoch=1,
        name="bench",
        capabilities=(Capability(kind="bench.nothing"), Capability(kind="bench.once")),
        slots=SLOTS,
        outbox_seq=0,
        hub_seq=0,
    )
)
BEAT = encode(Beat(slots=SLOTS, metrics=METRICS))


class Callers:
    def __init__(self, url: str, beat_seconds: float) -> None:
        self._url, self._beat_seconds = url, beat_seconds
        self._opening = asyncio.Semaphore(OPENING_MAX)
        self._opened: list[ClientConnection] = []

    async def open(self, count: int, tasks: asyncio.TaskGroup) -> float:
        """Open so many more; return the seconds it took."""
        begun, wanted = time.monotonic(), len(self._opened) + count
        done = asyncio.Event()
        for _ in range(count):
            tasks.create_task(self._call(wanted, done))
        await done.wait()
        return time.monotonic() - begun

    async def _call(self, wanted: int, done: asyncio.Event) -> None:
        async with self._opening:
            socket = await connect(
                self._url,
                compression=None,
                max_size=FRAME_BYTES_MAX,
                ping_interval=None,
                open_timeout=OPEN_SECONDS,
            )
            await socket.send(HELLO)
            await socket.recv()
        self._opened.append(socket)
        if len(self._opened) == wanted:
            done.set()
        if self._beat_seconds:
            while True:
                await asyncio.sleep(self._beat_seconds)
                await socket.send(BEAT)
                await socket.recv()

    async def progress(self, rate: float, seconds: float) -> int:
        """Tell as `LightWorker.tell_progress` does, in the words of the pages' stream."""
        socket = self._opened[0]
        begun, count = time.monotonic(), int(rate * seconds)
        for number in range(count):
            wait = begun + number / rate - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            told = {"job": "0" * 32, "says": "", "done": time.time(), "total": 0}
            await socket.send(json.dumps(told))
            await socket.recv()
        return count


async def serve(url: str, beat_seconds: float) -> None:
    callers, orders = Callers(url, beat_seconds), read_orders()
    async with asyncio.TaskGroup() as tasks:
        while order := await orders.get():
            match order.split():
                case ["open", count]:
                    say({"seconds": await callers.open(int(count), tasks)})
                case ["progress", rate, seconds]:
                    say({"sent": await callers.progress(float(rate), float(seconds))})
                case _:
                    say({"error": f"no such order: {order}"})
        raise SystemExit("nobody gives orders any more")


def main() -> None:
    url, beat_seconds = sys.argv[1:]
    uvloop.run(serve(url, float(beat_seconds)))


if __name__ == "__main__":
    main()
