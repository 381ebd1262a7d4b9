"""The transcripts as the one process that writes them holds them: durable when a call returns.

Turns of many probes that end at the same moment share one commit. Long reads have a thread of
their own and keep no turn waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from desktop.core.llm.types import Cell, CellEnd, Turn
from desktop.store.transcripts import forgetting, opening, reading, writing
from desktop.store.transcripts.records import NewRun, Probe, Run
from shared.environment import Environment
from shared.errors import STORE_CORRUPT, AppError
from shared.times import to_ms

T = TypeVar("T")

LOCK_SECONDS = 10.0
"""How long a writer waits for the one before it, which may just be ending."""
LOCK_STEP_SECONDS = 0.1
FORGET_SECONDS = 2.0
"""How often it is looked whether runs are to be forgotten."""


class Transcripts:
    """One for each process that writes; nothing is opened before it is needed.

    Every method opens what is not open yet and then raises what `opening.open_to_write` does, and
    `transcripts_busy` where another process is still writing after a while.
    """

    def __init__(self, folder: Path, environment: Environment | None = None) -> None:
        self.folder = folder
        self._environment = environment or Environment()
        self._opening = asyncio.Lock()
        self._opened: _Opened | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._looking: asyncio.Future[None] | None = None
        """The look for notes that is under way, or was the last."""

    async def aclose(self) -> None:
        """Finish what is queued, then close; the next use opens it again."""
        async with self._opening:
            opened, self._opened = self._opened, None
            if self._timer is not None:
                self._timer.cancel()
            if self._looking is not None:
                await asyncio.wait([self._looking])
            if opened is not None:
                # What was not closed is read as a whole when it is opened next.
                await asyncio.to_thread(opened.close)

    async def make_run(self, run: NewRun) -> bool:
        """Keep a run and its cells; False when it was there already."""
        return await self._write(lambda connection: writing.make_run(connection, run))

    async def run(self, run_id: str) -> Run:
        """Read a run and how far it is.

        Raises:
            NotFound: `run_unknown`.
        """
        return await self._read(lambda connection: reading.run(connection, run_id))

    async def open_cells(self, run_id: str) -> list[int]:
        """List the indexes of the cells without an end."""
        return await self._read(lambda connection: reading.open_cells(connection, run_id))

    async def probe(self, run_id: str, index: int) -> Probe:
        """Read all that is needed to ask a cell to its end.

        Raises:
            NotFound: `run_unknown`, `cell_unknown`.
        """
        return await self._read(lambda connection: reading.probe(connection, run_id, index))

    async def cell(self, run_id: str, index: int) -> Cell:
        return (await self.probe(run_id, index)).cell

    async def turns(self, run_id: str, index: int) -> tuple[Turn, ...]:
        return await self._read(lambda connection: reading.turns(connection, run_id, index))

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

    async def note_fault(self, run_id: str, index: int, fault: str, message: str) -> None:
        """Say why a cell that is still open has to wait; its end takes the place of it."""
        await self._write(
            lambda connection: writing.note_fault(connection, run_id, index, fault, message)
        )

    async def purge(self, run_id: str) -> bool:
        """Delete a run and all that was said in it."""
        count = await self._write(lambda connection: writing.purge(connection, [run_id]))
        (await self._open()).database.scrub()
        await asyncio.to_thread(
            shutil.rmtree, opening.results_of(self.folder, run_id), ignore_errors=True
        )
        return count > 0

    async def look(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function that reads for long, in a thread of its own."""
        return await (await self._open()).reader.read(run)

    async def forget_due(self) -> None:
        """Act on notes of purged tasks, if there are any."""
        opened = await self._open()
        await asyncio.to_thread(opened.forget)

    async def _write(self, run: Callable[[sqlite3.Connection], T]) -> T:
        opened = self._opened or await self._open()
        try:
            return await opened.database.write(run)
        except AppError as error:
            if error.code == STORE_CORRUPT:
                # Whoever comes next opens it anew, and then it is set aside.
                await self._drop(opened)
            raise

    async def _read(self, run: Callable[[sqlite3.Connection], T]) -> T:
        return await self._write(run)

    async def _drop(self, opened: _Opened) -> None:
        async with self._opening:
            if self._opened is opened:
                self._opened = None
                if self._timer is not None:
                    self._timer.cancel()
                await asyncio.to_thread(opened.close)

    async def _open(self) -> _Opened:
        if self._opened is None:
            async with self._opening:
                if self._opened is None:
                    self._opened = await self._open_soon()
                    self._watch(self._opened)
        return self._opened

    async def _open_soon(self) -> _Opened:
        """Open, once the process that wrote before has ended."""
        until = self._environment.monotonic() + LOCK_SECONDS
        while True:
            try:
                return await asyncio.to_thread(_Opened, self.folder, self._environment.now())
            except AppError as error:
                if error.code != "transcripts_busy" or self._environment.monotonic() >= until:
                    raise
            await asyncio.sleep(LOCK_STEP_SECONDS)

    def _watch(self, opened: _Opened) -> None:
        """Look for notes now and then, as long as the loop runs and this is open."""
        loop = asyncio.get_running_loop()

        def look() -> None:
            if self._looking is None or self._looking.done():
                self._looking = loop.run_in_executor(None, opened.forget)
            self._watch(opened)

        self._timer = loop.call_later(FORGET_SECONDS, look)


class _Opened:
    """The lock, the file, and a second way to read it."""

    def __init__(self, folder: Path, now: datetime) -> None:
        self.folder = folder
        self.lock = opening.lock(folder)
        try:
            self.database = opening.open_to_write(folder, now)
        except BaseException:
            self.lock.release()
            raise
        self.reader = self.database.reader()
        self.forget()

    def forget(self) -> None:
        # A disk that fails is told to whoever writes next; the notes stay.
        with contextlib.suppress(AppError):
            if forgetting.is_due(self.folder):
                forgetting.obey(self.folder, self.database)

    def close(self) -> None:
        self.forget()
        self.database.close()
        self.lock.release()
