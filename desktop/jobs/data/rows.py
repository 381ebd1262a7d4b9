"""Rows of a table as text, on their way from a file to columns: kept, counted or skipped.

Knows nothing of files: text files and workbooks give their rows here, and get columns of text.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from desktop.jobs.data.numbers import looks_numeric
from desktop.jobs.data.table import SKIPPED_NAMED_MAX, SkippedRow

BLOCK_ROWS = 20_000
TOTALS_LAST_MAX = 3
TOTAL_WORDS = (
    *("total", "totals", "grand total", "sum", "subtotal", "average", "mean"),
    *("итого", "всего", "итог", "сумма", "summe", "gesamt", "gesamtsumme", "total général"),
    *("totale", "suma", "razem", "toplam"),
)

Row = tuple[int, list[str]]
"""(line counted from 1, cells)"""


@dataclass(slots=True)
class RowLog:
    """What was left out, and why."""

    skipped: int = 0
    named: list[SkippedRow] = field(default_factory=list)
    padded: int = 0
    rows: int = 0
    """Rows that were right, whether kept or left out of a sample."""

    def skip(self, line: int, reason: str) -> None:
        self.skipped += 1
        if len(self.named) < SKIPPED_NAMED_MAX:
            self.named.append(SkippedRow(line, reason))


@dataclass(frozen=True, slots=True)
class Shape:
    """What every row must be like."""

    header: tuple[str, ...]
    pads_short: bool = False


def right_rows(
    rows: Iterable[Row], shape: Shape, log: RowLog, *, has_end: bool = True
) -> Iterator[list[str]]:
    """Pass on rows of the right width; report the others and repeated headers.

    With `has_end` the last of these rows are the last of the table: totals among them are left
    out as well.
    """
    right = _of_width(rows, shape, log)
    for _, cells in _without_totals(right, log) if has_end else right:
        log.rows += 1
        yield cells


def _of_width(rows: Iterable[Row], shape: Shape, log: RowLog) -> Iterator[Row]:
    width = len(shape.header)
    header = list(shape.header)
    for line, given in rows:
        cells = given
        if len(cells) != width:
            fitted = _fitted(cells, width, pads_short=shape.pads_short)
            if fitted is None:
                log.skip(line, f"{len(cells)} fields instead of {width}")
                continue
            log.padded += len(cells) < width
            cells = fitted
        if cells[0] == header[0] and cells == header:
            log.skip(line, "the header once more")
        elif not cells[0] and not any(cells):
            log.skip(line, "no values")
        else:
            yield line, cells


def _fitted(cells: list[str], width: int, *, pads_short: bool) -> list[str] | None:
    if len(cells) > width:
        return None if any(cells[width:]) else cells[:width]
    if pads_short and len(cells) > 1:
        return cells + [""] * (width - len(cells))
    return None


def _without_totals(rows: Iterable[Row], log: RowLog) -> Iterator[Row]:
    """Hold back the last rows of the file, to see whether they add up the others."""
    held: deque[Row] = deque()
    for row in rows:
        held.append(row)
        if len(held) > TOTALS_LAST_MAX:
            yield held.popleft()
    for line, cells in held:
        if _is_total(cells):
            log.skip(line, "a total, not a row")
        else:
            yield line, cells


def _is_total(cells: Sequence[str]) -> bool:
    """Tell a total: it is called one, most of its cells are empty or numbers, some are empty."""
    first = next((cell for cell in cells if cell), "")
    others = [cell for cell in cells if cell and cell is not first]
    return (
        first.casefold().strip(" :=") in TOTAL_WORDS
        and len(others) + 1 < len(cells)
        and all(looks_numeric(cell) for cell in others)
    )


class Sampler:
    """Keeps a share of rows by chance; the same seed keeps the same rows."""

    def __init__(self, share: float, seed: int) -> None:
        self.share = share
        self._random = np.random.default_rng(seed)

    def filtered(self, columns: list[pa.LargeStringArray]) -> list[pa.LargeStringArray]:
        """Keep a share of the rows of columns of equal length."""
        if self.share >= 1:
            return columns
        is_kept = pa.array(self._random.random(len(columns[0])) < self.share)
        return [column.filter(is_kept) for column in columns]

    def __call__(self, rows: list[list[str]]) -> list[list[str]]:
        if self.share >= 1:
            return rows
        is_kept = self._random.random(len(rows)) < self.share
        return [row for row, kept in zip(rows, is_kept.tolist(), strict=True) if kept]


def columns_of(
    rows: Iterator[list[str]], width: int, sampler: Sampler
) -> Iterator[list[pa.LargeStringArray]]:
    """Turn rows into columns of text, a block at a time: [width] arrays of equal length."""
    block: list[list[str]] = []
    for row in rows:
        block.append(row)
        if len(block) >= BLOCK_ROWS:
            yield transposed(sampler(block), width)
            block = []
    yield transposed(sampler(block), width)


def transposed(rows: list[list[str]], width: int) -> list[pa.LargeStringArray]:
    """Turn rows into columns: [width] arrays of equal length."""
    cells = zip(*rows, strict=True) if rows else ([] for _ in range(width))
    return [pa.array(list(column), pa.large_string()) for column in cells]
