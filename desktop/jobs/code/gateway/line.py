"""One connection of the box: requests read within bounds, answers written as they come.

h11 holds to HTTP/1.1; what is passed on is always written anew from what was understood, so nothing
can be smuggled past it. An answer is given up when whoever asked hangs up.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import h11

HEAD_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX = 64 * 1024 * 1024
BODIES_BYTES_MAX = 256 * 1024 * 1024
"""Of all requests that are being read or answered at a time."""
BODY_SECONDS = 120.0
CHUNK_BYTES = 64 * 1024


class TooMuch(Exception):
    """A request is larger than may be."""


class Gone(Exception):
    """Whoever asked has hung up."""


class Room:
    """What all connections together hold in memory."""

    def __init__(self, bytes_max: int = BODIES_BYTES_MAX) -> None:
        self._left = bytes_max

    def take(self, count: int) -> None:
        """Take room. Raises TooMuch."""
        if count > self._left:
            raise TooMuch
        self._left -= count

    def give_back(self, count: int) -> None:
        self._left += count


@dataclass(frozen=True, slots=False)
class Request:
    """What was asked."""

    method: str
    target: str
    pairs: tuple[tuple[str, str], ...]
    """Headers, with small names."""
    body: bytes = b""

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """The first of each name."""
        return dict(reversed(self.pairs))


Answer = Callable[[Request, "Line"], Awaitable[None]]


class Line:
    """The connection, as whoever answers sees it."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, room: Room
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._room = room
        self._held = 0
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES_MAX)
        self.has_begun = False
        """An answer has begun: no other can be given."""

    async def serve(self, answer: Answer) -> None:
        """Answer requests until one side is done."""
        try:
            while await self._turn(answer):
                pass
        except (h11.RemoteProtocolError, TooMuch) as error:
            status = 413 if isinstance(error, TooMuch) else error.error_status_hint
            await self._refuse(status)
        except (Gone, ConnectionError, TimeoutError):
            return
        finally:
            self._let_go()

    async def reply(
        self,
        status: int,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        reason: str = "",
    ) -> None:
        """Give a whole answer; `reason` stands beside the status, plain ASCII."""
        told = {"content-type": "application/json"} | dict(headers or {})
        await self._begin(status, told | {"content-length": str(len(body))}, reason)
        await self.send(body)
        await self.end()

    async def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Begin an answer that comes in pieces."""
        await self._begin(status, headers)

    async def send(self, piece: bytes) -> None:
        """Give one piece; it leaves at once."""
        if piece:
            await self._write(h11.Data(data=piece))

    async def end(self) -> None:
        await self._write(h11.EndOfMessage())

    async def switch(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
        """Agree to a tunnel: return both directions, and what has come for it already."""
        self.has_begun = True
        await self._write(h11.Response(status_code=200, headers=[], reason=b"Established"))
        early, _ = self._http.trailing_data
        return self._reader, self._writer, bytes(early)

    async def _turn(self, answer: Answer) -> bool:
        """Answer one request; return whether another may come."""
        self.has_begun = False
        head = await self._head()
        if head is None:
            return False
        body = await self._body()
        pairs = tuple((name.decode(), value.decode("latin-1")) for name, value in head.headers)
        request = Request(head.method.decode(), head.target.decode("latin-1"), pairs, body)
        if request.method == "CONNECT":
            await answer(request, self)
            return False
        if not await self._answer(request, answer):
            return False
        self._let_go()
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    async def _answer(self, request: Request, answer: Answer) -> bool:
        """Have it answered; return whether whoever asked was there to the end."""
        is_there = True
        try:
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(self._watch())
                await answer(request, self)
                watching.cancel()
        except* (Gone, ConnectionError):
            is_there = False
        return is_there

    async def _head(self) -> h11.Request | None:
        event = await self._next()
        return event if isinstance(event, h11.Request) else None

    async def _body(self) -> bytes:
        parts = bytearray()
        async with asyncio.timeout(BODY_SECONDS):
            if self._http.they_are_waiting_for_100_continue:
                await self._write(h11.InformationalResponse(status_code=100, headers=[]))
            while isinstance(event := await self._next(), h11.Data):
                self._room.take(len(event.data))
                self._held += len(event.data)
                parts += event.data
                if len(parts) > BODY_BYTES_MAX:
                    raise TooMuch
        if isinstance(event, h11.ConnectionClosed):
            raise Gone
        return bytes(parts)

    async def _next(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._reader.read(CHUNK_BYTES))
        return event

    async def _watch(self) -> None:
        part = await self._reader.read(CHUNK_BYTES)
        if not part:
            raise Gone
        self._http.receive_data(part)  # the next request, early; it waits its turn

    async def _begin(self, status: int, headers: Mapping[str, str], reason: str = "") -> None:
        assert not self.has_begun
        self.has_begun = True
        told = list(headers.items())
        await self._write(h11.Response(status_code=status, headers=told, reason=reason))

    async def _write(self, event: h11.Event) -> None:
        self._writer.write(self._http.send(event) or b"")
        await self._writer.drain()

    async def _refuse(self, status: int) -> None:
        """Say that a request was not understood, if that can still be said."""
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        with contextlib.suppress(h11.LocalProtocolError, ConnectionError):
            await self.reply(status, b"", {"connection": "close"})

    def _let_go(self) -> None:
        self._room.give_back(self._held)
        self._held = 0
