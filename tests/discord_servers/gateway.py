"""The fake's gateway: hello, identify, heartbeats, dispatches, resume; zlib-stream where asked for.

Source: discord.com/developers/docs/events/gateway.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from tests.discord_servers.state import Json, State, snowflake

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, RESUME, RECONNECT = 0, 1, 2, 3, 6, 7
INVALID_SESSION, HELLO, HEARTBEAT_ACK = 9, 10, 11
PRIVILEGED = (1 << 1) | (1 << 8) | (1 << 15)
GUILDS = 1 << 0
GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1 << 9, 1 << 12, 1 << 15


class Wire:
    """One connection."""

    def __init__(self, socket: web.WebSocketResponse, *, is_compressed: bool) -> None:
        self.socket = socket
        self._deflate = zlib.compressobj() if is_compressed else None

    async def send(self, payload: Json) -> None:
        told = json.dumps(payload)
        with contextlib.suppress(ConnectionError):
            if self._deflate is None:
                await self.socket.send_str(told)
                return
            data = self._deflate.compress(told.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
            await self.socket.send_bytes(data)

    async def close(self, code: int, why: str) -> None:
        await self.socket.close(code=code, message=why.encode())

    def cut(self) -> None:
        """Break the connection without a word."""
        transport = self.socket._req.transport if self.socket._req else None
        if transport is not None:
            transport.abort()


@dataclass(slots=True)
class Session:
    session_id: str
    intents: int
    sent: list[Json] = field(default_factory=list)
    wire: Wire | None = None

    @property
    def seq(self) -> int:
        return len(self.sent)


class Gateway:
    """All sessions; one bot has one."""

    def __init__(self, state: State, token: str, ring: Callable[[], None]) -> None:
        self.state = state
        self.heartbeat_seconds = 41.25
        self.beats: list[int | None] = []
        self.identified: list[Json] = []
        self.resumed: list[Json] = []
        self.connections = 0
        self.closes_with = 0
        """A code with which the next identification is refused."""
        self.is_deaf = False
        """Heartbeats are not acknowledged."""
        self.is_down = False
        self.url = ""
        self._token = token
        self._ring = ring
        self._sessions: dict[str, Session] = {}

    @property
    def session(self) -> Session | None:
        """The newest."""
        return next(reversed(self._sessions.values()), None)

    @property
    def is_connected(self) -> bool:
        return self.session is not None and self.session.wire is not None

    async def dispatch(self, name: str, data: Json, *, twice: bool = False) -> None:
        """Tell an event; what a session misses it gets when it resumes."""
        session = self.session
        if session is None:
            return
        for _ in range(2 if twice else 1):
            payload = {"op": DISPATCH, "t": name, "s": session.seq + 1, "d": data}
            session.sent.append(payload)
            if session.wire is not None:
                await session.wire.send(payload)
        self._ring()

    async def drop(self, *, code: int = 0) -> None:
        """Break the connection, silently or with a code."""
        session = self.session
        if session is None or session.wire is None:
            return
        wire, session.wire = session.wire, None
        if code:
            await wire.close(code, "closed by the test")
        else:
            wire.cut()

    async def ask_to_reconnect(self) -> None:
        session = self.session
        assert session is not None
        assert session.wire is not None
        await session.wire.send({"op": RECONNECT, "d": None})

    def forget(self) -> None:
        """No session can be resumed."""
        self._sessions.clear()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Speak with one bot until it leaves."""
        socket = web.WebSocketResponse()
        if self.is_down:
            raise web.HTTPServiceUnavailable
        assert request.query.get("v") == "10", "the version of the API has to be named"
        assert request.query.get("encoding") == "json"
        await socket.prepare(request)
        self.connections += 1
        wire = Wire(socket, is_compressed=request.query.get("compress") == "zlib-stream")
        interval = int(self.heartbeat_seconds * 1000)
        await wire.send({"op": HELLO, "d": {"heartbeat_interval": interval}})
        session: Session | None = None
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            async for message in socket:
                if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    break
                session = await self._take(wire, session, json.loads(message.data))
                self._ring()
        if session is not None and session.wire is wire:
            session.wire = None
        self._ring()
        return socket

    async def _take(self, wire: Wire, session: Session | None, told: Json) -> Session | None:
        match told["op"]:
            case 1:
                self.beats.append(told["d"])
                if not self.is_deaf:
                    await wire.send({"op": HEARTBEAT_ACK, "d": None})
            case 2:
                return await self._identify(wire, told["d"])
            case 6:
                return await self._resume(wire, told["d"])
            case 3:
                pass
            case unknown:
                await wire.close(4001, f"unknown opcode {unknown}")
        return session

    async def _identify(self, wire: Wire, told: Json) -> Session | None:
        self.identified.append(told)
        if told["token"].removeprefix("Bot ") != self._token:
            await wire.close(4004, "Authentication failed.")
            return None
        if self.closes_with or told["intents"] & PRIVILEGED:
            await wire.close(self.closes_with or 4014, "Disallowed intent(s).")
            return None
        session = Session(f"session-{snowflake()}", told["intents"], wire=wire)
        self._sessions[session.session_id] = session
        servers = [{"id": str(self.state.server_id), "unavailable": True}]
        await self.dispatch(
            "READY",
            {
                "v": 10,
                "user": self.state.bot.payload() | {"mfa_enabled": False, "verified": True,
                                                    "flags": 0, "locale": "en-US", "email": None},
                "guilds": servers if self.state.in_server else [],
                "session_id": session.session_id,
                "resume_gateway_url": self.url,
                "shard": told.get("shard", [0, 1]),
                "application": {"id": str(self.state.bot.user_id), "flags": 0},
            },
        )  # fmt: skip
        return session

    async def _resume(self, wire: Wire, told: Json) -> Session | None:
        self.resumed.append(told)
        session = self._sessions.get(told["session_id"])
        if session is None or told["seq"] > session.seq:
            await wire.send({"op": INVALID_SESSION, "d": False})
            return None
        for payload in session.sent[told["seq"] :]:
            await wire.send(payload)
        session.wire = wire
        await self.dispatch("RESUMED", {})
        return session
