"""Reading a table from a file: the one door for training, prediction and description.

file -> rows of text (`textfile`, `excel`) -> Cells -> typed columns -> Table
file -> typed arrays (`parquet`) ------------------------------------^
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from desktop.jobs import wording
from desktop.jobs.data.columns import typed
from desktop.jobs.data.encoding import Fingerprint, fingerprint
from desktop.jobs.data.excel import read_excel
from desktop.jobs.data.parquet import read_parquet
from desktop.jobs.data.raw import RawTable, Reach
from desktop.jobs.data.table import Column, ReadReport, Table
from desktop.jobs.data.textfile import read_text
from shared.errors import BadInput, LimitReached, NotAllowed, NotFound

ROWS_MAX = 2_000_000
COLUMNS_MAX = 10_000
LARGE_SHARE = 0.25
"""Files above this share of the free memory are kept in single precision, and in part if need be.
Measured: a full read peaks near 3.2 times the file's size."""
FINGERPRINT_SHARE = 0.2
TYPING_SHARE = 0.2

Progress = Callable[[float, float], None]


def read_table(
    path: Path,
    *,
    free_ram_bytes: int,
    columns: Sequence[Column] | None = None,
    rows_max: int | None = ROWS_MAX,
    progress: Progress | None = None,
    seed: int = 0,
) -> Table:
    """Read a table whole, or a random part of its rows when it is too large.

    Args:
        path: a .csv, .tsv, .txt, .xlsx or .parquet file.
        free_ram_bytes: what reading may plan with.
        columns: at prediction, the columns as they were at training: cells are converted the
            same way. Names are compared without case and outer blanks; others are inferred.
        rows_max: of more rows a random sample is kept, as of more than fit into memory; the
            report says so. None when every row is needed.
        progress: told (done, 1.0).
        seed: for the sample.

    Raises:
        NotFound: `file_missing`.
        NotAllowed: `file_unreadable`.
        BadInput: `file_is_folder`, `file_empty`, `file_without_rows`,
            `file_binary`, `file_broken`, `file_locked`.
        LimitReached: `file_too_big`, `too_many_columns`.
    """
    told: Progress = progress or (lambda done, total: None)
    try:
        _check(path)
        print_ = fingerprint(path, _part(told, 0.0, FINGERPRINT_SHARE))
        reach = Reach(
            rows_max=rows_max,
            free_ram_bytes=free_ram_bytes,
            seed=seed,
            step=_part(told, FINGERPRINT_SHARE, 1 - TYPING_SHARE),
        )
        raw = _raw(path, print_, reach)
    except PermissionError:
        raise NotAllowed(
            "file_unreadable",
            f"{path.name} may not be read: the system refuses.",
            "Change the rights of the file, or choose another.",
        ) from None
    _check_shape(path, raw)
    is_large = print_.file_bytes > free_ram_bytes * LARGE_SHARE
    table = _table(path, print_, raw, columns, is_single=is_large)
    told(1.0, 1.0)
    return table


def _raw(path: Path, print_: Fingerprint, reach: Reach) -> RawTable:
    match path.suffix.lower():
        case ".xlsx" | ".xlsm":
            return read_excel(path, reach)
        case ".parquet" | ".pq":
            return read_parquet(path, reach)
        case _:
            return read_text(path, print_, reach)


def _check_shape(path: Path, raw: RawTable) -> None:
    if raw.log.rows == 0 or not raw.names:
        what = "no row that fits its header" if raw.log.skipped else "a header and no rows"
        raise BadInput(
            "file_without_rows", f"{path.name} has {what}.", "Choose a file with rows in it."
        )
    if len(raw.names) > COLUMNS_MAX:
        raise LimitReached(
            "too_many_columns",
            f"{path.name} has {len(raw.names):,} columns; {COLUMNS_MAX:,} are the most.",
            "Take the columns that matter, or turn the table on its side.",
        )


def _check(path: Path) -> None:
    if path.is_dir():
        raise BadInput("file_is_folder", f"{path.name} is a folder.", "Choose a file in it.")
    if not path.exists():
        raise NotFound(
            "file_missing", f"There is no file {path.name}.", "Check the name, or choose a file."
        )
    if path.stat().st_size == 0:
        raise BadInput("file_empty", f"{path.name} is empty.", "Choose a file with rows in it.")


def _part(told: Progress, start: float, end: float) -> Progress:
    return lambda done, total: told(start + (end - start) * min(1.0, done / max(1.0, total)), 1.0)


def _table(
    path: Path,
    print_: Fingerprint,
    raw: RawTable,
    columns: Sequence[Column] | None,
    *,
    is_single: bool,
) -> Table:
    found = typed(raw.columns(), columns, delimiter=raw.delimiter or ",", is_single=is_single)
    frame = pd.DataFrame({one.column.name: one.series for one in found}, copy=False)
    warnings = [
        *raw.warnings,
        *_warnings(raw, len(frame)),
        *(warning for one in found for warning in one.warnings),
    ]
    is_sampled = len(frame) < raw.log.rows
    report = ReadReport(
        file=path.name,
        file_bytes=print_.file_bytes,
        sha256=print_.sha256,
        encoding=raw.encoding,
        delimiter=raw.delimiter,
        header_line=raw.header_line,
        rows=len(frame),
        skipped=raw.log.skipped,
        skipped_rows=tuple(raw.log.named),
        sampled_of=raw.log.rows if is_sampled else None,
        warnings=tuple(warnings),
    )
    return Table(frame, tuple(one.column for one in found), report)


def _warnings(raw: RawTable, kept: int) -> Iterator[str]:
    log = raw.log
    if log.skipped:
        lines = ", ".join(f"line {row.line} ({row.reason})" for row in log.named[:3])
        more = f" and {log.skipped - 3:,} more" if log.skipped > 3 else ""
        verb = "was" if log.skipped == 1 else "were"
        yield f"{wording.count(log.skipped, 'row')} {verb} left out: {lines}{more}."
    if log.padded:
        rows = wording.count(log.padded, "row")
        verb = "was" if log.padded == 1 else "were"
        yield f"{rows} with too few fields {verb} filled up with empty ones."
    if not raw.has_names:
        yield "The file has no header; its columns were numbered."
    if kept < log.rows:
        yield f"The file is large: {kept:,} of its {log.rows:,} rows were taken by chance."
