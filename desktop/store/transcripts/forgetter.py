"""Deletes the transcripts of what was purged in the worker's store: at its start, and when told."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import structlog

from desktop.store import forgotten
from desktop.store.minder import Minder
from desktop.store.transcripts.opening import FILE_NAME
from shared.database import Database
from shared.environment import Environment

log = structlog.get_logger(__name__)


class Forgetter:
    """One for each worker. `run` until cancelled."""

    def __init__(
        self, database: Database, folder: Path, minder: Minder, environment: Environment
    ) -> None:
        self._database, self._folder = database, folder
        self._minder, self._environment = minder, environment
        self._bell = asyncio.Event()

    def ring(self) -> None:
        """Something was purged."""
        self._bell.set()

    async def run(self) -> None:
        self._bell.set()
        while True:
            await self._bell.wait()
            self._bell.clear()
            await self._minder.insist(self.run_once)

    async def run_once(self) -> None:
        """Forget all that waits for it; what the disk does not let go waits for the next time."""
        while job_ids := await self._database.read(forgotten.waiting):
            try:
                if (self._folder / FILE_NAME).exists():
                    await asyncio.to_thread(self._forget, job_ids)
            except OSError as error:
                log.warning("transcripts are deleted later", error=str(error))
                return
            await self._database.write(partial(forgotten.done, job_ids=job_ids))

    def _forget(self, job_ids: list[str]) -> None:
        # What is rarely needed is not imported at every start.
        from desktop.store.transcripts import forgetting

        forgetting.forget(self._folder, job_ids, self._environment.now())
