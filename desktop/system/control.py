"""The control line: how another program of the same person talks to the one that runs a profile.

One JSON line there and one or more back, over loopback TCP, which all systems have. The port and
a token stand in a file that its owner alone can read; who cannot read it is not let in.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from shared.errors import AppError, BadInput, ErrorBody, NotAllowed, NotFound, Unavailable
from shared.kinds import JsonObject

log = structlog.get_logger(__name__)

LINE_BYTES_MAX = 256 * 1024
HEAR_SECONDS = 5.0
"""How long somebody who connected may take to say what they want."""
ANSWER_SECONDS = 30.0
CONNECTIONS_MAX = 20
Handler = Callable[[JsonObject], Awaitable[JsonObject]]


class _Place(BaseModel):
    """What the file holds."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    port: int = Field(gt=0, lt=65536)
    token: str = Field(min_length=32, max_length=200)


class _Order(BaseModel):
    """What is sent: one line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: str
    do: str = Field(max_length=40)
    arguments: dict[str, JsonValue] = Field(default_factory=dict)


class ControlLine:
    """The side of the program that runs. Use `serving` around its life."""

    def __init__(self, path: Path, handlers: Mapping[str, Handler]) -> None:
        self._path = path
        self._handlers = handlers
        self._token = secrets.token_urlsafe(32)
        self._open = 0

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen inside the block, and leave no file behind."""
        server = await asyncio.start_server(
            self._answer, "127.0.0.1", 0, limit=LINE_BYTES_MAX, backlog=CONNECTIONS_MAX
        )
        self._write(server.sockets[0].getsockname()[1])
        try:
            yield
        finally:
            self._path.unlink(missing_ok=True)
            server.close()

    def _write(self, port: int) -> None:
        """Put the file there whole, readable by its owner alone from its first byte on."""
        aside = self._path.with_suffix(".new")
        aside.unlink(missing_ok=True)
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(_Place(port=port, token=self._token).model_dump_json())
        aside.replace(self._path)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            reply = await self._reply(reader)
            writer.write(json.dumps(reply).encode() + b"\n")
            await asyncio.wait_for(writer.drain(), HEAR_SECONDS)
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            pass  # whoever that was has gone, or said what is no line
        finally:
            self._open -= 1
            writer.close()

    async def _reply(self, reader: asyncio.StreamReader) -> dict[str, JsonValue]:
        try:
            if self._open > CONNECTIONS_MAX:
                raise Unavailable("control_busy", "Too many programs ask at once.", "Try again.")
            line = await asyncio.wait_for(reader.readuntil(b"\n"), HEAR_SECONDS)
            order = self._read(line)
            return {"ok": await self._handlers[order.do](order.arguments)}
        except AppError as error:
            return {"error": error.body.model_dump(mode="json")}

    def _read(self, line: bytes) -> _Order:
        try:
            order = _Order.model_validate_json(line)
        except ValidationError:
            raise BadInput("control_invalid", "That is no order of Deskhand's.") from None
        if not hmac.compare_digest(order.token.encode(), self._token.encode()):
            raise NotAllowed("control_refused", "The token is not this program's.")
        if order.do not in self._handlers:
            raise NotFound(
                "control_unknown",
                f"The program that runs does not know '{order.do}'.",
                "It is of another version; quit it and start it again.",
            )
        return order


def is_running(path: Path) -> bool:
    """Say whether a program with a control line runs; a file left behind does not count."""
    try:
        call(path, "ping", {}, seconds=2.0)
    except AppError as error:
        return error.code == "control_unknown"
    return True


def call(
    path: Path, do: str, arguments: JsonObject, *, seconds: float = ANSWER_SECONDS
) -> JsonObject:
    """Tell the running program to do something; return its answer.

    Args:
        path: the profile's control file.
        do: what; the handlers' table is in `desktop.desk.control_desk`.
        arguments: as the handler takes them.
        seconds: how long to wait for the answer.

    Raises:
        Unavailable: `not_running`.
        AppError: as the running program tells it.
    """
    try:
        place = _Place.model_validate_json(path.read_text(encoding="utf-8"))
        order = _Order(token=place.token, do=do, arguments=arguments)
        with socket.create_connection(("127.0.0.1", place.port), timeout=seconds) as line:
            line.sendall(order.model_dump_json().encode() + b"\n")
            with line.makefile("rb") as file:
                told = json.loads(file.readline(LINE_BYTES_MAX))
    except (OSError, ValueError) as error:
        raise Unavailable(
            "not_running",
            "Deskhand does not run on this computer now.",
            "Start it with: deskhand, or deskhand --headless",
        ) from error
    if "error" in told:
        raise AppError.from_body(ErrorBody.model_validate(told["error"]))
    answer: JsonObject = told["ok"]
    return answer
