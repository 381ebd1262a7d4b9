"""Text files: .csv, .tsv, .txt, in any usual encoding and with any usual delimiter."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from desktop.jobs.data.blocks import text_columns
from desktop.jobs.data.dialect import dialect_of
from desktop.jobs.data.encoding import Fingerprint, encoding_of
from desktop.jobs.data.raw import CELL_BYTES, RawTable, Reach
from desktop.jobs.data.rows import RowLog, Sampler
from shared.errors import BadInput

SAMPLE_CHARS = 200_000


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
    parts: list[list[pa.LargeStringArray]] = [[] for _ in range(dialect.width)]
    with path.open(encoding=encoding, errors="replace") as file:
        for block in text_columns(file, dialect, log, sampler):
            for part, column in zip(parts, block, strict=True):
                part.append(column)
            reach.step(min(log.rows, lines), lines)
    return RawTable(
        names=dialect.header,
        parts=parts,
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
