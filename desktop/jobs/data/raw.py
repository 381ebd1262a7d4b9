"""A table of text as it comes out of a file, and how much of the file may be taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from desktop.jobs import wording
from desktop.jobs.data.cells import Cells
from desktop.jobs.data.rows import RowLog
from shared.errors import LimitReached

Step = Callable[[float, float], None]

CELL_BYTES = 16
"""What an array of text needs for a cell beside its letters."""
TEXT_SHARE = 0.25
"""The share of the free memory that a table may take as text; converting needs the rest."""
ROWS_MIN = 1000
"""A sample smaller than this is no use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How much of a file may be taken into memory."""

    rows_max: int
    free_ram_bytes: int
    seed: int
    step: Step
    """Told (done, total) of reading."""

    def rows(self, row_bytes: float, width: int) -> int:
        """Give how many rows of this size fit."""
        each = row_bytes + CELL_BYTES * width
        return min(self.rows_max, int(self.free_ram_bytes * TEXT_SHARE / max(1.0, each)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    columns: list[Cells]
    log: RowLog
    header_line: int | None
    encoding: str | None = None
    delimiter: str | None = None
    warnings: tuple[str, ...] = ()


def too_big(file: str, file_bytes: int) -> LimitReached:
    """Say that not even a sample of a file fits into memory."""
    return LimitReached(
        "file_too_big",
        f"{file} ({wording.size(file_bytes)}) does not fit into the memory this job may use.",
        "Close other programs, raise the memory limit, or take fewer columns.",
    )
