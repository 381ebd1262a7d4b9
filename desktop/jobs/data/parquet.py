"""Parquet files, a batch at a time; values become text that reads back as the same value.

One way to columns for all formats costs a little time and saves a second set of rules.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from desktop.jobs.data.header import unique
from desktop.jobs.data.raw import CELL_BYTES, RawTable, Reach
from desktop.jobs.data.rows import RowLog
from shared.errors import BadInput

BATCH_ROWS = 50_000
VALUE_BYTES = 12
"""A number as text, on average."""


def read_parquet(path: Path, reach: Reach) -> RawTable:
    """Read a Parquet file as a table of text.

    Raises:
        BadInput: `file_broken`.
        LimitReached: `file_too_big`.
    """
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            return _read(path, file, reach)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, PermissionError):
            raise
        raise BadInput(
            "file_broken",
            f"{path.name} is no Parquet file, or a damaged one.",
            "Write it again, or choose another file.",
        ) from error


def _read(path: Path, file: pa.parquet.ParquetFile, reach: Reach) -> RawTable:
    names = unique(file.schema_arrow.names)
    total = file.metadata.num_rows
    row_bytes = (VALUE_BYTES + CELL_BYTES) * len(names)
    share = reach.share(path.name, path.stat().st_size, total, row_bytes)
    random = np.random.default_rng(reach.seed)
    log = RowLog()
    parts: list[list[pa.LargeStringArray]] = [[] for _ in names]
    for whole in file.iter_batches(batch_size=BATCH_ROWS):
        log.rows += whole.num_rows
        is_kept = random.random(whole.num_rows) < share
        batch = whole.filter(pa.array(is_kept)) if share < 1 else whole
        for part, column in zip(parts, batch.columns, strict=True):
            part.append(_text(column))
        reach.step(log.rows, total)
    is_plain = tuple(_is_number(field.type) for field in file.schema_arrow)
    return RawTable(names=tuple(names), parts=parts, log=log, header_line=None, is_plain=is_plain)


def _is_number(sort: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(sort) or pa.types.is_floating(sort) or pa.types.is_decimal(sort)
    )


def _text(column: pa.Array) -> pa.LargeStringArray:
    """Write values as text; instants in UTC, nested values as Python writes them."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        column = column.cast(pa.timestamp(column.type.unit))
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
        values = [None if value is None else str(value) for value in column.to_pylist()]
        return pa.array(values, pa.large_string())
    text = column.cast(pa.large_string())
    return pc.utf8_trim_whitespace(text) if pa.types.is_large_string(text.type) else text
