"""A table of text as it comes out of a file, and how much of the file may be taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pyarrow as pa

from desktop.jobs import wording
from desktop.jobs.data.cells import Cells
from desktop.jobs.data.rows import RowLog
from shared.errors import LimitReached

Step = Callable[[float, float], None]

CELL_BYTES = 16.0
"""What an array of text needs for a cell beside its letters."""
TEXT_SHARE = 0.25
"""The share of the free memory that a table may take as text; converting needs the rest."""
ROWS_MIN = 1000
"""A sample smaller than this is no use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How much of a file may be taken into memory."""

    rows_max: int | None
    """None when a part of the rows is of no use."""
    free_ram_bytes: int
    seed: int
    step: Step
    """Told (done, total) of reading."""

    def share(self, file: str, file_bytes: int, rows: int, row_bytes: float) -> float:
        """Give the share (0..1) of a file's rows that may be taken.

        Args:
            file: its name, for the error.
            file_bytes: its size, for the error.
            rows: how many rows it has, about.
            row_bytes: what one needs as text.

        Raises:
            LimitReached: `file_too_big`, when less than a useful part fits.
        """
        fitting = int(self.free_ram_bytes * TEXT_SHARE / max(1.0, row_bytes))
        wanted = rows if self.rows_max is None else min(rows, self.rows_max)
        if fitting < (rows if self.rows_max is None else min(wanted, ROWS_MIN)):
            raise too_big(file, file_bytes)
        return min(fitting, wanted) / max(1, rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    names: tuple[str, ...]
    parts: list[list[pa.LargeStringArray]]
    """[columns][blocks]; `columns` takes them away."""
    log: RowLog
    header_line: int | None
    encoding: str | None = None
    delimiter: str | None = None
    is_plain: tuple[bool, ...] = ()
    """Of each column, whether the file itself says that it holds numbers; () for none."""
    warnings: tuple[str, ...] = ()

    @property
    def has_names(self) -> bool:
        return self.names[0] != "column 1" or self.header_line is not None

    def columns(self) -> Iterator[Cells]:
        """Give one column after the other, once, and forget it: memory for two is not there."""
        plain = self.is_plain or (False,) * len(self.names)
        for number, (name, is_plain) in enumerate(zip(self.names, plain, strict=True), start=1):
            cells = Cells.of(name, self.parts.pop(0))
            is_margin = name == f"column {number}" and len(cells.texts) == 0
            # A column without a name and without a value is the margin of a sheet.
            if not is_margin:
                yield replace(cells, is_plain=is_plain)


def too_big(file: str, file_bytes: int) -> LimitReached:
    """Say that not even a sample of a file fits into memory."""
    return LimitReached(
        "file_too_big",
        f"{file} ({wording.size(file_bytes)}) does not fit into the memory this job may use.",
        "Close other programs, raise the memory limit, or take fewer columns.",
    )
