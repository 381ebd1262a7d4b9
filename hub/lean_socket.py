"""uvicorn's WebSocket, with less kept for each: most of a hub's sockets say nothing for long.

Request, response and headers are of no use after the handshake, and what waits to be read is one
frame at most, for reading rests until it is taken: five double-ended queues of asyncio's, 750 bytes
each while they are empty, are more than that needs.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class FewEvents:
    """What waits to be read: as much of `asyncio.Queue` as uvicorn uses, for one reader."""

    __slots__ = ("_events", "_reader")

    def __init__(self) -> None:
        self._events: list[Any] = []
        self._reader: asyncio.Future[None] | None = None

    def put_nowait(self, event: Any) -> None:
        self._events.append(event)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def get(self) -> Any:
        while not self._events:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return self._events.pop(0)

    def empty(self) -> bool:
        return not self._events


class Gate:
    """Whether there is room to write: as much of `asyncio.Event` as uvicorn uses."""

    __slots__ = ("_is_open", "_waiting")

    def __init__(self) -> None:
        self._is_open = True
        self._waiting: list[asyncio.Future[None]] = []

    def set(self) -> None:
        self._is_open = True
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(None)

    def clear(self) -> None:
        self._is_open = False

    async def wait(self) -> None:
        if not self._is_open:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter


class LeanSocket(WebSocketsSansIOProtocol):
    """Kept for each connection: what goes on after the handshake."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.queue = FewEvents()  # type: ignore[assignment]
        self.writable = Gate()  # type: ignore[assignment]

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.accept":
            # uvicorn looks at them for its answer and never again; the application has its scope.
            # The parser of `websockets` holds on to the request itself.
            self.request.headers.clear()
            del self.request, self.response
