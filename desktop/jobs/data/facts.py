"""What is told of a column once its values are known, and what a person should hear of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from desktop.jobs import wording
from desktop.jobs.data.cells import Cells
from desktop.jobs.data.dates import DateReading
from desktop.jobs.data.numbers import NumberReading
from desktop.jobs.data.table import LEVELS_TOLD_MAX, Column, ColumnKind

Floats = npt.NDArray[np.float64]
EDGES = np.linspace(0.1, 0.9, 9)
NANOSECONDS = 1e9


def of_numbers(name: str, values: Floats, reading: NumberReading | None, unread: int) -> Column:
    """Tell of numbers: float64 [rows], NaN where missing."""
    known = values[~np.isnan(values)]
    distinct, counts = np.unique(known, return_counts=True)
    return Column(
        name=name,
        kind=ColumnKind.NUMBER,
        missing_share=_missing(len(values), len(known)),
        distinct=len(distinct),
        is_integer=bool(len(known)) and not (known % 1).any(),
        decimal_comma=reading is not None and reading.decimal_comma,
        unit=None if reading is None else reading.unit,
        levels=_levels([f"{value:.15g}" for value in distinct[: LEVELS_TOLD_MAX + 1]], counts),
        minimum=float(known.min()) if len(known) else None,
        maximum=float(known.max()) if len(known) else None,
        quantiles=_quantiles(known),
        unread=unread,
    )


def of_dates(
    name: str, values: npt.NDArray[np.datetime64], date_format: str, unread: int
) -> Column:
    """Tell of dates: datetime64[ns] [rows], NaT where missing."""
    known = values[~np.isnat(values)].astype("datetime64[ns]").astype(np.int64) / NANOSECONDS
    return Column(
        name=name,
        kind=ColumnKind.DATE,
        missing_share=_missing(len(values), len(known)),
        distinct=len(np.unique(known)),
        date_format=date_format,
        minimum=float(known.min()) if len(known) else None,
        maximum=float(known.max()) if len(known) else None,
        quantiles=_quantiles(known),
        unread=unread,
    )


def of_texts(cells: Cells, kind: ColumnKind) -> Column:
    """Tell of a column that stays text."""
    order = np.lexsort((np.arange(len(cells.weights)), -cells.weights))[:LEVELS_TOLD_MAX]
    levels = tuple((str(cells.texts[int(n)].as_py()), int(cells.weights[n])) for n in order)
    return Column(
        name=cells.name,
        kind=kind,
        missing_share=_missing(cells.rows, cells.known_rows),
        distinct=len(cells.texts),
        levels=levels,
    )


def warnings_of(
    column: Column, placeholders: Sequence[str], dates: DateReading | None
) -> Iterator[str]:
    """Say in sentences what may surprise about how a column was read."""
    if placeholders:
        yield f"In '{column.name}' {wording.listed(placeholders)} counts as missing."
    elif column.unread:
        cells = wording.count(column.unread, "cell")
        verb = "is" if column.unread == 1 else "are"
        yield f"{cells} of '{column.name}' {verb} no {column.kind.value} and count as missing."
    if column.kind is ColumnKind.DATE and dates is not None and not dates.is_certain:
        order = "day/month" if dates.date_format == "d.m.y" else "month/day"
        yield f"'{column.name}' could be day/month or month/day; it was read as {order}."


def _missing(rows: int, known: int) -> float:
    return (rows - known) / rows if rows else 0.0


def _quantiles(known: Floats) -> tuple[float, ...]:
    if not len(known):
        return ()
    return tuple(float(edge) for edge in np.unique(np.quantile(known, EDGES)))


def _levels(texts: list[str], counts: npt.NDArray[np.int64]) -> tuple[tuple[str, int], ...]:
    """Pair up levels, the most common first; none when there are too many to tell."""
    if len(texts) > LEVELS_TOLD_MAX:
        return ()
    pairs = zip(texts, counts.tolist(), strict=True)
    return tuple(sorted(pairs, key=lambda pair: -pair[1]))
