"""Rows that two stray quotes made into one cell are rows again.

A quote typed by mistake opens a cell which the next such quote closes, hundreds of lines later.
Without this a file would lose all rows between them, and tell of one.
"""

from __future__ import annotations

from collections.abc import Iterator

from desktop.jobs.data.dialect import Dialect, fields_of
from desktop.jobs.data.rows import Row, RowLog

UNCLOSED = "a quote is never closed"
WIDTH_MIN = 3
"""In narrower tables a cell of several lines may well look like rows."""
LINES_MIN = 5
"""So many lines in a cell of an otherwise right row must look like rows to be taken for them."""
ROWS_SHARE_MIN = 0.8


def has_swallowed(text: str, cells: list[str], dialect: Dialect) -> bool:
    """Tell whether a record of several lines is made of rows, whose cells it was split into."""
    inner = text.split("\n")[1:-1]
    if not inner or dialect.width < WIDTH_MIN:
        return False
    if len(cells) == dialect.width and len(inner) < LINES_MIN:
        return False
    rows = sum(len(fields_of(line, dialect.delimiter)) == dialect.width for line in inner)
    return rows >= ROWS_SHARE_MIN * len(inner)


def freed(line: int, text: str, dialect: Dialect, log: RowLog) -> Iterator[Row]:
    """Give the rows of such a record; lines that are none are reported."""
    for number, one in enumerate(text.split("\n"), start=line):
        cells = fields_of(one, dialect.delimiter, dialect.escape)
        if len(cells) == dialect.width:
            yield number, cells
        elif one and not one.isspace():
            log.skip(number, UNCLOSED)
