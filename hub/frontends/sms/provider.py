"""The way to the provider: one call sends a message, another tells whether the token holds."""

from __future__ import annotations

import base64
import json
import logging
from urllib.parse import urlencode

import httpcore

from hub.frontends.blockers import CODE as BLOCKED
from hub.frontends.sms.options import Options
from shared.errors import AppError, BadInput, Unavailable
from shared.plain_text import plain_line

logger = logging.getLogger(__name__)

CALL_SECONDS = 15.0
CONNECT_SECONDS = 5.0
ANSWER_BYTES_MAX = 100_000
CONNECTIONS_MAX = 4
BUSY_SECONDS = 5.0
UNSUBSCRIBED = 21610
NOT_REACHABLE = frozenset({21211, 21612, 21614, UNSUBSCRIBED})
"""No such number, no way to it, no mobile, or it said STOP (twilio.com/docs/api/errors)."""
OUTAGE_HINT = "It is tried again by itself. Check the hub's way to the internet if this stays."


class Provider:
    """An account's calls."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._base = f"{options.api_url}/2010-04-01/Accounts/{options.account}"
        pair = base64.b64encode(f"{options.account}:{options.token}".encode()).decode()
        self._headers = [
            ("Authorization", f"Basic {pair}"),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ]
        self._pool: httpcore.AsyncConnectionPool | None = None

    async def close(self) -> None:
        """Close all connections. Idempotent."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.aclose()

    async def check(self) -> None:
        """See whether the account and its token hold.

        Raises:
            AppError: as `send`.
        """
        await self._call("GET", ".json", b"")

    async def send(self, number: str, text: str) -> str:
        """Send a message; its id.

        Raises:
            Unavailable: `sms_busy`, `sms_unreachable`, `sms_token_wrong`, `chat_blocked`.
            BadInput: `sms_refused`.
        """
        form = urlencode({"To": number, "From": self._options.number, "Body": text})
        told = await self._call("POST", "/Messages.json", form.encode())
        return str(told.get("sid", ""))

    async def _call(self, method: str, path: str, body: bytes) -> dict[str, object]:
        if self._pool is None:
            self._pool = httpcore.AsyncConnectionPool(max_connections=CONNECTIONS_MAX)
        times = dict.fromkeys(("read", "write", "pool"), CALL_SECONDS)
        try:
            async with self._pool.stream(
                method,
                self._base + path,
                headers=self._headers,
                content=body,
                extensions={"timeout": {**times, "connect": CONNECT_SECONDS}},
            ) as response:
                answer = b""
                async for piece in response.aiter_stream():
                    answer += piece
                    if len(answer) > ANSWER_BYTES_MAX:
                        raise _unreachable()
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError):
            raise _unreachable() from None
        told = _read(answer)
        if response.status >= 300:
            raise _refused(response.status, told)
        return told


def _read(answer: bytes) -> dict[str, object]:
    try:
        told = json.loads(answer)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _refused(status: int, told: dict[str, object]) -> AppError:
    code = told.get("code")
    if status == 429:
        return Unavailable(
            "sms_busy",
            "The provider asks to wait.",
            retryable=True,
            retry_after_seconds=BUSY_SECONDS,
        )
    if status in (401, 403):
        return Unavailable(
            "sms_token_wrong",
            "The provider does not know this account or its token.",
            "Check HUB_SMS_ACCOUNT and HUB_SMS_TOKEN (the console's first page).",
            retryable=True,
        )
    if code in NOT_REACHABLE:
        return unreachable_number()
    if status >= 500:
        return _unreachable()
    why = plain_line(str(told.get("message", "no word")))[:200].rstrip(".")
    logger.warning("The SMS provider refused a message: %s %s", status, why)
    return BadInput("sms_refused", f"The provider refused it: {why}.")


def unreachable_number() -> Unavailable:
    return Unavailable(
        BLOCKED,
        "That number gets no messages: it said STOP, or cannot be reached.",
        "Whoever wants to hear from the hub again writes START to it.",
        retryable=True,
    )


def _unreachable() -> Unavailable:
    return Unavailable(
        "sms_unreachable",
        "The SMS provider cannot be reached, or answers with a fault.",
        OUTAGE_HINT,
        retryable=True,
    )
