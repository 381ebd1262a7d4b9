"""What a column was like at training: enough to tell later whether a new file still fits.

No cell is kept but levels of categories and the extremes of numbers. Comparing a new file with a
profile is left to `conform` (cell by cell) and `drift` (as a whole).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from desktop.jobs.data.table import LEVELS_TOLD_MAX, Column, ColumnKind

if TYPE_CHECKING:
    import pandas as pd

LEVELS_KEPT_MAX = 5000
"""Categories with more levels cannot tell an unseen one."""
EDGES = np.linspace(0.1, 0.9, 9)
NANOSECONDS = 1e9
LEVELLED = (ColumnKind.CATEGORY, ColumnKind.CONSTANT)
"""Kinds whose cells are compared as a whole; of the other texts only the length is."""

Floats = npt.NDArray[np.float64]


class ColumnProfile(BaseModel):
    """One column of the training table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: ColumnKind
    rows: int
    missing_rows: int
    distinct: int
    is_integer: bool = False
    date_format: str | None = None
    decimal_comma: bool = False
    unit: str | None = None
    levels: tuple[tuple[str, int], ...] = ()
    """(value, rows) of a category, the most common first, at most LEVELS_KEPT_MAX."""
    minimum: float | None = None
    """Of numbers; of dates in seconds since 1970-01-01 UTC."""
    maximum: float | None = None
    edges: tuple[float, ...] = ()
    """Strictly rising inner bin edges of what `measured` gives."""
    bin_rows: tuple[int, ...] = ()
    """Rows in each of the len(edges) + 1 bins; a value on an edge is in the upper bin."""
    sizes: tuple[float, float, float] | None = None
    """Of numbers that are not 0, without their sign: 1st percentile, median, 99th percentile."""

    @classmethod
    def of(cls, column: Column, values: pd.Series) -> ColumnProfile:
        """Describe a column as `Table` holds it."""
        numbers = measured(values, column.kind)
        edges = _edges(numbers)
        is_number = column.kind is ColumnKind.NUMBER
        return cls(
            name=column.name,
            kind=column.kind,
            rows=len(values),
            missing_rows=int(values.isna().sum()),
            distinct=column.distinct,
            is_integer=column.is_integer,
            date_format=column.date_format,
            decimal_comma=column.decimal_comma,
            unit=column.unit,
            levels=_levels(values) if column.kind in LEVELLED else (),
            minimum=column.minimum,
            maximum=column.maximum,
            edges=edges,
            bin_rows=bin_rows(numbers, edges),
            sizes=sizes_of(numbers) if is_number else None,
        )

    @property
    def missing_share(self) -> float:
        """0..1."""
        return self.missing_rows / self.rows if self.rows else 0.0

    @property
    def has_all_levels(self) -> bool:
        return self.kind in LEVELLED and len(self.levels) == self.distinct

    @property
    def as_column(self) -> Column:
        """What reading a new file needs to read this column the same way."""
        return Column(
            name=self.name,
            kind=self.kind,
            missing_share=self.missing_share,
            distinct=self.distinct,
            is_integer=self.is_integer,
            date_format=self.date_format,
            decimal_comma=self.decimal_comma,
            unit=self.unit,
            levels=self.levels[:LEVELS_TOLD_MAX],
            minimum=self.minimum,
            maximum=self.maximum,
            quantiles=self.edges if self.kind in (ColumnKind.NUMBER, ColumnKind.DATE) else (),
        )


def measured(values: pd.Series, kind: ColumnKind) -> Floats:
    """Give what can be put into bins: numbers, dates in seconds, the length of other texts.

    Of columns that were empty in training it is 0 where there is a value now.

    Returns:
        float64 [rows], NaN where missing or infinite; all NaN for levelled ones.
    """
    match kind:
        case ColumnKind.NUMBER:
            numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
            return np.where(np.isfinite(numbers), numbers, np.nan)
        case ColumnKind.DATE:
            dates = values.to_numpy(dtype="datetime64[ns]")
            seconds = dates.astype(np.int64) / NANOSECONDS
            return np.where(np.isnat(dates), np.nan, seconds)
        case ColumnKind.TEXT | ColumnKind.ID:
            return np.asarray(values.str.len(), dtype=np.float64)
        case ColumnKind.EMPTY:
            return np.where(values.isna(), np.nan, 0.0)
        case ColumnKind.CATEGORY | ColumnKind.CONSTANT:
            return np.full(len(values), np.nan)


def bin_rows(numbers: Floats, edges: tuple[float, ...]) -> tuple[int, ...]:
    """Count numbers by bin; missing ones are in none."""
    known = numbers[~np.isnan(numbers)]
    places = np.searchsorted(np.asarray(edges, dtype=np.float64), known, side="right")
    return tuple(np.bincount(places, minlength=len(edges) + 1).tolist())


def sizes_of(numbers: Floats) -> tuple[float, float, float] | None:
    """Tell how large numbers are, 0 left out; None when there is no other."""
    sizes = np.abs(numbers[~np.isnan(numbers) & (numbers != 0)])
    if not len(sizes):
        return None
    low, middle, high = np.quantile(sizes, (0.01, 0.5, 0.99)).tolist()
    return low, middle, high


def _edges(numbers: Floats) -> tuple[float, ...]:
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        return ()
    return tuple(np.unique(np.quantile(known, EDGES)).tolist())


def _levels(values: pd.Series) -> tuple[tuple[str, int], ...]:
    counts = values.value_counts()
    pairs = ((str(level), int(rows)) for level, rows in counts.items())
    return tuple(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))[:LEVELS_KEPT_MAX]
