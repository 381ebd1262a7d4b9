"""The way to Discord's REST API: one pool, every wait bounded, every error ours.

hikari keeps to the limits that Discord states for each route; waits that are too long for a
message under way come back as errors, and the outbox waits instead. Its loggers are shut: what
it logs may hold the tokens of interactions.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import hikari

from hub.frontends.discord.options import Options
from hub.frontends.discord.refusals import app_error, described
from shared.errors import AppError

logger = logging.getLogger(__name__)

SHUT = logging.CRITICAL + 1
WAIT_SECONDS_MAX = 3.0
"""The longest wait for a route's limit within one call."""
CALL_SECONDS = 25.0
CONNECT_SECONDS = 5.0
Result = TypeVar("Result")
Call = Callable[[hikari.api.RESTClient], Awaitable[Result]]


class Client:
    """A bot's calls."""

    def __init__(self, options: Options) -> None:
        for name in ("hikari", "aiohttp"):
            logging.getLogger(name).setLevel(SHUT)
        self._options = options
        self._app: hikari.RESTApp | None = None
        self._rest: hikari.impl.RESTClientImpl | None = None

    async def open(self) -> None:
        """Make calls possible, also after `close`."""
        if self._rest is not None:
            return
        self._app = hikari.RESTApp(
            url=self._options.api_url,
            max_rate_limit=WAIT_SECONDS_MAX,
            # What is sent again is sent by the outbox, which knows what else waits.
            max_retries=0,
            http_settings=http_settings(),
            proxy_settings=proxy_settings(),
        )
        await self._app.start()
        self._rest = self._app.acquire(self._options.token, hikari.TokenType.BOT)
        self._rest.start()

    async def close(self) -> None:
        """Take no more calls. Idempotent."""
        app, rest, self._app, self._rest = self._app, self._rest, None, None
        if rest is not None and rest.is_alive:
            await rest.close()
        if app is not None:
            await app.close()

    @property
    def entities(self) -> hikari.api.EntityFactory:
        """Reads what Discord writes."""
        assert self._rest is not None
        return self._rest.entity_factory

    async def call(self, what: str, call: Call[Result], *, channel_id: int = 0) -> Result:
        """Do one call; `what` and `channel_id` are for the log.

        Raises:
            AppError: as `refusals.app_error`.
        """
        try:
            return await self.tried(call)
        except hikari.HTTPError as error:
            raise self.told(what, error, channel_id) from None

    async def tried(self, call: Call[Result]) -> Result:
        """Do one call whose refusal means something to the caller.

        Raises:
            hikari.HTTPError: as it comes; `told` makes it ours.
        """
        if self._rest is None:
            raise hikari.HTTPError("The bot is closed")
        try:
            return await call(self._rest)
        except hikari.ComponentStateConflictError:
            raise hikari.HTTPError("The bot was closed") from None
        except (KeyError, TypeError, ValueError, AttributeError, OSError):
            # Whatever answered, it does not speak Discord's API; or it broke off in the middle.
            logger.debug("An answer of Discord's cannot be read.", exc_info=True)
            raise hikari.HTTPError("The answer cannot be read") from None

    def told(self, what: str, error: hikari.HTTPError, channel_id: int = 0) -> AppError:
        """Make an error ours; a refusal of what we sent is our fault, and is logged."""
        if isinstance(error, hikari.BadRequestError):
            why = described(error, self._options.token)
            logger.warning("Discord refused to %s in channel %s: %s", what, channel_id, why)
        return app_error(error, self._options.token)


def http_settings() -> hikari.impl.HTTPSettings:
    timeouts = hikari.impl.HTTPTimeoutSettings(
        acquire_and_connect=CONNECT_SECONDS,
        request_socket_connect=CONNECT_SECONDS,
        total=CALL_SECONDS,
    )
    # Discord's API does not send its callers elsewhere; whoever does is not it.
    return hikari.impl.HTTPSettings(max_redirects=None, timeouts=timeouts)


def proxy_settings() -> hikari.impl.ProxySettings:
    return hikari.impl.ProxySettings(trust_env=True)
