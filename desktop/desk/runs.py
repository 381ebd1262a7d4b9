"""The probe runs of this machine, as a person looks at them: how far, what failed, what was said.

All of it is read from the transcripts, in a thread, beside the child that writes them.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from desktop.charts.shapes import RUN_PICTURES, RunPicture
from desktop.store.transcripts import opening, pages, reading
from desktop.store.transcripts.opening import FILE_NAME
from desktop.store.transcripts.records import CellFacts, CellPage, Probe, Run, Tally, Wanted
from shared.errors import NotFound

__all__ = ["CellFacts", "CellPage", "Detail", "Probe", "Run", "Runs", "Tally", "Wanted"]

T = TypeVar("T")
PLOTS_BYTES_MAX = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One run with what its statistics left."""

    run: Run
    folder: Path
    """Where its results are; not there before there are any."""
    plots: tuple[RunPicture, ...]
    """The most telling first; none before the statistics are done."""
    table: str
    """The figures as text; empty before the statistics are done."""


class Runs:
    def __init__(self, data: Path, results: Path) -> None:
        """Look at runs.

        Args:
            data: the folder that the transcripts are in.
            results: the folder with one folder for each run's results.
        """
        self._data = data
        self._results = results

    @property
    def file(self) -> Path:
        """The transcripts, whose change says that there may be news."""
        return self._data / FILE_NAME

    async def all(self) -> tuple[Run, ...]:
        """The runs, the newest first; none when nothing was probed yet."""
        try:
            return await self._read(reading.runs)
        except NotFound:
            return ()

    async def detail(self, run_id: str) -> Detail:
        """One run.

        Raises:
            NotFound: `run_unknown`, `no_runs`.
        """
        run = await self._read(lambda c: reading.run(c, run_id))
        return await asyncio.to_thread(self._detail, run)

    async def cells(self, run_id: str, wanted: Wanted, after: int = -1) -> CellPage:
        """A page of a run's probes.

        Raises:
            NotFound: `run_unknown`, `no_runs`.
        """
        return await self._read(lambda c: pages.cells(c, run_id, wanted, after=after))

    async def probe(self, run_id: str, index: int) -> Probe:
        """One probe with its turns.

        Raises:
            NotFound: `cell_unknown`, `run_unknown`, `no_runs`.
        """
        return await self._read(lambda c: reading.probe(c, run_id, index))

    async def _read(self, read: Callable[[sqlite3.Connection], T]) -> T:
        def look() -> T:
            with opening.reading(self._data) as connection:
                return read(connection)

        return await asyncio.to_thread(look)

    def _detail(self, run: Run) -> Detail:
        folder = self._results / run.run_id
        table = folder / "table.txt"
        return Detail(
            run=run,
            folder=folder,
            plots=_plots(folder / "plots.json"),
            table=table.read_text(encoding="utf-8") if table.is_file() else "",
        )


def _plots(path: Path) -> tuple[RunPicture, ...]:
    """Read what the statistics left to paint; what cannot be read was written by something else."""
    try:
        if path.stat().st_size > PLOTS_BYTES_MAX:
            return ()
        return tuple(RUN_PICTURES.validate_json(path.read_bytes()).values())
    except (OSError, ValidationError):
        return ()
