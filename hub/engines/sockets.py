"""Carries jobs to workers over their own WebSockets: a bare ASGI route, and an Engine.

The token is checked before the socket is accepted, and so before any frame is read. A second
connection of a worker takes the place of the first.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog

from hub.core.access import Access, machine_of
from hub.core.line_counts import LineCounts
from hub.engines.connection import Connection
from hub.engines.stretches import Stretches
from hub.services import Services
from shared.environment import Environment
from shared.errors import AppError, Conflict, LimitReached, NotAllowed, Unavailable
from shared.ids import WorkerId
from shared.messages import Cancel, EpochBefore, Grant, Offer
from shared.protocol import Beats

log = structlog.get_logger()

Scopes = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

CONNECTIONS_MAX = 20_000
TICK_SECONDS = 1.0
"""How often beats and silences are looked at."""
DRAIN_SECONDS = 5.0


class SocketEngine:
    """Its `__call__` is the ASGI application of the worker socket."""

    name = "sockets"

    def __init__(
        self,
        services: Services,
        *,
        hub_epoch: str,
        environment: Environment,
        lineage: tuple[EpochBefore, ...] = (),
        beats: Beats | None = None,
    ) -> None:
        self._services = services
        self._stretches = Stretches(services.feed)
        self._beats = beats or Beats()
        self._hub_epoch = hub_epoch
        self._lineage = lineage
        self._environment = environment
        self._connections: dict[WorkerId, Connection] = {}
        """By worker, from its hello on."""
        self._all: dict[Connection, None] = {}
        """In the order of their coming, so that the same days go the same way."""
        self._is_closing = False
        self.counts = LineCounts()
        self._came: set[WorkerId] = set()
        """Since the hub's start."""
        services.registry.revocation_listeners.append(self.drop)
        # A machine that was set up anew has a new token; whatever holds the old one is over.
        services.pairing.token_listeners.append(self.drop)

    def connected(self) -> frozenset[WorkerId]:
        return frozenset(w for w, connection in self._connections.items() if connection.is_open)

    def send(self, worker_id: WorkerId, message: Offer | Grant | Cancel) -> bool:
        connection = self._connections.get(worker_id)
        if connection is None or not connection.is_open:
            return False
        connection.send(message)
        return True

    def lags(self) -> list[int]:
        """How many positions of the log each worker that is here has not seen yet."""
        position = self._services.feed.position()
        return [position - c.end.seen_hub_seq for c in self._connections.values() if c.is_open]

    def drop(self, worker_id: WorkerId) -> None:
        """End a worker's connection: it was shown out."""
        connection = self._connections.get(worker_id)
        if connection is not None:
            connection.close(
                NotAllowed(
                    "worker_revoked",
                    "This computer was disconnected from the hub.",
                    "Pair it again to use it.",
                )
            )

    async def run(self) -> None:
        """Look after beats and silences until cancelled."""
        while True:
            self.run_once()
            await asyncio.sleep(TICK_SECONDS)

    def run_once(self) -> None:
        now = self._environment.monotonic()
        has_room = self._services.recorder.trouble is None
        for connection in list(self._all):
            if connection.is_starved and has_room:
                connection.feed()
            if now >= connection.end.deadline:
                connection.poll(now)

    async def drain(self) -> None:
        """Take no new connection and say goodbye to all; grants stay with their workers."""
        self._is_closing = True
        for connection in list(self._all):
            connection.close(None)
        waited = 0.0
        while self._all and waited < DRAIN_SECONDS:
            await asyncio.sleep(0.02)
            waited += 0.02

    async def __call__(self, scope: Scopes, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await _answer_plainly(send)
            return
        wire = AsgiWire(receive, send)
        await receive()
        try:
            access = await self._admit(scope)
        except AppError as error:
            self.counts.turned_away += 1
            await wire.refuse(error)
            return
        await send({"type": "websocket.accept"})
        scope.clear()  # nothing looks at it again, and it would be kept to the end
        await self._serve(wire, access)

    async def _admit(self, scope: Scopes) -> Access:
        if self._is_closing or len(self._all) >= CONNECTIONS_MAX:
            raise Unavailable("hub_full", "The hub takes no more connections now.", retryable=True)
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if b"origin" in headers:
            # A worker is no browser: whoever sends an Origin is a web page that tries its luck.
            raise NotAllowed("origin_not_allowed", "Web pages cannot open this socket.")
        access = await self._services.keys.check(headers.get(b"authorization", ""))
        machine_of(access)
        return access

    async def _serve(self, wire: AsgiWire, access: Access) -> None:
        connection = Connection(
            wire,
            access,
            self._services,
            self._stretches,
            hub_epoch=self._hub_epoch,
            lineage=self._lineage,
            environment=self._environment,
            beats=self._beats,
            introduced=self._introduce,
        )
        self._all[connection] = None
        try:
            await connection.run()
        except* Exception:
            log.exception("connection_failed", worker_id=connection.worker_id)
        finally:
            del self._all[connection]
            self.counts.note_end(
                connection.end.close_error,
                was_stopped=connection.was_stopped,
                is_ours=self._is_closing,
            )
            log.info("worker_left", worker_id=connection.worker_id, end=repr(connection.end))
            if self._connections.get(connection.worker_id) is connection:
                del self._connections[connection.worker_id]
                self._services.registry.depart(
                    connection.worker_id,
                    was_silent=connection.was_silent,
                    was_stopped=connection.was_stopped,
                )
                self._services.dispatcher.stir()

    def _introduce(self, connection: Connection) -> None:
        """A worker has said who it is: its older connection, if any, is over."""
        before = self._connections.get(connection.worker_id)
        if before is not None:
            before.close(
                Conflict(
                    "connection_replaced",
                    "This worker has connected again.",
                    "Only one program may run with this token.",
                )
            )
            self._services.registry.depart(connection.worker_id, was_silent=False)
        self._connections[connection.worker_id] = connection
        self.counts.came += 1
        self.counts.came_again += connection.worker_id in self._came
        self._came.add(connection.worker_id)
        log.info("worker_came", worker_id=connection.worker_id)


class AsgiWire:
    """A WebSocket as ASGI servers give it (asgi.readthedocs.io, HTTP & WebSocket 2.5)."""

    __slots__ = ("_is_over", "_receive", "_send")

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._is_over = False

    async def receive(self) -> str | bytes | None:
        event = await self._receive()
        if event["type"] != "websocket.receive":
            self._is_over = True
            return None
        text = event.get("text")
        frame: str | bytes = text if text is not None else event["bytes"]
        return frame

    async def send(self, frame: str) -> None:
        if self._is_over:
            return
        try:
            await self._send({"type": "websocket.send", "text": frame})
        except OSError:
            # The other side is gone; the reader finds out at once.
            self._is_over = True

    async def close(self, code: int) -> None:
        if not self._is_over:
            self._is_over = True
            await self._send({"type": "websocket.close", "code": code})

    async def refuse(self, error: AppError) -> None:
        """Turn the handshake down with an HTTP answer that says why (RFC 9457)."""
        match error:
            case NotAllowed():
                status = 401
            case LimitReached() | Unavailable():
                status = 503
            case _:
                status = 400
        self._is_over = True
        await self._send(_start("websocket.http.response.start", status))
        await self._send(_body("websocket.http.response.body", status, error))


async def _answer_plainly(send: Send) -> None:
    error = NotAllowed(
        "websocket_only", "This address speaks WebSocket.", "It is for the worker program."
    )
    await send(_start("http.response.start", 426))
    await send(_body("http.response.body", 426, error))


def _start(type_: str, status: int) -> dict[str, object]:
    headers = [(b"content-type", b"application/problem+json")]
    return {"type": type_, "status": status, "headers": headers}


def _body(type_: str, status: int, error: AppError) -> dict[str, object]:
    problem = {
        "status": status,
        "title": error.message,
        "code": error.code,
        "hint": error.hint,
    }
    return {"type": type_, "body": json.dumps(problem).encode()}
