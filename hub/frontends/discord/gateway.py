"""Listens over Discord's gateway: one connection, made by the hub, that hikari keeps alive.

A connection that drops is resumed where it was: Discord repeats what was missed. What it repeats
twice, the inbox knows by its id. What comes while the hub is not there at all is lost, except that
people see of a command that it was not answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

import hikari

from hub.frontends.discord.client import Client, http_settings, proxy_settings
from hub.frontends.discord.discreet import discreet
from hub.frontends.discord.hearing import Hearing
from hub.frontends.discord.options import Options
from hub.frontends.discord.promises import BUSY, Promise, promise_of, spoken
from hub.frontends.discord.reception import Promised
from hub.frontends.discord.refusals import CLOSED, app_error, unreachable
from shared.errors import AppError

logger = logging.getLogger(__name__)

INTENTS = hikari.Intents.GUILD_MESSAGES | hikari.Intents.DM_MESSAGES
"""No privileged ones: of a server's messages, only those that name the bot come with words."""
CLOSE_SECONDS = 2.0


class Gateway:
    """One bot's connection."""

    def __init__(
        self,
        *,
        options: Options,
        client: Client,
        hearing: Hearing,
        put: Callable[[Promised], bool],
        up: Callable[[], None],
        down: Callable[[], None],
    ) -> None:
        self._options = options
        self._client = client
        self._hearing = hearing
        self._put = put
        self._up = up
        self._down = down

    async def run_once(self) -> None:
        """Connect, and listen until the connection is over for good.

        Raises:
            AppError: why it is; always.
        """
        bot = hikari.GatewayBot(
            self._options.token,
            banner=None,
            logs=None,
            suppress_optimization_warning=True,
            intents=INTENTS,
            auto_chunk_members=False,
            cache_settings=hikari.impl.CacheSettings(components=hikari.api.CacheComponents.NONE),
            http_settings=http_settings(),
            proxy_settings=proxy_settings(),
            max_retries=0,
            rest_url=self._options.api_url,
        )
        bot.subscribe(hikari.ShardReadyEvent, self._connected)
        bot.subscribe(hikari.ShardResumedEvent, self._connected)
        bot.subscribe(hikari.ShardDisconnectedEvent, self._disconnected)
        bot.subscribe(hikari.MessageCreateEvent, self._message)
        bot.subscribe(hikari.InteractionCreateEvent, self._interaction)
        try:
            with discreet(asyncio.get_running_loop()):
                await bot.start(check_for_updates=False)
                await bot.join()
        except hikari.GatewayServerClosedConnectionError as error:
            raise _closed(error) from None
        except hikari.HTTPError as error:
            raise app_error(error, self._options.token) from None
        except (hikari.GatewayError, RuntimeError, OSError, KeyError, ValueError, TypeError):
            raise unreachable() from None
        finally:
            with contextlib.suppress(hikari.HikariError, TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await bot.close()
        raise unreachable()

    async def _connected(self, event: hikari.Event) -> None:
        del event
        self._up()

    async def _disconnected(self, event: hikari.Event) -> None:
        del event
        self._down()

    async def _message(self, event: hikari.MessageCreateEvent) -> None:
        heard = self._hearing.message(event.message)
        if heard is not None:
            self._put(Promised(heard))

    async def _interaction(self, event: hikari.InteractionCreateEvent) -> None:
        told = event.interaction
        heard = self._hearing.interaction(told)
        promise = promise_of(heard)
        # Its place in the queue is that of its coming, not that of our promise's arrival.
        is_promised: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if not self._put(Promised(heard, is_promised)):
            promise = spoken(BUSY)
        kept = await self._promised(told, promise)
        if not is_promised.done():
            is_promised.set_result(kept and promise.is_kept_later)

    async def _promised(self, told: hikari.PartialInteraction, promise: Promise) -> bool:
        words = promise.words or hikari.UNDEFINED
        flags = hikari.MessageFlag.EPHEMERAL if promise.words else hikari.UNDEFINED
        try:
            await self._client.tried(
                lambda rest: rest.create_interaction_response(
                    told.id, told.token, promise.kind, words, flags=flags
                )
            )
        except hikari.HTTPError as error:
            logger.info("Discord did not take a first answer: %s", type(error).__name__)
            return False
        return True


def _closed(error: hikari.GatewayServerClosedConnectionError) -> AppError:
    why = CLOSED.get(int(error.code or 0), unreachable)
    return why()
