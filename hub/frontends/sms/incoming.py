"""Takes the messages that the provider brings: an ASGI application for one path.

Whoever cannot sign learns nothing. The answer is empty (TwiML): what the hub has to say is sent as
messages; only what could not be written down is told at once, since nothing is brought twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from starlette.types import Receive, Scope, Send

from hub.frontends.bodies import body_of
from hub.frontends.sms.options import Options, is_number
from hub.frontends.sms.signature import is_signed
from shared.errors import AppError

logger = logging.getLogger(__name__)

BODY_BYTES_MAX = 64_000
BODY_SECONDS = 10.0
FIELDS_MAX = 200
SIGNATURE_HEADER = b"x-twilio-signature"
LATER = "The hub cannot take that in now. Write it again in a minute."


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    number: str
    """Who wrote, as their network says."""
    text: str
    message_id: str
    has_file: bool


Take = Callable[[Message], Awaitable[None]]


class Incoming:
    """The door; it is shut until `take` is set."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.take: Take | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one message."""
        if scope["type"] == "http":
            status, words = await self._taken(scope, receive)
            await _answer(send, status, words)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    async def _taken(self, scope: Scope, receive: Receive) -> tuple[int, str]:
        if scope["method"] != "POST":
            return 405, ""
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await body_of(receive, BODY_BYTES_MAX)
        except TimeoutError:
            return 408, ""
        if body is None:
            return 413, ""
        try:
            fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX)
        except ValueError:
            return 400, ""
        if not self._is_signed(scope, fields):
            return 403, ""
        return await self._heard(dict(fields))

    def _is_signed(self, scope: Scope, fields: list[tuple[str, str]]) -> bool:
        """Check against the address that the provider knows, whatever proxies made of it."""
        told = dict(scope["headers"]).get(SIGNATURE_HEADER, b"").decode("latin-1")
        query = scope.get("query_string", b"").decode("latin-1")
        url = self._options.incoming_url + (f"?{query}" if query else "")
        return is_signed(self._options.token, url, fields, told)

    async def _heard(self, fields: dict[str, str]) -> tuple[int, str]:
        number, message_id = fields.get("From", ""), fields.get("MessageSid", "")
        is_ours = fields.get("AccountSid") == self._options.account
        if not (is_number(number) and message_id and is_ours):
            return 400, ""
        if self.take is None:
            return 200, LATER
        message = Message(
            number=number,
            text=fields.get("Body", ""),
            message_id=message_id[:64],
            has_file=fields.get("NumMedia", "0") not in ("", "0"),
        )
        try:
            await self.take(message)
        except AppError as error:
            logger.warning("A text message was not taken in: %s", error.code)
            return 200, LATER
        except Exception:
            logger.exception("A text message broke us and is left out.")
            return 200, LATER
        return 200, ""


async def _answer(send: Send, status: int, words: str) -> None:
    told = f"<Message>{escape(words)}</Message>" if words else ""
    body = b""
    if status == 200:
        body = f'<?xml version="1.0" encoding="UTF-8"?><Response>{told}</Response>'.encode()
    headers = [(b"content-length", str(len(body)).encode())]
    if body:
        headers.append((b"content-type", b"text/xml; charset=utf-8"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
