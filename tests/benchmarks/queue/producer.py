"""Who asks for jobs, by REST with a key: a program of its own.

    python -m tests.benchmarks.queue.producer URL KEY

An order a line, "COUNT CALLERS GAP_SECONDS": callers share COUNT requests; each has a connection
that is kept, and sends its next request once the last was answered (and GAP_SECONDS have passed).
The answer says from when to when, and how long an acknowledgement took.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from urllib.parse import urlsplit

from tests.benchmarks.queue.nothing import NOTHING

CREATED = 201


class Line:
    """A connection that is kept. HTTP/1.1 by hand: the producer shares the machine with the hub."""

    def __init__(self, url: str, key: str) -> None:
        where = urlsplit(url)
        self._host, self._port = where.hostname or "", where.port or 80
        self._head = (
            f"POST /api/v1/tasks HTTP/1.1\r\nHost: {where.netloc}\r\n"
            f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        )
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._was_used = False

    async def open(self) -> None:
        """Make sure that it is open: a server closes what has been silent for some seconds."""
        if self._streams is None or self._streams[0].at_eof():
            self.close()
            self._streams = await asyncio.open_connection(self._host, self._port)

    async def enqueue(self) -> None:
        """Ask for one job; return once the hub has answered that it is durable.

        Raises:
            ValueError: the hub answered anything else.
        """
        asked_at = time.monotonic()
        try:
            await self._ask(asked_at)
        except (asyncio.IncompleteReadError, ConnectionError):
            if not self._was_used:
                raise
            # It was silent, and the server closed it while the request was on its way.
            self.close()
            await self._ask(asked_at)

    async def _ask(self, asked_at: float) -> None:
        await self.open()
        assert self._streams is not None
        reader, writer = self._streams
        body = json.dumps(
            {"kind": NOTHING.name, "title": "nothing", "inputs": {"asked_at": asked_at}}
        )
        writer.write(f"{self._head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        answer = await reader.readexactly(_length(head))
        if int(head.split(b" ", 2)[1]) != CREATED:
            raise ValueError(answer.decode())
        self._was_used = True

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
        self._streams, self._was_used = None, False


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise ValueError("the hub did not say how long its answer is")


async def enqueue(
    lines: list[Line], count: int, callers: int, gap_seconds: float
) -> dict[str, float]:
    left = iter(range(count))
    waits: list[float] = []

    async def call(line: Line) -> None:
        for _ in left:
            begun = time.monotonic()
            await line.enqueue()
            waits.append(time.monotonic() - begun)
            if gap_seconds:
                await asyncio.sleep(gap_seconds)

    begun = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for line in lines[:callers]:
            tasks.create_task(call(line))
    waits.sort()
    return {
        "begun": begun,
        "ended": time.monotonic(),
        "ack_p50_ms": waits[len(waits) // 2] * 1e3,
        "ack_p99_ms": waits[int(len(waits) * 0.99)] * 1e3,
    }


async def serve(url: str, key: str) -> None:
    lines: list[Line] = []
    while order := await asyncio.to_thread(sys.stdin.readline):
        count, callers, gap_seconds = order.split()
        while len(lines) < int(callers):
            lines.append(Line(url, key))
        for line in lines[: int(callers)]:
            await line.open()
        print(
            json.dumps(await enqueue(lines, int(count), int(callers), float(gap_seconds))),
            flush=True,
        )
    for line in lines:
        line.close()


def main() -> None:
    import uvloop

    url, key = sys.argv[1:]
    uvloop.run(serve(url, key))


if __name__ == "__main__":
    main()
