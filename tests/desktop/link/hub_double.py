"""A small hub for tests: a real WebSocket server around `shared.protocol.HubEnd`.

It is honest unless told otherwise: `say_raw` and `say` send anything at any time.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from http import HTTPStatus

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from shared.environment import Environment
from shared.events import Event, EventBody, body_of, write_event
from shared.messages import FromHub, FromWorker, Hello, Numbered, Push, Verdict
from shared.protocol import HubEnd
from shared.protocol.frames import encode

BOUND_SECONDS = 10.0
LOOK_SECONDS = 0.05


class HubDouble:
    """One worker at a time. `heard` holds its messages of all connections, in order."""

    def __init__(self) -> None:
        self.heard: list[FromWorker] = []
        self.events: list[Event] = []
        self.closings: list[int | None] = []
        """The code of each connection that has ended."""
        self.verdicts_for: Callable[[Hello], tuple[Verdict, ...]] = lambda _hello: ()
        self.hub_epoch = "hub-1"
        self.acked_seq: int | None = None
        """What the welcome claims; what was really committed when None."""
        self.is_acking = True
        self.is_welcoming = True
        self.refuses_with: HTTPStatus | None = None
        self.closes_with: int | None = None
        self.end: HubEnd | None = None
        self._socket: ServerConnection | None = None
        self._news = asyncio.Event()
        self._environment = Environment()
        self._hub_seq = 0
        self._log: list[Numbered] = []
        self._server: Server

    @contextlib.asynccontextmanager
    async def serving(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[HubDouble]:
        async with serve(
            self._serve, "127.0.0.1", 0, compression=None, process_request=self._admit, ssl=tls
        ) as server:
            self._server = server
            yield self

    @property
    def port(self) -> int:
        return int(next(iter(self._server.sockets)).getsockname()[1])

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def hellos(self) -> list[Hello]:
        return [message for message in self.heard if isinstance(message, Hello)]

    @property
    def bodies(self) -> list[EventBody]:
        return [body for event in self.events if (body := body_of(event)) is not None]

    def of_type(self, type_: str) -> list[EventBody]:
        return [body for body in self.bodies if body.type == type_]

    async def say(self, message: FromHub) -> None:
        """Send a message, whether the protocol allows it now or not."""
        await self.say_raw(encode(message))

    async def say_raw(self, frame: str | bytes) -> None:
        assert self._socket is not None
        await self._socket.send(frame)

    async def publish(self, body: EventBody) -> int:
        """Send an event of the hub's log; return its number."""
        self._hub_seq += 1
        event = write_event(body, device="hub", epoch=0, seq=self._hub_seq, at=datetime.now(UTC))
        self._log.append(Numbered(hub_seq=self._hub_seq, event=event))
        await self._stream()
        return self._hub_seq

    async def _stream(self) -> None:
        """Send what the worker has not got of the log, as far as the protocol allows it now."""
        end, socket = self.end, self._socket
        if end is None or socket is None or not end.may_send_events:
            return
        due = [entry for entry in self._log if entry.hub_seq > end.sent_hub_seq]
        if due:
            end.send_events(due, due[-1].hub_seq)
        for frame in end.frames_to_send():
            await socket.send(frame)

    async def cut(self) -> None:
        """Cut the line without a goodbye."""
        assert self._socket is not None
        self._socket.transport.abort()

    async def close(self) -> None:
        """End the line in order, and wait until it is."""
        assert self._socket is not None
        await self._socket.close()

    async def until(self, is_so: Callable[[], object]) -> None:
        """Wait until something is so; looked at after each message, and now and then."""
        try:
            async with asyncio.timeout(BOUND_SECONDS):
                while not is_so():
                    self._news.clear()
                    # What the worker does without a word is looked for now and then.
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_SECONDS):
                            await self._news.wait()
        except TimeoutError:
            told = [m.type for m in self.heard], [b.type for b in self.bodies], self.closings
            raise AssertionError(f"waited in vain; heard: {told}") from None

    async def until_event(self, type_: str, *, count: int = 1) -> EventBody:
        await self.until(lambda: len(self.of_type(type_)) >= count)
        return self.of_type(type_)[count - 1]

    def _admit(self, _connection: ServerConnection, request: Request) -> Response | None:
        assert request.headers["Authorization"].startswith("Bearer ")
        if self.refuses_with is None:
            return None
        return _connection.respond(self.refuses_with, "no\n")

    async def _serve(self, socket: ServerConnection) -> None:
        self._socket = socket
        self.end = end = HubEnd(self._environment.monotonic())
        try:
            if self.closes_with is not None:
                await socket.close(self.closes_with)
            async for frame in socket:
                message = end.receive(frame, self._environment.monotonic())
                if message is not None:
                    self._note(message, end)
                for out in end.frames_to_send():
                    await socket.send(out)
                await self._stream()
        except ConnectionClosed:
            pass
        finally:
            self.closings.append(socket.close_code)
            self._news.set()

    def _note(self, message: FromWorker, end: HubEnd) -> None:
        self.heard.append(message)
        if isinstance(message, Hello) and self.is_welcoming:
            committed = [e.seq for e in self.events if e.epoch == message.epoch]
            acked = max(committed, default=0) if self.acked_seq is None else self.acked_seq
            end.welcome(
                hub_epoch=self.hub_epoch,
                acked_seq=acked,
                hub_seq=message.hub_seq if message.hub_epoch == self.hub_epoch else 0,
                time=datetime.now(UTC),
                verdicts=self.verdicts_for(message),
            )
        elif isinstance(message, Push):
            self.events.extend(message.events)
            if self.is_acking:
                end.committed(message.events[-1].seq)
        self._news.set()
