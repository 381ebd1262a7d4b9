"""Idempotency-Key on any POST: what was made once is answered again, and not made again.

Bare ASGI around the API, so that no route needs to know of it. Only what was done is kept: a
request that was refused made nothing, and may come again under its key.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.core.answer import Answer, digest_of
from hub.frontends.api.problems import BODY_BYTES_MAX, body_too_large, problem
from hub.services import Services
from shared.errors import AppError, Unavailable

HEADER = b"idempotency-key"
Finish = Callable[[Answer | None], Awaitable[None]]
OWN = re.compile(r"/api/v1/(tasks(/[^/]+/jobs)?|queue/jobs)")
"""Routes whose key stands in the transaction that makes something."""
KEPT_HEADERS = frozenset({"content-type", "location", "etag", "cache-control"})
REPLAYED = "Idempotency-Replayed"


class OnceOnly:
    """Serves POSTs with a key; passes all others on."""

    def __init__(self, services: Services, app: ASGIApp) -> None:
        self._services = services
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        is_ours = scope.get("method") == "POST" and not OWN.fullmatch(scope.get("path", ""))
        if not is_ours or HEADER not in headers:
            return await self._app(scope, receive, send)
        try:
            bearer = headers.get(b"authorization", b"").decode("latin-1")
            access = await self._services.keys.check(bearer)
        except AppError:
            # Whoever it is, the route says what is missing; some need no key.
            return await self._app(scope, receive, send)
        try:
            body = await _read(receive)
            key = headers[HEADER].decode("latin-1")
            target = f"{scope['path']}?{scope.get('query_string', b'').decode('latin-1')}"
            # Another key of the same person may not do what this one did, nor see what came of it.
            digest = digest_of(scope["method"], f"{access.key_id} {target}", body)
            kept = await self._services.once.begin(access.person_id, key, digest)
        except AppError as error:
            return await problem(error)(scope, receive, send)
        if kept is not None:
            return await _response(kept)(scope, receive, send)
        finish = partial(self._services.once.finish, access.person_id, key)
        heard = Recorded(body, receive, send, finish)
        try:
            await self._app(scope, heard.receive, heard.send)
        finally:
            if not heard.is_whole:
                await finish(None)


class Recorded:
    """Gives a body that was read to the application, and remembers what it answers."""

    def __init__(self, body: bytes, receive: Receive, send: Send, finish: Finish) -> None:
        self._unread: bytes | None = body
        self._receive = receive
        self._send = send
        self._finish = finish
        self._status = 0
        self._headers: tuple[tuple[str, str], ...] = ()
        self._body = bytearray()
        self.is_whole = False

    async def receive(self) -> Message:
        if self._unread is not None:
            body, self._unread = self._unread, None
            return {"type": "http.request", "body": body, "more_body": False}
        return await self._receive()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            pairs = ((n.decode("latin-1"), v.decode("latin-1")) for n, v in message["headers"])
            self._headers = tuple(pair for pair in pairs if pair[0].lower() in KEPT_HEADERS)
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                # Kept before the last of it is told: whoever has it may ask again.
                self.is_whole = True
                await self._finish(self._answer())
        await self._send(message)

    def _answer(self) -> Answer | None:
        """What was answered when something was done; None when nothing was."""
        if not 200 <= self._status < 300:
            return None
        return Answer(status=self._status, headers=self._headers, body=bytes(self._body))


def _response(answer: Answer) -> Response:
    response = Response(answer.body, status_code=answer.status)
    response.raw_headers = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers
    ]
    response.headers["Content-Length"] = str(len(answer.body))
    response.headers[REPLAYED] = "true"
    return response


async def _read(receive: Receive) -> bytes:
    """Read a request's body.

    Raises:
        LimitReached: `body_too_large`.
        Unavailable: `request_cut`, the other side went away.
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Unavailable("request_cut", "The request was cut off.", retryable=True)
        body += message.get("body", b"")
        if len(body) > BODY_BYTES_MAX:
            raise body_too_large()
        if not message.get("more_body", False):
            return bytes(body)
