"""Text files: .csv, .tsv, .txt, in any usual encoding and with any usual delimiter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from desktop.jobs.data.cells import Cells
from desktop.jobs.data.dialect import Dialect, dialect_of, fields_of, records
from desktop.jobs.data.encoding import Fingerprint, encoding_of
from desktop.jobs.data.raw import CELL_BYTES, RawTable, Reach
from desktop.jobs.data.rows import Row, RowLog, Sampler, Shape, columns_of, right_rows
from shared.errors import BadInput

SAMPLE_CHARS = 200_000
REPLACEMENT = "\ufffd"
UNCLOSED = "a quote is never closed"
SWALLOWED_WIDTH_MIN = 3
"""In narrower tables a cell of several lines may well look like rows."""
SWALLOWED_LINES_MIN = 5
"""So many lines in a cell of an otherwise right row must look like rows to be taken for them."""
SWALLOWED_SHARE_MIN = 0.8


def read_text(path: Path, print_: Fingerprint, reach: Reach) -> RawTable:
    """Read a text file as a table of text.

    Raises:
        BadInput: `file_binary`, `file_empty`.
        LimitReached: `file_too_big`.
    """
    encoding = encoding_of(print_, path.name)
    dialect = dialect_of(_sample(path, encoding))
    if dialect is None:
        raise BadInput("file_empty", f"{path.name} is empty.", "Choose a file with rows in it.")
    lines = max(1, print_.lines)
    row_bytes = print_.file_bytes / lines + CELL_BYTES * dialect.width
    share = reach.share(path.name, print_.file_bytes, lines, row_bytes)
    log, sampler = RowLog(), Sampler(share, reach.seed)
    parts: list[list[object]] = [[] for _ in range(dialect.width)]
    with path.open(encoding=encoding, errors="replace") as file:
        rows = right_rows(_rows(file, dialect, log), Shape(dialect.header, dialect.pads_short), log)
        for block in columns_of(rows, dialect.width, sampler):
            for part, column in zip(parts, block, strict=True):
                part.append(column)
            reach.step(min(log.rows, lines), lines)
    columns = [Cells.of(name, parts.pop(0)) for name in dialect.header]
    return RawTable(
        columns=columns,
        log=log,
        header_line=dialect.header_line,
        encoding=encoding,
        delimiter=dialect.delimiter,
    )


def _sample(path: Path, encoding: str) -> str:
    with path.open(encoding=encoding, errors="replace") as file:
        text = file.read(SAMPLE_CHARS)
    # The last line is cut somewhere, unless the file ends here.
    whole = text.rsplit("\n", 1)[0] if len(text) == SAMPLE_CHARS else text
    return whole.replace("\0", "")


def _rows(lines: Iterable[str], dialect: Dialect, log: RowLog) -> Iterator[Row]:
    """Split lines into rows of data; blank lines are none, open quotes are reported."""
    delimiter, escape = dialect.delimiter, dialect.escape
    for line, text, is_closed in records(lines, delimiter):
        if line < dialect.first_line:
            continue
        if not is_closed:
            log.skip(line, UNCLOSED)
        elif not text or text.isspace():
            continue
        elif (cells := fields_of(text, delimiter, escape)) and _swallowed(text, cells, dialect):
            yield from _freed(line, text, dialect, log)
        else:
            yield line, cells


def _swallowed(text: str, cells: list[str], dialect: Dialect) -> bool:
    """Tell whether a cell of several lines is rows between two quotes that mean nothing."""
    inner = text.split("\n")[1:-1]
    if not inner or dialect.width < SWALLOWED_WIDTH_MIN:
        return False
    if len(cells) == dialect.width and len(inner) < SWALLOWED_LINES_MIN:
        return False
    right = sum(len(fields_of(line, dialect.delimiter)) == dialect.width for line in inner)
    return right >= SWALLOWED_SHARE_MIN * len(inner)


def _freed(line: int, text: str, dialect: Dialect, log: RowLog) -> Iterator[Row]:
    for number, one in enumerate(text.split("\n"), start=line):
        cells = fields_of(one, dialect.delimiter, dialect.escape)
        if len(cells) == dialect.width:
            yield number, cells
        elif one and not one.isspace():
            log.skip(number, UNCLOSED)
