"""A backup a day, while the hub runs."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from hub.store import backup_folder
from shared.environment import Environment
from shared.errors import AppError

log = structlog.get_logger()

FIRST_SECONDS = 60.0
"""After the start, which has enough to do."""
LOOK_SECONDS = 15 * 60.0
EVERY = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """How a hub's data folder stands."""

    store_bytes: int
    """Of the store, with its write-ahead log."""
    free_bytes: int
    """On its disk."""
    backups: int
    newest_at: datetime | None
    """When the newest backup was made; None without any."""
    newest_bytes: int
    keep: int
    """How many daily ones are kept; 0: none are made."""


class Backups:
    def __init__(self, data: Path, environment: Environment, *, keep: int, version: str) -> None:
        """Keep `keep` daily backups of a data folder; 0 makes none."""
        self._data = data
        self._environment = environment
        self._keep = keep
        self._version = version

    async def look(self) -> Upkeep:
        """Look how the data folder stands.

        Raises:
            OSError: it cannot be read.
        """
        return await asyncio.to_thread(self._look)

    async def run(self) -> None:
        """Make a backup whenever the newest one is a day old."""
        if self._keep == 0:
            return
        await asyncio.sleep(FIRST_SECONDS)
        while True:
            try:
                await self.run_once()
            except (AppError, OSError) as error:
                log.warning("backup_failed", error=str(error))
            await asyncio.sleep(LOOK_SECONDS)

    async def run_once(self) -> bool:
        """Make a backup when one is due; say whether one was made.

        Raises:
            Unavailable: as `backup_folder.back_up`.
            OSError: the folder cannot be used.
        """
        now = self._environment.now()
        found = backup_folder.backups_in(self._data)
        # One from the future was made by a clock that was wrong; it must not put others off.
        if any(now - EVERY < made_at <= now for made_at, _ in found):
            return False
        await asyncio.to_thread(self._make)
        return True

    def _look(self) -> Upkeep:
        found = backup_folder.backups_in(self._data)
        newest_at, newest = found[-1] if found else (None, None)
        return Upkeep(
            store_bytes=backup_folder.store_bytes(self._data),
            free_bytes=shutil.disk_usage(self._data).free,
            backups=len(found),
            newest_at=newest_at,
            newest_bytes=newest.stat().st_size if newest else 0,
            keep=self._keep,
        )

    def _make(self) -> None:
        now = self._environment.now()
        target = self._data / backup_folder.FOLDER / backup_folder.name_of(now)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        contents = backup_folder.back_up(self._data, target, at=now, version=self._version)
        old = backup_folder.rotate(self._data, self._keep)
        log.info("backup_made", file=target.name, bytes=contents.size_bytes, deleted=len(old))
