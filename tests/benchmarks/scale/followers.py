"""Many readers of server-sent events in one program, each on a connection of its own.

    python -m tests.benchmarks.scale.followers PORT WANTED_FILE

The file is a JSON list of [path, headers] pairs, one a stream. A delay runs from the moment that an
event names as its own (`at`), or that progress carries as `done`, to its arrival here. Orders:

    count   how many events have arrived since the last "tell"
    tell    all that is known of them: streams open, events, their delays
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import uvloop

from tests.benchmarks.scale.orders import read_orders, say
from tests.benchmarks.scale.world import percentile

AT, DONE = b'"at":"', b'"done": '


class Heard:
    """What all of them have heard."""

    def __init__(self) -> None:
        self.streams = self.other = 0
        self.delays_ms: list[float] = []
        self.bytes = 0
        self.last_at = 0.0

    def note(self, line: bytes) -> None:
        now = time.time()
        if (place := line.find(AT)) >= 0:
            begin = place + len(AT)
            told = datetime.fromisoformat(line[begin : line.index(b'"', begin)].decode())
            at = told.timestamp()
        elif (place := line.find(DONE)) >= 0:
            at = float(line[place + len(DONE) :].partition(b",")[0])
        else:
            self.other += 1
            return
        self.delays_ms.append((now - at) * 1e3)
        self.bytes += len(line)
        self.last_at = now

    def told(self) -> dict[str, float]:
        delays, self.delays_ms = self.delays_ms, []
        size, self.bytes = self.bytes, 0
        return {
            "streams": self.streams,
            "events": len(delays),
            "other": self.other,
            "bytes_mean": size / max(1, len(delays)),
            "p50_ms": percentile(delays, 0.5),
            "p99_ms": percentile(delays, 0.99),
            "last_at": self.last_at,
            "cpu_seconds": time.process_time(),
        }


class Follower(asyncio.Protocol):
    def __init__(self, request: bytes, heard: Heard) -> None:
        self._request, self._heard = request, heard
        self._rest = b""
        self._is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self._is_open:
            assert data.startswith(b"HTTP/1.1 200"), data[:300]
            self._is_open = True
            self._heard.streams += 1
        # Chunks of the body end where notes end, so that their sizes are lines of their own.
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data: "):
                self._heard.note(line)

    def connection_lost(self, error: Exception | None) -> None:
        self._heard.streams -= 1


async def follow(port: int, wanted: list[tuple[str, dict[str, str]]]) -> None:
    heard, loop = Heard(), asyncio.get_running_loop()
    loop.set_exception_handler(_stop)
    for path, headers in wanted:
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Accept: text/event-stream"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        request = "\r\n".join([*lines, "", ""]).encode()
        await loop.create_connection(lambda r=request: Follower(r, heard), "127.0.0.1", port)  # type: ignore[misc]
    orders = read_orders()
    while heard.streams < len(wanted):
        await asyncio.sleep(0.01)
    say({"is_up": True})
    while order := await orders.get():
        say({"events": len(heard.delays_ms)} if order == "count" else heard.told())


def _stop(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A stream that is not what it should be ends the program."""
    loop.default_exception_handler(context)
    loop.stop()


def main() -> None:
    port, file = sys.argv[1:]
    uvloop.run(follow(int(port), json.loads(Path(file).read_text())))


if __name__ == "__main__":
    main()
