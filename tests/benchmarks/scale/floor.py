"""The least that a server of sockets and streams costs: the limit beside the hub.

    python -m tests.benchmarks.scale.floor PORT (uvicorn | websockets)

`uvicorn` is what the hub stands on (uvicorn, websockets-sansio, uvloop, no deflate, one bare ASGI
application), `websockets` that library's own server. Both answer each text of a WebSocket with the
same text. Under uvicorn each text also goes to every open stream of server-sent events (any path),
as does what it is ordered to say. No store, no protocol, nobody has to show who they are. Orders:

    usage                  CPU, how many sockets and streams are open
    say COUNT RATE BYTES   tell all streams so many notes of such a size, at most RATE a second
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any

import uvicorn
import uvloop
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websockets
from websockets.exceptions import ConnectionClosed

from tests.benchmarks.scale.orders import read_orders, say

# Nothing of the product is imported: its modules would stand in the memory of the limit.
FRAME_BYTES_MAX = 256 * 1024
BACKLOG = 1024
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]


class Stream:
    def __init__(self) -> None:
        self.waiting: list[bytes] = []
        self.bell = asyncio.Event()

    def tell(self, note: bytes) -> None:
        self.waiting.append(note)
        self.bell.set()


class Floor:
    def __init__(self) -> None:
        self.sockets = 0
        self.streams: list[Stream] = []

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._echo(receive, send)
        elif scope["type"] == "http":
            await self._stream(send)

    async def _echo(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        self.sockets += 1
        try:
            while (event := await receive())["type"] == "websocket.receive":
                self.tell("progress", event["text"])
                await send({"type": "websocket.send", "text": event["text"]})
        finally:
            self.sockets -= 1

    async def echo(self, socket: ServerConnection) -> None:
        """As the other, for the server of `websockets`."""
        self.sockets += 1
        try:
            async for text in socket:
                await socket.send(text)
        except ConnectionClosed:
            pass
        finally:
            self.sockets -= 1

    async def serve_alone(self, port: int) -> None:
        """Serve sockets with the server of `websockets`."""
        limits = {"max_size": FRAME_BYTES_MAX, "backlog": BACKLOG}
        told = {"compression": None, "ping_interval": None, **limits}
        async with serve_websockets(self.echo, "127.0.0.1", port, **told) as server:  # type: ignore[arg-type]
            await server.serve_forever()

    def tell(self, event: str, data: str) -> None:
        if self.streams:
            note = f"event: {event}\ndata: {data}\n\n".encode()
            for stream in self.streams:
                stream.tell(note)

    async def _stream(self, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b": here\n\n", "more_body": True})
        stream = Stream()
        self.streams.append(stream)
        while True:
            await stream.bell.wait()
            stream.bell.clear()
            body, stream.waiting = b"".join(stream.waiting), []
            await send({"type": "http.response.body", "body": body, "more_body": True})

    async def say(self, count: int, rate: float, size_bytes: int) -> None:
        begun = time.monotonic()
        for number in range(count):
            wait = begun + number / rate - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            told = {"at": datetime.now(UTC).isoformat(), "rest": ""}
            told["rest"] = "x" * max(0, size_bytes - len(json.dumps(told)))
            self.tell("note", json.dumps(told, separators=(",", ":")))

    def usage(self) -> dict[str, float]:
        return {
            "cpu_seconds": time.process_time(),
            "connected": self.sockets,
            "streams": len(self.streams),
        }


async def serve(port: int, server: str) -> None:
    floor = Floor()
    async with asyncio.TaskGroup() as tasks:
        if server == "uvicorn":
            config = uvicorn.Config(
                floor,
                port=port,
                ws="websockets-sansio",
                ws_max_size=FRAME_BYTES_MAX,
                ws_ping_interval=None,
                ws_per_message_deflate=False,
                lifespan="off",
                loop="none",
                log_config=None,
                access_log=False,
                backlog=BACKLOG,
            )
            tasks.create_task(uvicorn.Server(config).serve())
        else:
            tasks.create_task(floor.serve_alone(port))
        orders = read_orders()
        say({"is_up": True})
        while order := await orders.get():
            match order.split():
                case ["usage"]:
                    say(floor.usage())
                case ["say", count, rate, size]:
                    await floor.say(int(count), float(rate), int(size))
                    say({"said": int(count)})
                case _:
                    say({"error": f"no such order: {order}"})
        raise SystemExit("nobody gives orders any more")


def main() -> None:
    port, server = sys.argv[1:]
    uvloop.run(serve(int(port), server))


if __name__ == "__main__":
    main()
