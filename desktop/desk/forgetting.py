"""What this machine forgets by itself: the lines of logs that are old."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import NoReturn

import structlog

from desktop.store import retention
from shared.database import Database
from shared.environment import Environment
from shared.errors import AppError

log = structlog.get_logger(__name__)

HOUR_SECONDS = 3600.0
PAUSE_SECONDS = 1.0
"""Between two stretches of what is forgotten."""


async def forget_old_lines(database: Database, environment: Environment) -> NoReturn:
    """Delete the lines of logs that are old, once an hour, a few jobs at a time; never returns."""
    while True:
        before = environment.now() - timedelta(days=retention.KEPT_DAYS)
        try:
            count = await database.write(partial(retention.forget_lines, before=before))
        except AppError as error:
            log.warning("old lines are kept for now", code=error.code)
            count = 0
        await asyncio.sleep(PAUSE_SECONDS if count else HOUR_SECONDS)
