"""Lines of a text file become columns of text, a block of lines at a time.

Where every line of a block is one right row, Arrow splits it, which is ten times as fast as
Python; every other block, and the last, is gone through row by row (`rows`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TextIO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from desktop.jobs.data.dialect import Dialect, fields_of, records
from desktop.jobs.data.rows import Row, RowLog, Sampler, Shape, right_rows, transposed
from desktop.jobs.data.stray_quotes import UNCLOSED, freed, has_swallowed

BLOCK_LINES = 20_000
MARGIN_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Block:
    first_line: int
    """Counted from 1."""
    lines: list[str]
    is_last: bool

    def after(self, lines: list[str]) -> Block:
        """Put the lines of a record that began in the block before in front."""
        return Block(self.first_line - len(lines), [*lines, *self.lines], self.is_last)


def text_columns(
    file: TextIO,
    dialect: Dialect,
    log: RowLog,
    sampler: Sampler,
    *,
    block_lines: int = BLOCK_LINES,
) -> Iterator[list[pa.LargeStringArray]]:
    """Give the columns of one block after the other: [width] arrays of equal length."""
    shape = Shape(dialect.header, dialect.pads_short)
    open_lines: list[str] = []
    for lines in _blocks(file, dialect.first_line, block_lines):
        block = lines.after(open_lines)
        open_lines = []
        quick = None if block.is_last else _quick(block, dialect)
        if quick is not None:
            log.rows += len(quick[0])
            yield sampler.filtered(quick)
            continue
        left_open = None if block.is_last else open_lines
        rows = _rows(block, dialect, log, left_open)
        right = list(right_rows(rows, shape, log, has_end=block.is_last))
        yield transposed(sampler(right), dialect.width)


def _blocks(file: TextIO, first_line: int, block_lines: int) -> Iterator[Block]:
    """Cut the file into blocks; the last is no shorter than the others, unless it is alone.

    So the end of the file is seen together with what stands before it.
    """
    for _ in islice(file, first_line - 1):
        pass
    line = first_line
    held = list(islice(file, block_lines))
    while len(held) >= block_lines:
        following = list(islice(file, block_lines))
        if len(following) < block_lines:
            held += following
            break
        yield Block(line, held, is_last=False)
        line += len(held)
        held = following
    yield Block(line, held, is_last=True)


def _quick(block: Block, dialect: Dialect) -> list[pa.LargeStringArray] | None:
    """Let Arrow split a block; None when not every line is a row like the others."""
    if len(dialect.delimiter) > 1 or dialect.escape is not None:
        return None
    # Arrow would close a quote that is still open at the end.
    if block.lines[-1].count('"') % 2:
        return None
    content = "".join(block.lines).encode()
    if b"\0" in content:
        return None
    try:
        table = csv.read_csv(
            pa.BufferReader(content),
            csv.ReadOptions(
                column_names=list(map(str, range(dialect.width))),
                use_threads=False,
                block_size=len(content) + MARGIN_BYTES,
            ),
            csv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=True),
            csv.ConvertOptions(
                column_types=dict.fromkeys(map(str, range(dialect.width)), pa.large_string()),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != len(block.lines):
        return None
    columns = [pc.utf8_trim_whitespace(column.combine_chunks()) for column in table.columns]
    return columns if _are_all_values(columns, dialect) else None


def _are_all_values(columns: list[pa.LargeStringArray], dialect: Dialect) -> bool:
    """Tell whether no row could be empty or the header once more."""
    suspects = pa.array(["", dialect.header[0]], pa.large_string())
    return not pc.any(pc.is_in(columns[0], suspects)).as_py()


def _rows(
    block: Block, dialect: Dialect, log: RowLog, left_open: list[str] | None
) -> Iterator[Row]:
    """Split lines into rows of data; blank lines are none, open quotes are reported."""
    delimiter, escape = dialect.delimiter, dialect.escape
    for line, text, is_closed in records(block.lines, delimiter, block.first_line, left_open):
        if not is_closed:
            log.skip(line, UNCLOSED)
        elif text and not text.isspace():
            cells = fields_of(text, delimiter, escape)
            if has_swallowed(text, cells, dialect):
                yield from freed(line, text, dialect, log)
            else:
                yield line, cells
