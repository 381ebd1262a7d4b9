"""Takes the updates that Telegram brings: an ASGI application for one path.

Whoever does not know the secret learns nothing and costs next to nothing. "200" is said after the
hub has dealt with the update; anything else makes Telegram bring it again.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging

from starlette.types import Receive, Scope, Send
from telegram import Update

from hub.frontends.bodies import body_of
from hub.frontends.telegram.client import Client
from hub.frontends.telegram.polling import Take
from shared.environment import Environment
from shared.errors import AppError, Unavailable
from shared.plain_text import plain_line

logger = logging.getLogger(__name__)

BODY_BYTES_MAX = 1_000_000
BODY_SECONDS = 10.0
SECRET_HEADER = b"x-telegram-bot-api-secret-token"
SECRET_BYTES = 32
REASON_CHARS_MAX = 200


class Webhook:
    """The door; it is shut until `take` is set."""

    def __init__(self, environment: Environment, url: str) -> None:
        self._url = url
        self.secret = environment.entropy(SECRET_BYTES).hex()
        """Made anew with each frontend; Telegram is told it with the address."""
        self.take: Take | None = None
        self._environment = environment
        self._one_at_a_time = asyncio.Lock()
        self._taken_at = environment.now()
        """When an update was taken last."""

    async def check(self, client: Client) -> None:
        """See whether Telegram's calls get through.

        Raises:
            Unavailable: `webhook_changed`, `webhook_failing`.
            AppError: as `refusals.app_error`.
        """
        info = await client.call("getWebhookInfo", lambda bot: bot.get_webhook_info())
        if info.url != self._url:
            raise Unavailable(
                "webhook_changed",
                "Somebody else changed where Telegram brings this bot's updates.",
                "If this comes again, another program uses this bot's token.",
                retryable=True,
            )
        failed_at = info.last_error_date
        if info.pending_update_count and failed_at and failed_at > self._taken_at:
            why = plain_line(info.last_error_message or "")[:REASON_CHARS_MAX]
            raise Unavailable(
                "webhook_failing",
                f"Telegram's calls do not get through: {why}.",
                f"Check that {self._url} can be reached from the internet, or leave "
                "HUB_TELEGRAM_WEBHOOK off.",
                retryable=True,
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one update."""
        if scope["type"] == "http":
            await _answer(send, await self._status(scope, receive))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    async def _status(self, scope: Scope, receive: Receive) -> int:
        if scope["method"] != "POST":
            return 405
        told = dict(scope["headers"]).get(SECRET_HEADER, b"")
        if not hmac.compare_digest(told, self.secret.encode()):
            return 401
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await body_of(receive, BODY_BYTES_MAX)
        except TimeoutError:
            return 408
        if body is None:
            return 413
        return await self._taken(body)

    async def _taken(self, body: bytes) -> int:
        try:
            update = Update.de_json(json.loads(body), None)
        except (ValueError, TypeError, KeyError, AttributeError):
            return 400
        # In the order they came: a tap must not overtake the words before it.
        async with self._one_at_a_time:
            if self.take is None:
                return 503
            try:
                await self.take(update)
            except AppError as error:
                logger.warning("An update is to be brought again: %s", error.code)
                return 503
            except Exception:
                logger.exception("An update broke us and is to be brought again.")
                return 503
            self._taken_at = self._environment.now()
        return 200


async def _answer(send: Send, status: int) -> None:
    headers = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
