"""The control line of the program that runs: other programs of the same person tell it what to do.

Loopback TCP, because all systems have it; a token in a file of mode 0600, because others have
it, too. What is sent is JSON of a bounded size, read in a bounded time; nothing else is known.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import structlog
from pydantic import JsonValue, ValidationError

from desktop.system.control import LINE_BYTES_MAX, Order, Place
from shared.errors import AppError, BadInput, NotAllowed, NotFound, Unavailable
from shared.kinds import JsonObject

log = structlog.get_logger(__name__)

HEAR_SECONDS = 5.0
"""How long somebody who connected may take to say what they want."""
WORK_SECONDS = 25.0
"""How long an order may take; less than who asked is willing to wait."""
CONNECTIONS_MAX = 20
Handler = Callable[[JsonObject], Awaitable[JsonObject]]


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
            file.write(Place(port=port, token=self._token).model_dump_json())
        aside.replace(self._path)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            reply = await self._reply(reader)
            async with asyncio.timeout(HEAR_SECONDS):
                writer.write(json.dumps(reply).encode() + b"\n")
                await writer.drain()
        except (OSError, TimeoutError, EOFError, asyncio.LimitOverrunError):
            pass  # whoever that was has gone, or said what is no line
        finally:
            self._open -= 1
            writer.close()

    async def _reply(self, reader: asyncio.StreamReader) -> dict[str, JsonValue]:
        try:
            if self._open > CONNECTIONS_MAX:
                raise Unavailable("control_busy", "Too many programs ask at once.", "Try again.")
            async with asyncio.timeout(HEAR_SECONDS):
                line = await reader.readuntil(b"\n")
            return {"ok": await self._carry_out(self._read(line))}
        except AppError as error:
            return {"error": error.body.model_dump(mode="json")}

    async def _carry_out(self, order: Order) -> JsonObject:
        try:
            async with asyncio.timeout(WORK_SECONDS):
                return await self._handlers[order.do](order.arguments)
        except TimeoutError:
            raise Unavailable(
                "control_late",
                f"Deskhand did not get '{order.do}' done within {WORK_SECONDS:.0f} s.",
                "Look whether it happened before you try again.",
            ) from None
        except AppError:
            raise
        except Exception as error:  # who asked is told, and the program goes on
            log.exception("an order could not be carried out", do=order.do)
            raise AppError(
                "control_fault",
                f"Deskhand met a fault of its own with '{order.do}' ({type(error).__name__}).",
                "Its log says more; please report it.",
            ) from error

    def _read(self, line: bytes) -> Order:
        try:
            order = Order.model_validate_json(line)
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
