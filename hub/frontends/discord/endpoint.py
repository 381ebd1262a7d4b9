"""Takes the interactions that Discord brings: an ASGI application for one path.

Each call is signed with the application's key (Ed25519 over timestamp and body); who cannot sign
learns nothing and costs next to nothing. Discord tries with wrong signatures, too, and gives up an
endpoint that does not refuse them.
"""

from __future__ import annotations

import asyncio
import json
import logging

import hikari
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.types import Receive, Scope, Send

from hub.frontends.bodies import body_of
from hub.frontends.discord.client import Client
from hub.frontends.discord.hearing import Hearing
from hub.frontends.discord.promises import BUSY, Promise, promise_of, spoken
from hub.frontends.discord.reception import Promised, Reception
from shared.environment import Environment

logger = logging.getLogger(__name__)

BODY_BYTES_MAX = 1_000_000
BODY_SECONDS = 2.5
SIGNATURE_HEADER = b"x-signature-ed25519"
TIMESTAMP_HEADER = b"x-signature-timestamp"
AGE_SECONDS_MAX = 300.0
"""A call that was signed longer ago, or so far ahead, was kept by somebody for later."""
PING, PONG = 1, 1


class Endpoint:
    """The door; it is shut until `open`."""

    def __init__(self, environment: Environment, public_key: bytes) -> None:
        self._environment = environment
        self._key = Ed25519PublicKey.from_public_bytes(public_key)
        self._client: Client | None = None
        self._hearing: Hearing | None = None
        self._reception: Reception | None = None

    def open(self, client: Client, hearing: Hearing, reception: Reception) -> None:
        """Take interactions from now on."""
        self._client, self._hearing, self._reception = client, hearing, reception

    def close(self) -> None:
        self._reception = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one interaction."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        status = 200 if scope["method"] == "POST" else 405
        if status == 200:
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    told = await body_of(receive, BODY_BYTES_MAX)
            except TimeoutError:
                status = 408
            else:
                status, body = (413, b"") if told is None else (200, told)
        if status == 200 and not self._is_signed(scope, body):
            status = 401
        if status != 200:
            await _send(send, status, None)
            return
        await self._taken(body, send)

    def _is_signed(self, scope: Scope, body: bytes) -> bool:
        headers = dict(scope["headers"])
        timestamp = headers.get(TIMESTAMP_HEADER, b"")
        try:
            self._key.verify(bytes.fromhex(headers[SIGNATURE_HEADER].decode()), timestamp + body)
            signed_at = float(timestamp)
        except (KeyError, ValueError, InvalidSignature):
            return False
        return abs(self._environment.now().timestamp() - signed_at) <= AGE_SECONDS_MAX

    async def _taken(self, body: bytes, send: Send) -> None:
        try:
            payload = json.loads(body)
            if payload["type"] == PING:
                await _send(send, 200, {"type": PONG})
                return
            if self._reception is None or self._client is None or self._hearing is None:
                await _send(send, 503, None)
                return
            told = self._client.entities.deserialize_interaction(payload)
        except (ValueError, TypeError, KeyError, AttributeError, hikari.UnrecognisedEntityError):
            await _send(send, 400, None)
            return
        heard = self._hearing.interaction(told)
        promise = promise_of(heard)
        is_promised: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if not self._reception.put(Promised(heard, is_promised)):
            promise = spoken(BUSY)
        try:
            await _send(send, 200, _written(promise))
        finally:
            is_promised.set_result(promise.is_kept_later)


def _written(promise: Promise) -> dict[str, object]:
    if not promise.words:
        return {"type": int(promise.kind)}
    data = {
        "content": promise.words,
        "flags": int(hikari.MessageFlag.EPHEMERAL),
        "allowed_mentions": {"parse": []},
    }
    return {"type": int(promise.kind), "data": data}


async def _send(send: Send, status: int, payload: dict[str, object] | None) -> None:
    body = json.dumps(payload).encode() if payload is not None else b""
    headers = [(b"content-length", str(len(body)).encode())]
    if body:
        headers.append((b"content-type", b"application/json"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
