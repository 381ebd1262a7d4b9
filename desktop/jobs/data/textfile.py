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
            log.skip(line, "a quote is never closed")
        elif text and not text.isspace():
            yield line, fields_of(text, delimiter, escape)
