"""An SMS provider for tests: takes messages as Twilio does, and brings what people write, signed.

What is signed is signed by Twilio's own library, so the signature is not our reading of it.
Source: twilio.com/docs/messaging/api/message-resource and /docs/usage/webhooks.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from aiohttp import web
from twilio.request_validator import RequestValidator

ACCOUNT = "AC" + "0a" * 16
TOKEN = "5ecre7" + "b" * 26
NUMBER = "+4930123456"
PUBLIC_URL = "https://hub.example"
PATH = "/sms/incoming"
BODY_MAX = 1600


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of the hub's, as it lies on somebody's telephone."""

    sid: str
    number: str
    text: str


@dataclass(slots=True)
class FakeProvider:
    """The server. Use it as an async context; `url` is what HUB_SMS_API_URL gets."""

    hub_url: str = ""
    """Where the hub really listens; it is known to the world as `PUBLIC_URL`."""
    is_down: bool = False
    answers_with: tuple[int, int] | None = None
    """A status and a code, instead of taking messages."""
    unsubscribed: set[str] = field(default_factory=set)
    sent: list[Sent] = field(default_factory=list)
    port: int = 0
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self) -> dict[str, Any]:
        """The settings of a hub that writes through this."""
        return {
            "sms_account": ACCOUNT,
            "sms_token": TOKEN,
            "sms_number": NUMBER,
            "sms_api_url": self.url,
            "public_url": PUBLIC_URL,
        }

    async def open(self) -> None:
        application = web.Application()
        base = f"/2010-04-01/Accounts/{ACCOUNT}"
        application.router.add_post(f"{base}/Messages.json", self._take)
        application.router.add_get(f"{base}.json", self._account)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    # A person's side.

    async def bring(
        self, number: str, text: str, *, sid: str = "", signature: str | None = None, **more: str
    ) -> httpx.Response:
        """Bring what somebody wrote to the hub, as through a proxy that ends TLS."""
        fields = {
            "MessageSid": sid or f"SM{uuid.uuid4().hex}",
            "AccountSid": ACCOUNT,
            "From": number,
            "To": NUMBER,
            "Body": text,
            "NumMedia": "0",
            "NumSegments": "1",
            "ApiVersion": "2010-04-01",
            **more,
        }
        if signature is None:
            signature = RequestValidator(TOKEN).compute_signature(PUBLIC_URL + PATH, fields)
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=30) as client:
            return await client.post(
                self.hub_url + PATH, data=fields, headers={"X-Twilio-Signature": signature}
            )

    def on(self, number: str) -> list[Sent]:
        return [sent for sent in self.sent if sent.number == number]

    # The hub's side.

    def _check(self, request: web.Request) -> web.Response | None:
        if self.is_down:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        pair = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {pair}":
            return _error(401, 20003, "Authenticate")
        return None

    async def _account(self, request: web.Request) -> web.Response:
        refused = self._check(request)
        return refused or web.json_response({"sid": ACCOUNT, "status": "active"})

    async def _take(self, request: web.Request) -> web.Response:
        if (refused := self._check(request)) is not None:
            return refused
        form = {key: str(value) for key, value in (await request.post()).items()}
        if self.answers_with is not None:
            return _error(*self.answers_with, "as planned")
        if set(form) != {"To", "From", "Body"} or form["From"] != NUMBER:
            return _error(400, 21603, "A 'From' phone number is required.")
        if not re.fullmatch(r"\+[1-9]\d{6,14}", form["To"]):
            return _error(400, 21211, "Invalid 'To' Phone Number")
        if not form["Body"]:
            return _error(400, 21602, "Message body is required.")
        if len(form["Body"].encode("utf-16-le")) // 2 > BODY_MAX:
            return _error(400, 21617, "The concatenated message body exceeds the limit.")
        if form["To"] in self.unsubscribed:
            return _error(400, 21610, "Attempt to send to unsubscribed recipient")
        sent = Sent(f"SM{uuid.uuid4().hex}", form["To"], form["Body"])
        self.sent.append(sent)
        return web.json_response({"sid": sent.sid, "status": "queued"}, status=201)


def _error(status: int, code: int, message: str) -> web.Response:
    told = {"code": code, "message": message, "status": status}
    return web.Response(status=status, text=json.dumps(told), content_type="application/json")


@contextlib.asynccontextmanager
async def open_provider(**settings: Any) -> AsyncIterator[FakeProvider]:
    """Run a fake inside the block."""
    fake = FakeProvider(**settings)
    await fake.open()
    try:
        yield fake
    finally:
        await fake.close()
