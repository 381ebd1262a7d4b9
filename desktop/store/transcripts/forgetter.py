"""Deletes what lies beside the worker's store of what was purged: at its start, and when told.

Transcripts, and the folders that jobs have of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from functools import partial
from pathlib import Path

import structlog

from desktop.store import forgotten
from desktop.store.minder import Minder
from desktop.store.transcripts.opening import FILE_NAME
from shared.database import Database
from shared.environment import Environment
from shared.ids import is_uuid

log = structlog.get_logger(__name__)


FOLDERS = ("analyses", "changes", "code/changes")
"""Below the worker's data, a folder for each job: what an analysis left, what a file was before it
was changed, the diff of a coding job."""


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
                await asyncio.to_thread(self._forget, job_ids)
            except OSError as error:
                log.warning("what was purged is deleted later", error=str(error))
                return
            await self._database.write(partial(forgotten.done, job_ids=job_ids))

    def _forget(self, job_ids: list[str]) -> None:
        for job_id in filter(is_uuid, job_ids):
            for name in FOLDERS:
                with contextlib.suppress(FileNotFoundError):
                    shutil.rmtree(self._folder / name / job_id)
        if (self._folder / FILE_NAME).exists():
            # What is rarely needed is not imported at every start.
            from desktop.store.transcripts import forgetting

            forgetting.forget(self._folder, job_ids, self._environment.now())
