"""Listens on the socket and sends each request where it belongs; nothing else is to be had."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import structlog

from desktop.core.code.agent_profiles import GatewayApi
from desktop.core.code.api_fault import fault_of
from desktop.core.code.model_apis import Action, Route, route_of
from desktop.core.llm.types import Model
from desktop.jobs.code.gateway.line import Line, Request, Room
from desktop.jobs.code.gateway.outside import close
from desktop.jobs.code.gateway.tasks import Tasks
from shared.errors import Unavailable

log = structlog.get_logger(__name__)

CONNECTIONS_MAX = 300
PATH_BYTES_MAX = 100
"""Of a socket; the kernel takes 107, macOS 103."""
SOCKET_NAME = "gateway.sock"
TURN_PATH, ASK_PATH = "/deskhand/turn", "/deskhand/ask"
HOSTS = frozenset({"127.0.0.1", "localhost"})

Answerer = Callable[[Request, Line], Awaitable[None]]
Passer = Callable[[Route, Request, Line], Awaitable[None]]


class Serving:
    """What is to be had at the gateway."""

    def __init__(
        self,
        model: Model,
        *,
        turn: Answerer,
        ask: Answerer,
        tunnel: Answerer,
        passing: Passer,
        token: str = "",
    ) -> None:
        """Listen nowhere yet.

        Args:
            model: the one that is listed.
            turn: answers turns of the built-in agent.
            ask: answers questions for the person.
            tunnel: answers CONNECT.
            passing: answers requests to the model's APIs.
            token: what callers have to show; empty where only the box reaches the socket.
        """
        self._model = model
        self._own = {("POST", TURN_PATH): turn, ("POST", ASK_PATH): ask}
        self._tunnel = tunnel
        self._passing = passing
        self._room = Room()
        self._connections = 0
        self._token = token

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        try:
            if self._connections < CONNECTIONS_MAX:
                self._connections += 1
                try:
                    await Line(reader, writer, self._room).serve(self.answer)
                finally:
                    self._connections -= 1
        finally:
            await close(writer)

    async def answer(self, request: Request, line: Line) -> None:
        """Answer one request."""
        if self._token and not _shows(request, self._token):
            await line.reply(
                401, _error("token_missing", "This gateway belongs to another program.")
            )
        elif request.method == "CONNECT" and request.target.partition(":")[0] in HOSTS:
            await self._serve_inside(line)
        elif request.method == "CONNECT":
            await self._tunnel(request, line)
        elif _host(request) not in HOSTS:
            await line.reply(
                403, _error("host_refused", "Only this machine's own names are served.")
            )
        elif own := self._own.get((request.method, request.target)):
            await own(request, line)
        elif route := route_of(request.method, request.target):
            await self._model_api(route, request, line)
        elif request.method in ("GET", "HEAD") and request.target == "/":
            await line.reply(200, b"" if request.method == "HEAD" else b"{}")
        else:
            await line.reply(404, _no_path(request))

    async def _serve_inside(self, line: Line) -> None:
        """Serve a caller that takes us for its proxy on the way to ourselves.

        Not every agent reads NO_PROXY, least of all for an address on its own machine.
        """
        reader, writer, early = await line.switch()
        if not early:
            await Line(reader, writer, self._room).serve(self._answer_inside)

    async def _answer_inside(self, request: Request, line: Line) -> None:
        if request.method == "CONNECT":
            await line.reply(403, _error("host_refused", "There is a tunnel already."))
        else:
            await self.answer(request, line)

    async def _model_api(self, route: Route, request: Request, line: Line) -> None:
        if route.action is Action.MODELS:
            await line.reply(200, _models(route, self._model.name))
        else:
            await self._passing(route, request, line)


def _shows(request: Request, token: str) -> bool:
    """Whether a caller has the token, in whichever way it shows keys."""
    told = [
        request.headers.get(name, "").rpartition(" ")[2]
        for name in ("authorization", "x-api-key", "x-goog-api-key", "x-deskhand-token")
    ]
    told.append(_proxy_password(request.headers.get("proxy-authorization", "")))
    return any(hmac.compare_digest(one.encode(), token.encode()) for one in told)


def _proxy_password(told: str) -> str:
    import base64

    try:
        pair = base64.b64decode(told.rpartition(" ")[2], validate=True).decode()
    except ValueError:
        return ""
    return pair.partition(":")[2]


def _host(request: Request) -> str:
    return request.headers.get("host", "").partition(":")[0].lower()


def _error(code: str, message: str) -> bytes:
    return json.dumps({"error": {"code": code, "type": code, "message": message}}).encode()


def _no_path(request: Request) -> bytes:
    if request.target.startswith("http://"):
        return _error("https_only", "Registries are reached by https alone.")
    api = GatewayApi.MESSAGES if request.target.startswith("/v1/messages") else GatewayApi.CHAT
    return fault_of(api, 404, "path_unknown", "The gateway has no such path.").body


def _models(route: Route, name: str) -> bytes:
    """List the one model that there is; in both shapes that this path has elsewhere."""
    if route.api is GatewayApi.GEMINI:
        verbs = ["generateContent", "countTokens"]
        return json.dumps(
            {"models": [{"name": f"models/{name}", "supportedGenerationMethods": verbs}]}
        ).encode()
    one = {"id": name, "object": "model", "created": 0, "owned_by": "deskhand"}
    one |= {"type": "model", "display_name": name, "created_at": "2026-01-01T00:00:00Z"}
    told = {"object": "list", "data": [one], "has_more": False, "first_id": name, "last_id": name}
    return json.dumps(told).encode()


def make_token() -> str:
    return f"deskhand-{secrets.token_urlsafe(24)}"


@contextlib.contextmanager
def socket_path(folder: Path) -> Iterator[Path]:
    """Give a place for the socket that only this user reaches, and leave nothing there."""
    own = folder / "gateway"
    if len(bytes(own / SOCKET_NAME)) > PATH_BYTES_MAX:
        own = Path(tempfile.mkdtemp(prefix="deskhand-"))
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    own.chmod(0o700)
    place = own / SOCKET_NAME
    try:
        place.unlink(missing_ok=True)
        yield place
    finally:
        shutil.rmtree(own, ignore_errors=True)


@contextlib.asynccontextmanager
async def listening(path: Path, serving: Serving, tasks: Tasks) -> AsyncIterator[None]:
    """Take connections at a path; they end with it.

    Raises:
        Unavailable: `gateway_unsupported`.
    """
    if sys.platform == "win32":
        raise Unavailable(
            "gateway_unsupported",
            "Coding jobs need unix sockets, which Python does not have on Windows.",
            "Run this worker in WSL, or give the job to one on Linux or macOS.",
        )
    served: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = tasks.create_task(_kept(serving, reader, writer))
        served.add(task)
        task.add_done_callback(served.discard)

    server = await asyncio.start_unix_server(connected, path, backlog=CONNECTIONS_MAX)
    try:
        yield
    finally:
        server.close()
        for task in served:
            task.cancel()


async def _kept(
    serving: Serving, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Let a fault of one connection end that one alone; it is told to whoever mends it."""
    try:
        await serving.connected(reader, writer)
    except Exception:
        log.exception("a connection of the box broke")
