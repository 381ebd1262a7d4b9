"""What a node is left with by jobs that are over, deleted again: it keeps nothing of anybody's.

Its folder is its own, in the system's folder for what does not last; the next node that starts
here removes those of nodes that were killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import structlog

from desktop.store.transcripts.opening import FILE_NAME
from desktop.system.paths import Paths
from shared.environment import Environment
from shared.errors import AppError, Conflict
from shared.file_lock import FileLock
from shared.ids import JobId, is_uuid

log = structlog.get_logger(__name__)

PREFIX = "deskhand-fleet-"
LOCK_NAME = "node.lock"
EVERY_SECONDS = 20.0


class Leftovers:
    """Of jobs that are over. `run` until cancelled."""

    def __init__(self, paths: Paths, environment: Environment) -> None:
        self._paths, self._environment = paths, environment
        self._over: set[JobId] = set()

    def ended(self, job_id: JobId) -> None:
        """The hub has a job's outcome: nothing of it is needed here."""
        self._over.add(job_id)

    async def run(self) -> None:
        """Delete now and then."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.run_once()

    async def run_once(self) -> None:
        """Delete what is left of the jobs that are over by now."""
        over, self._over = self._over, set()
        if over:
            try:
                await asyncio.to_thread(self._forget, sorted(filter(is_uuid, over)))
            except (OSError, AppError) as error:
                log.warning("leftovers are deleted later", error=str(error))
                self._over |= over

    def _forget(self, job_ids: list[JobId]) -> None:
        for job_id in job_ids:
            shutil.rmtree(self._paths.jobs / job_id, ignore_errors=True)
            shutil.rmtree(self._paths.runs / job_id, ignore_errors=True)
        if (self._paths.data / FILE_NAME).exists():
            # What is rarely needed is not imported at every start.
            from desktop.store.transcripts import forgetting

            forgetting.forget(self._paths.data, job_ids, self._environment.now())


@contextlib.contextmanager
def own_folder() -> Iterator[Paths]:
    """Make a node's folder for a block; remove it, and those that killed nodes have left."""
    sweep(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    with FileLock(folder / LOCK_NAME, _in_use(folder)):
        paths = Paths(data=folder, config=folder, home=folder)
        paths.make()
        try:
            yield paths
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sweep(place: Path) -> int:
    """Remove the folders of nodes that do not run any more; return how many."""
    removed = 0
    for folder in place.glob(f"{PREFIX}*"):
        # One without a lock is being made at this moment, or is somebody else's.
        with contextlib.suppress(OSError, AppError):
            if (folder / LOCK_NAME).exists():
                with FileLock(folder / LOCK_NAME, _in_use(folder)):
                    shutil.rmtree(folder)
                    removed += 1
    return removed


def _in_use(folder: Path) -> Conflict:
    return Conflict("already_running", f"A node runs in {folder}.", "End it first.")
