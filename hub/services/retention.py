"""Forgets the lines of logs that are old; what became of jobs is kept for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from hub.store import purging
from hub.store.ledger import Ledger
from shared.errors import AppError

log = structlog.get_logger()

LOOK_SECONDS = 3600.0
PAUSE_SECONDS = 0.2
"""Between two stretches, so that whoever waits for the store has it first."""


class Retention:
    def __init__(self, ledger: Ledger, *, log_days: int) -> None:
        """Keep what jobs log for some days; 0 for ever."""
        self._ledger = ledger
        self._log_days = log_days

    async def run(self) -> None:
        """Look once an hour."""
        if self._log_days == 0:
            return
        while True:
            is_more = False
            try:
                is_more = await self.run_once()
            except AppError as error:
                log.warning("retention_failed", code=error.code, error=str(error))
            await asyncio.sleep(PAUSE_SECONDS if is_more else LOOK_SECONDS)

    async def run_once(self) -> bool:
        """Forget one stretch of old lines; say whether there may be more."""
        before = self._ledger.environment.now() - timedelta(days=self._log_days)
        return await self._ledger.write(lambda entry: purging.forget_lines(entry, before))
