"""What a table is once it is read: typed columns, facts of each, and how the reading went.

Reading is left to `reading`, deciding kinds to `columns`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

LEVELS_TOLD_MAX = 50
SKIPPED_NAMED_MAX = 20


class ColumnKind(StrEnum):
    NUMBER = "number"
    CATEGORY = "category"
    TEXT = "text"
    DATE = "date"
    ID = "id"
    """Names each row; says nothing of other rows."""
    CONSTANT = "constant"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What is known of one column, over all rows that were read."""

    name: str
    kind: ColumnKind
    missing_share: float
    """0..1; cells that could not be converted count as missing."""
    distinct: int
    """How many different values there are, missing not counted."""
    is_integer: bool = False
    """Whether all numbers are whole."""
    date_format: str | None = None
    """"y-m-d", "d.m.y", "m/d/y", "yyyymmdd", "d month y", "month d y"; "typed" when the file
    itself says that these are dates. None for other kinds."""
    decimal_comma: bool = False
    unit: str | None = None
    """The currency or percent sign that was removed: "5 %" is 5.0. None when there was none."""
    levels: tuple[tuple[str, int], ...] = ()
    """(value, rows) of the most common values, at most LEVELS_TOLD_MAX, the most common first;
    empty for numbers and dates with more distinct values than that."""
    minimum: float | None = None
    """Of numbers; of dates in seconds since 1970-01-01 UTC. None for other kinds."""
    maximum: float | None = None
    quantiles: tuple[float, ...] = ()
    """Strictly rising inner bin edges: quantiles 0.1 … 0.9 without repeats, same unit."""
    unread: int = 0
    """Cells that are not empty and yet no number or date, in a column of numbers or dates."""


@dataclass(frozen=True, slots=True)
class SkippedRow:
    line: int
    """Counted from 1 as an editor shows it; in a workbook the row."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReport:
    """How reading a file went."""

    file: str
    """Its name without folders."""
    file_bytes: int
    sha256: str
    encoding: str | None
    """A Python codec name; None for binary formats."""
    delimiter: str | None
    header_line: int | None
    """Counted from 1; None when the file has no header and columns were numbered."""
    rows: int
    """Rows in the table."""
    skipped: int = 0
    skipped_rows: tuple[SkippedRow, ...] = ()
    """The first SKIPPED_NAMED_MAX of them."""
    sampled_of: int | None = None
    """How many rows the file has, when only a random part was kept; None when all were."""
    warnings: tuple[str, ...] = ()
    """Sentences for the person."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table in memory.

    `frame` holds one column for each of `columns`, in their order, with a plain 0..n-1 index:
    number -> float64 (float32 when the file is large for this machine), date -> datetime64[ns]
    in UTC without a zone, every other kind -> pandas' str with NaN where missing.
    """

    frame: pd.DataFrame
    columns: tuple[Column, ...]
    report: ReadReport

    @property
    def kinds(self) -> dict[str, str]:
        """Column name -> kind."""
        return {column.name: column.kind.value for column in self.columns}

    def column(self, name: str) -> Column:
        """Find a column's facts by its exact name.

        Raises:
            KeyError: there is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)
