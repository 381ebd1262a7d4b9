"""Makes one call: a signed message out, a status back. Every failure is an outcome, none an error.

No redirect is followed, no cookie kept, and of an answer's body no more is read than is needed to
use the line again. What it says is told nobody: a webhook must not be a way to read what only the
hub can reach.
"""

from __future__ import annotations

import asyncio
import math
import socket
import ssl
from collections.abc import Iterator, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpcore

from hub.core.webhook import Answered, Outcome, Unanswered, sign
from hub.core.webhook_target import Allowed, parse_target
from hub.frontends.webhooks.guard import GuardedNetwork, Resolve, look_up
from hub.frontends.webhooks.posting import Message
from shared.environment import Environment
from shared.errors import AppError

CONNECT_SECONDS = 5.0
CALL_SECONDS = 15.0
"""For all of a call: Standard Webhooks says 15 to 30."""
ANSWER_BYTES_MAX = 4096
KEEP_SECONDS = 20.0
"""A line that is not used for this long is closed."""


class HttpPost:
    """Brings messages over HTTP/1.1."""

    def __init__(
        self,
        environment: Environment,
        allowed: Allowed,
        *,
        version: str,
        resolve: Resolve = look_up,
        network: httpcore.AsyncNetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        self._environment = environment
        self._allowed = allowed
        self._agent = f"Deskhand-Hub/{version}"
        self._call_seconds = call_seconds
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or httpcore.default_ssl_context(),
            max_connections=None,
            max_keepalive_connections=100,
            keepalive_expiry=KEEP_SECONDS,
            network_backend=GuardedNetwork(allowed, resolve, network),
        )

    async def send(self, url: str, keys: Sequence[bytes], message: Message) -> Outcome:
        """Make one call, signed with each of the keys."""
        try:
            parse_target(url, self._allowed)  # what was allowed once may not be any more
            async with asyncio.timeout(self._call_seconds):
                return await self._call(url, keys, message)
        except TimeoutError:
            return Unanswered(f"It did not answer within {self._call_seconds:g} s.")
        except httpcore.TimeoutException:
            return Unanswered(f"It could not be reached within {CONNECT_SECONDS:g} s.")
        except AppError as error:
            return Unanswered(error.message)
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError) as error:
            return Unanswered(_words(error))

    async def close(self) -> None:
        await self._pool.aclose()

    async def _call(self, url: str, keys: Sequence[bytes], message: Message) -> Outcome:
        timestamp = int(self._environment.now().timestamp())
        headers: dict[bytes | str, bytes | str] = {
            "user-agent": self._agent,
            "accept": "*/*",
            "content-type": "application/json",
            "webhook-id": message.message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(keys, message.message_id, timestamp, message.body),
        }
        timeouts = {"connect": CONNECT_SECONDS, "pool": CONNECT_SECONDS}
        calling = self._pool.stream(
            "POST",
            url,
            headers=headers,
            content=message.body,
            extensions={"timeout": timeouts},
        )
        async with calling as answer:
            await _read_little(answer)
            told = dict(answer.headers)
            after = _retry_after(told.get(b"retry-after", b""), self._environment.now())
            return Answered(answer.status, after)


async def _read_little(answer: httpcore.Response) -> None:
    """Read an answer's body as far as is bearable; a line with more to come is closed."""
    count = 0
    async for part in answer.aiter_stream():
        count += len(part)
        if count > ANSWER_BYTES_MAX:
            return


def _retry_after(header: bytes, now: datetime) -> float | None:
    """Read when to come again, in seconds or as a date (RFC 9110, 10.2.3); None without sense."""
    text = header.decode("latin-1").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
        seconds = (at - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _words(error: BaseException) -> str:
    """Say what is wrong with a line, in a sentence for whoever made the webhook."""
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return "Its certificate is not valid for its name, or nobody known signed it."
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "It does not speak TLS as it should."
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "It refuses the connection: nothing listens there."
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "Its name is not known."
    if isinstance(error, httpcore.ProtocolError):
        return "It hung up, or what it answered is not HTTP."
    return "It cannot be reached."


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and all that it came of."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for one in error.exceptions:
                yield from _causes(one)
        error = error.__cause__ or error.__context__
