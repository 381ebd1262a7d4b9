"""Workbooks (.xlsx): the first sheet that holds a table, its cells as text.

Cells are written the way a CSV export would, so numbers and dates that were typed as text are
judged like those that were not.
"""

from __future__ import annotations

import datetime as dt
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from desktop.jobs import wording
from desktop.jobs.data.header import find_header, numbered
from desktop.jobs.data.raw import CELL_BYTES, RawTable, Reach, too_big
from desktop.jobs.data.rows import Row, RowLog, Sampler, Shape, columns_of, right_rows
from shared.errors import BadInput

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

OLE_MAGIC = b"\xd0\xcf\x11\xe0"
"""Encrypted workbooks, and those of before 2007, are compound files and no zip archives."""
SAMPLE_ROWS = 400
ROW_BYTES_GUESS = 200
SHEET_ROWS_MAX = 1_048_576
"""Rows of a sheet (support.microsoft.com, "Excel specifications and limits")."""
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    EOFError,
    SyntaxError,  # what the XML parser raises is one
)


def read_excel(path: Path, reach: Reach) -> RawTable:
    """Read a workbook's table as text.

    Raises:
        BadInput: `file_locked`, `file_broken`, `file_empty`.
        LimitReached: `file_too_big`.
    """
    with path.open("rb") as file:
        if file.read(len(OLE_MAGIC)) == OLE_MAGIC:
            raise BadInput(
                "file_locked",
                f"{path.name} is protected by a password, or an Excel file of before 2007.",
                "Open it in Excel and save it without a password as .xlsx or .csv.",
            )
    try:
        _check_size(path, reach)
        with _opened(path) as book:
            return _read(path, book, reach)
    except BROKEN as error:
        raise BadInput(
            "file_broken",
            f"{path.name} cannot be read as a workbook ({type(error).__name__}).",
            "Open it in Excel and save it again.",
        ) from error


@contextmanager
def _opened(path: Path) -> Iterator[Workbook]:
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        # Charts, pivot tables and styles openpyxl leaves out are not what is read here.
        warnings.simplefilter("ignore")
        book = load_workbook(path, read_only=True, data_only=True)
        try:
            yield book
        finally:
            book.close()


def _check_size(path: Path, reach: Reach) -> None:
    """Refuse what unpacks to more than the memory: a zip can hold 1000 times its size."""
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > reach.free_ram_bytes:
        raise too_big(path.name, unpacked)


def _read(path: Path, book: Workbook, reach: Reach) -> RawTable:
    for sheet in book.worksheets:
        # Asked before reading begins, which forgets it.
        rows_stated = sheet.max_row or 1
        rows = _rows(sheet)
        head = list(islice(rows, SAMPLE_ROWS))
        if head:
            break
    else:
        raise BadInput("file_empty", f"{path.name} is empty.", "Choose a file with rows in it.")
    width = max(len(cells) for _, cells in head)
    padded = [cells + [""] * (width - len(cells)) for _, cells in head]
    place = find_header(padded, width)
    names = place.names or numbered(place.width)
    log = RowLog()
    guess = max(rows_stated, len(head))
    row_bytes = ROW_BYTES_GUESS + CELL_BYTES * place.width
    share = reach.share(path.name, path.stat().st_size, guess, row_bytes)
    sampler = Sampler(share, reach.seed)
    body = chain(head[place.first_row :], rows)
    parts: list[list[pa.LargeStringArray]] = [[] for _ in names]
    for block in columns_of(
        right_rows(body, Shape(names, pads_short=True), log), place.width, sampler
    ):
        for part, column in zip(parts, block, strict=True):
            part.append(column)
        reach.step(min(log.rows, guess), guess)
    others = [other.title for other in book.worksheets if other.title != sheet.title]
    told = (f"Only the sheet '{sheet.title}' was read, not {wording.listed(others)}.",)
    return RawTable(
        names=names,
        parts=parts,
        log=log,
        header_line=head[place.first_row - 1][0] if place.names is not None else None,
        warnings=told if others else (),
    )


def _rows(sheet: ReadOnlyWorksheet) -> Iterator[Row]:
    """Give the rows that hold anything, without the empty cells at their ends."""
    # The size a file states is often wrong; without it all cells are read.
    sheet.reset_dimensions()
    for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
        if number > SHEET_ROWS_MAX:
            # A row that calls itself the hundred-billionth would be waited for, empty by empty.
            raise ValueError(number)
        cells = [_text(value) for value in values]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield number, cells


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        case dt.datetime():
            is_midnight = value.time() == dt.time()
            return value.date().isoformat() if is_midnight else value.isoformat(sep=" ")
        case dt.date() | dt.time():
            return value.isoformat()
        case _:
            return str(value).strip()
