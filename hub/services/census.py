"""Counts what only the store knows: letters, questions and messages that wait, the disk, backups.

It reads beside the store, in the reading thread, and not more often than every few seconds: no
commit waits for it, however often somebody asks.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog

from hub.services.backups import Upkeep
from hub.store import deliveries, jobs, questions
from hub.store.deliveries import Rest
from hub.store.ledger import Ledger
from shared.errors import AppError
from shared.jobs import JobState

log = structlog.get_logger()

KEPT_SECONDS = 10.0
"""How long a census is told before another is taken."""
LOOK_SECONDS_MAX = 5.0
"""How long somebody waits for one; then the last one has to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A census, as it was taken."""

    taken_at: float
    """Monotonic."""
    set_aside: Mapping[JobState, int]
    """Jobs that ask, were interrupted, or are dead letters; no parts of others."""
    questions: int
    """Up to `hub.store.questions.COUNTED_MAX`."""
    rests: Mapping[str, Rest]
    """What waits to be shown, by frontend."""
    worded_upto: int
    """The hub_seq up to which events were made messages."""
    position: int
    """Where the log ended then."""
    upkeep: Upkeep | None
    """None when the folder could not be read."""


class Census:
    def __init__(self, ledger: Ledger, upkeep: Callable[[], Awaitable[Upkeep]]) -> None:
        self._ledger = ledger
        self._upkeep = upkeep
        self._last: Counted | None = None
        self._taking = asyncio.Lock()

    async def counted(self) -> Counted | None:
        """The newest census; a new one when that is old and one can be taken, None without any."""
        if not self._is_fresh():
            try:
                async with asyncio.timeout(LOOK_SECONDS_MAX), self._taking:
                    if not self._is_fresh():
                        self._last = await self._take()
            except TimeoutError:
                log.warning("census_slow", seconds=LOOK_SECONDS_MAX)
            except AppError as error:
                log.warning("census_failed", code=error.code, error=str(error))
        return self._last

    def _is_fresh(self) -> bool:
        now = self._ledger.environment.monotonic()
        return self._last is not None and now - self._last.taken_at < KEPT_SECONDS

    async def _take(self) -> Counted:
        now = self._ledger.environment.monotonic()

        def read(connection: sqlite3.Connection) -> Counted:
            return Counted(
                taken_at=now,
                set_aside=jobs.set_aside(connection, None),
                questions=questions.count_open(connection, None),
                rests=deliveries.rests(connection),
                worded_upto=deliveries.cursor(connection),
                position=position,
                upkeep=upkeep,
            )

        try:
            upkeep = await self._upkeep()
        except OSError:
            upkeep = None
        position = self._ledger.position
        return await self._ledger.look(read)
