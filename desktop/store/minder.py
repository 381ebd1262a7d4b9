"""What a worker does when its store cannot be written: it keeps trying, and takes nothing on.

A full disk and one that fails are over one day, and what has happened is written then; a damaged
store is not mended by waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from shared.backoff import Backoff
from shared.database import Database
from shared.environment import Environment
from shared.errors import STORE_CORRUPT, AppError, ErrorBody

log = structlog.get_logger(__name__)
T = TypeVar("T")
AGAIN = Backoff(first_seconds=0.1, max_seconds=5.0)


class Minder:
    """Looks after one store, for one worker."""

    def __init__(self, database: Database, environment: Environment) -> None:
        self._database = database
        self._environment = environment

    @property
    def trouble(self) -> ErrorBody | None:
        """Why nothing may start now; None when the store is well."""
        return self._database.trouble.body if self._database.trouble else None

    async def insist(self, deed: Callable[[], Awaitable[T]]) -> T:
        """Write what has happened, however long the disk does not take it.

        Raises:
            AppError: what waiting does not mend: `store_corrupt`, `store_closed`.
        """
        failures = 0
        while True:
            try:
                return await deed()
            except AppError as error:
                if not error.retryable:
                    raise
                failures += 1
                log.warning("the store is written later", code=error.code, failures=failures)
            await asyncio.sleep(AGAIN.wait_seconds(failures, self._environment.random()))

    async def when_well(self, deed: Callable[[], Awaitable[None]]) -> None:
        """Do what is tried again anyway once the store is well."""
        try:
            await deed()
        except AppError as error:
            if not error.retryable:
                raise
            log.warning("left for later", code=error.code)

    async def watch(self, changed: Callable[[], None]) -> None:
        """Tell whenever trouble came or is over, until cancelled.

        Raises:
            AppError: `store_corrupt`.
        """
        loop, bell = asyncio.get_running_loop(), asyncio.Event()

        def ring() -> None:
            loop.call_soon_threadsafe(bell.set)

        self._database.trouble_listeners.append(ring)
        try:
            while True:
                trouble = self._database.trouble
                if trouble is not None and trouble.code == STORE_CORRUPT:
                    raise trouble
                await bell.wait()
                bell.clear()
                changed()
        finally:
            self._database.trouble_listeners.remove(ring)
