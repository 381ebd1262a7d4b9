"""The transcripts as the one process that writes them holds them: durable when a call returns.

Turns of many probes that end at the same moment share one commit. Long reads have a thread of
their own and keep no turn waiting.
"""

from __future__ import annotations

import asyncio
import atexit
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from desktop.core.llm.types import Cell, CellEnd, Turn
from desktop.store.transcripts import forgetting, opening, reading, writing
from desktop.store.transcripts.records import NewRun, Probe, Run
from shared.database import Database
from shared.environment import Environment
from shared.errors import AppError
from shared.file_lock import FileLock
from shared.times import to_ms

T = TypeVar("T")

LOCK_SECONDS = 10.0
"""How long a writer waits for the one before it, which may just be ending."""
LOCK_STEP_SECONDS = 0.1
FORGET_SECONDS = 2.0
"""How often it is looked whether runs are to be forgotten."""


class Transcripts:
    """Opened for writing. Executors get theirs by `of`."""

    def __init__(self, folder: Path, environment: Environment | None = None) -> None:
        """Open or create the transcripts of a worker's folder; may block for a moment.

        Raises:
            Unavailable: `transcripts_busy`, and as `opening.open_to_write`.
        """
        self.folder = folder
        self._environment = environment or Environment()
        self._lock: FileLock = opening.lock(folder)
        try:
            self._database: Database = opening.open_to_write(folder, self._environment.now())
        except BaseException:
            self._lock.release()
            raise
        self._reader = self._database.reader()
        self.looking: asyncio.Future[None] | None = None
        """The look for notes that is under way, or was the last."""
        self._is_closed = False
        self._forget()

    def close(self) -> None:
        """Finish what is queued, then close. Idempotent."""
        if not self._is_closed:
            self._is_closed = True
            self._database.close()
            self._lock.release()

    async def make_run(self, run: NewRun) -> bool:
        """Keep a run and its cells; False when it was there already."""
        return await self._write(lambda connection: writing.make_run(connection, run))

    async def run(self, run_id: str) -> Run:
        """Read a run and how far it is.

        Raises:
            NotFound: `run_unknown`.
        """
        return await self._database.read(lambda connection: reading.run(connection, run_id))

    async def open_cells(self, run_id: str) -> list[int]:
        """List the indexes of the cells without an end."""
        return await self._database.read(lambda connection: reading.open_cells(connection, run_id))

    async def probe(self, run_id: str, index: int) -> Probe:
        """Read all that is needed to ask a cell to its end.

        Raises:
            NotFound: `run_unknown`, `cell_unknown`.
        """
        return await self._database.read(
            lambda connection: reading.probe(connection, run_id, index)
        )

    async def cell(self, run_id: str, index: int) -> Cell:
        return (await self.probe(run_id, index)).cell

    async def turns(self, run_id: str, index: int) -> tuple[Turn, ...]:
        return await self._database.read(
            lambda connection: reading.turns(connection, run_id, index)
        )

    async def save_turn(self, run_id: str, index: int, turn: Turn) -> bool:
        """Keep a finished turn; the first of its number counts (False: there was one)."""
        return await self._write(
            lambda connection: writing.save_turn(connection, run_id, index, turn)
        )

    async def end_cell(self, run_id: str, index: int, end: CellEnd) -> bool:
        """Say how a cell came out; the first end counts (False: there was one)."""
        at_ms = to_ms(self._environment.now())
        return await self._write(
            lambda connection: writing.end_cell(connection, run_id, index, end, at_ms)
        )

    async def reopen_cells(
        self,
        run_id: str,
        *,
        indexes: Sequence[int] | None = None,
        models: Sequence[str] | None = None,
        faults: Sequence[str] | None = None,
    ) -> int:
        """Open failed cells again; see `writing.reopen_cells`."""
        return await self._write(
            lambda connection: writing.reopen_cells(
                connection, run_id, indexes=indexes, models=models, faults=faults
            )
        )

    async def purge(self, run_id: str) -> bool:
        """Delete a run and all that was said in it."""
        count = await self._write(lambda connection: writing.purge(connection, [run_id]))
        self._database.scrub()
        return count > 0

    async def look(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function that reads for long, in a thread of its own."""
        return await self._reader.read(run)

    def forget_due(self) -> None:
        """Act on notes of purged tasks, if there are any; blocks only then."""
        if forgetting.is_due(self.folder):
            self._forget()

    async def _write(self, run: Callable[[sqlite3.Connection], T]) -> T:
        return await self._database.write(run)

    def _forget(self) -> None:
        # A disk that fails is told to whoever writes next; the notes stay.
        try:
            forgetting.obey(self.folder, self._database)
        except AppError:
            return


_opened: dict[Path, Transcripts] = {}
_opening: dict[Path, asyncio.Lock] = {}


async def of(folder: Path) -> Transcripts:
    """Return the transcripts of a worker's folder, opened once in this process.

    Raises:
        Unavailable: as `Transcripts`.
    """
    if (found := _opened.get(folder)) is not None:
        return found
    async with _opening.setdefault(folder, asyncio.Lock()):
        if folder not in _opened:
            _opened[folder] = await _opened_soon(folder)
            _watch(_opened[folder])
    return _opened[folder]


@atexit.register
def close_all() -> None:
    """Close what this process has opened: what was not closed is checked as a whole next time."""
    while _opened:
        _opened.popitem()[1].close()
    _opening.clear()


async def _opened_soon(folder: Path) -> Transcripts:
    for _ in range(round(LOCK_SECONDS / LOCK_STEP_SECONDS)):
        try:
            return await asyncio.to_thread(Transcripts, folder)
        except AppError as error:
            if error.code != "transcripts_busy":
                raise
        await asyncio.sleep(LOCK_STEP_SECONDS)
    return await asyncio.to_thread(Transcripts, folder)


def _watch(transcripts: Transcripts) -> None:
    """Look for notes now and then, as long as the loop runs and the transcripts are open."""
    loop = asyncio.get_running_loop()

    def look() -> None:
        if _opened.get(transcripts.folder) is transcripts:
            transcripts.looking = loop.run_in_executor(None, transcripts.forget_due)
            _watch(transcripts)

    loop.call_later(FORGET_SECONDS, look)
