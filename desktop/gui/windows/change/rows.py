"""A change as one list of rows, made once: a window of 10,000 lines only ever asks for a few."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from desktop.desk.changes import FileChange, ShownChange
from desktop.gui.language import tr, trn
from shared.unified_diff import LineSort


class Sort(StrEnum):
    FILE = "file"
    PLACE = "place"
    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    NOTE = "note"


class Row(NamedTuple):
    sort: Sort
    text: str
    old_number: int | None = None
    new_number: int | None = None


SIGNS = {Sort.ADDED: "+", Sort.REMOVED: "−"}
_SORTS = {
    LineSort.SAME: Sort.SAME,
    LineSort.ADDED: Sort.ADDED,
    LineSort.REMOVED: Sort.REMOVED,
    LineSort.NOTE: Sort.NOTE,
}


class Rows(NamedTuple):
    rows: tuple[Row, ...]
    starts: tuple[int, ...]
    """Where each file begins."""
    columns: int
    """Of the longest row."""


def rows_of(change: ShownChange) -> Rows:
    """Lay out a change; needs no windows, so it may run in a thread."""
    rows: list[Row] = []
    starts = []
    for file in change.files:
        starts.append(len(rows))
        rows.extend(_file(file))
    if change.is_cut:
        rows.append(Row(Sort.NOTE, tr("It is longer than can be shown here.")))
    columns = max((len(row.text.expandtabs(4)) for row in rows), default=0)
    return Rows(tuple(rows), tuple(starts), columns)


def spoken(row: Row) -> str:
    """Say a row for those who hear it."""
    match row.sort:
        case Sort.FILE:
            return tr("File {path}").format(path=row.text)
        case Sort.ADDED:
            return tr("Added, line {n}: {text}").format(n=row.new_number, text=row.text)
        case Sort.REMOVED:
            return tr("Removed, line {n}: {text}").format(n=row.old_number, text=row.text)
        case Sort.SAME:
            return tr("Line {n}: {text}").format(n=row.new_number, text=row.text)
        case Sort.PLACE | Sort.NOTE:
            return row.text


def copied(row: Row) -> str:
    """Write a row as a diff would."""
    if row.sort in (Sort.ADDED, Sort.REMOVED, Sort.SAME):
        sign = "-" if row.sort is Sort.REMOVED else SIGNS.get(row.sort, " ")
        return f"{sign}{row.text}"
    return row.text


def _file(file: FileChange) -> Iterator[Row]:
    moved = file.diff.old_path if file.diff and file.diff.old_path != file.path else ""
    was = tr(" (was {path})").format(path=moved) if moved and file.what == "renamed" else ""
    yield Row(Sort.FILE, f"{file.path}{was}")
    if file.is_binary:
        yield Row(Sort.NOTE, tr("This is no text."))
    elif file.diff is None:
        count = file.added + file.removed
        yield Row(Sort.NOTE, trn("{count} line is not here", "{count} lines are not here", count))
    elif not file.diff.hunks:
        yield Row(Sort.NOTE, tr("No line of it changed."))
    for hunk in file.diff.hunks if file.diff else ():
        place = tr(", in {place}").format(place=hunk.place) if hunk.place else ""
        yield Row(Sort.PLACE, tr("Line {n}").format(n=hunk.new_start) + place)
        for line in hunk.lines:
            yield Row(_SORTS[line.sort], line.text, line.old_number, line.new_number)
