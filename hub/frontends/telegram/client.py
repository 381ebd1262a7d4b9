"""The way to the Bot API: one connection pool, every wait bounded, every error ours.

python-telegram-bot writes its token into addresses, and those into what it logs and raises: its
loggers are shut, and nothing it raised leaves this module.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

# The library's own way to say that its durations may be timedeltas; else it warns at each.
os.environ.setdefault("PTB_TIMEDELTA", "1")

from telegram import Bot
from telegram.error import BadRequest, NetworkError, TelegramError
from telegram.request import HTTPXRequest

from hub.frontends.telegram.options import Options
from hub.frontends.telegram.refusals import app_error, described
from shared.errors import AppError

logger = logging.getLogger(__name__)

SHUT = logging.CRITICAL + 1
"""Above every severity: the library logs whole answers even at CRITICAL."""
CONNECTIONS_MAX = 24
CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
WRITE_SECONDS = 5.0
"""For one piece; with the others, one call ends within the time the outbox gives a message."""
MEDIA_WRITE_SECONDS = 20.0
MEDIA_READ_SECONDS = 30.0
"""Telegram takes its time over a large file that it has."""
POOL_SECONDS = 5.0
CLOSE_SECONDS = 1.0
"""How long calls under way may take to end by themselves."""
POLL_SECONDS = 25
"""How long Telegram holds a question for updates open; `READ_SECONDS` come on top."""

Result = TypeVar("Result")
Call = Callable[[Bot], Awaitable[Result]]


class Client:
    """A bot's calls."""

    def __init__(self, options: Options) -> None:
        for name in ("telegram", "httpx", "httpcore"):
            logging.getLogger(name).setLevel(SHUT)
        self._token = options.token
        self._pool = HTTPXRequest(
            connection_pool_size=CONNECTIONS_MAX,
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            write_timeout=WRITE_SECONDS,
            media_write_timeout=MEDIA_WRITE_SECONDS,
            pool_timeout=POOL_SECONDS,
        )
        self._calls: set[asyncio.Timeout] = set()
        """Of the calls under way, so that `close` can end them."""
        self._is_open = False
        self._ended = asyncio.Event()
        self._bot = Bot(
            token=options.token,
            base_url=f"{options.api_url}/bot",
            base_file_url=f"{options.api_url}/file/bot",
            # One pool for both: a second one costs another store of certificates.
            request=self._pool,
            get_updates_request=self._pool,
        )

    async def open(self) -> None:
        """Make the pool usable, also after `close`."""
        await self._pool.initialize()
        self._is_open = True

    async def close(self) -> None:
        """Take no more calls, let those under way end, close all connections. Idempotent.

        A connection that is opened while its pool closes would never be closed.
        """
        self._is_open = False
        await self._until_quiet()
        for call in self._calls:
            call.reschedule(0.0)
        await self._until_quiet()
        await self._pool.shutdown()

    async def call(self, method: str, call: Call[Result], *, chat_id: int = 0) -> Result:
        """Do one call; `method` and `chat_id` are for the log.

        Raises:
            AppError: as `refusals.app_error`.
        """
        try:
            return await self.tried(call)
        except TelegramError as error:
            raise self.told(method, error, chat_id) from None

    async def tried(self, call: Call[Result]) -> Result:
        """Do one call whose refusal means something to the caller.

        Raises:
            TelegramError: as it comes; `told` makes it ours.
        """
        if not self._is_open:
            raise NetworkError("The bot is closed")
        try:
            async with asyncio.timeout(None) as ending:
                self._calls.add(ending)
                try:
                    return await call(self._bot)
                finally:
                    self._calls.discard(ending)
                    self._ended.set()
        except TimeoutError:
            raise NetworkError("The bot was closed") from None
        except (KeyError, TypeError, ValueError, AttributeError):
            # Whatever answered, it does not speak the Bot API.
            raise TelegramError("The answer cannot be read") from None

    async def _until_quiet(self) -> None:
        """Wait for the calls under way, a bounded time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                while self._calls:
                    self._ended.clear()
                    await self._ended.wait()

    def told(self, method: str, error: TelegramError, chat_id: int = 0) -> AppError:
        """Make an error ours; a refusal of what we sent is our fault, and is logged."""
        if isinstance(error, BadRequest):
            told = described(error, self._token)
            logger.warning("Telegram refused %s in chat %s: %s", method, chat_id, told)
        return app_error(error, self._token)
