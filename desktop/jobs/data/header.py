"""Where the rows of a table start, and what its columns are called.

Works on the first rows as lists of cells, so text files and workbooks are judged alike.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from desktop.jobs.data.dates import looks_dated
from desktop.jobs.data.numbers import NULLS, looks_numeric

BELOW_MAX = 100
"""How many rows below a header are compared with it."""
FILLED_SHARE_MIN = 0.5
VALUES_MIN = 3
VALUES_SHARE_MIN = 0.8
"""So many numbers or dates make the word above them their name."""
LEVEL_ROWS_MIN = 5
"""Words that come again so often on average are levels; a value would be among them."""
NAME_CHARS_MAX = 200
YEAR = re.compile(r"^(?:19|20)\d{2}$")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the table starts among the rows looked at."""

    first_row: int
    """Number of the first row of data, counted from 0; one more than the header's."""
    width: int
    names: tuple[str, ...] | None
    """None when the table has no header."""


def find_header(rows: Sequence[list[str]], width: int) -> Place:
    """Find the first row of data and the names above it.

    What stands before the first row of full width is a preamble; so is a row of that width with
    a title and nothing else in it.
    """
    remarks = _remarks(rows)
    top = next(
        (n for n, row in enumerate(rows) if n >= remarks and len(row) == width and _is_filled(row)),
        0,
    )
    below = [row for row in rows[top + 1 : top + 1 + BELOW_MAX] if len(row) == width]
    if top > 0 and not _is_header(rows[top], below):
        shifted = _shifted(rows[top - 1], rows[top:], width)
        if shifted is not None:
            return Place(top, len(shifted), tuple(unique(shifted)))
    if not _is_header(rows[top], below):
        return Place(top, width, None)
    return Place(top + 1, width, tuple(unique(rows[top])))


def numbered(width: int) -> tuple[str, ...]:
    """Name the columns of a table without a header."""
    return tuple(f"column {number}" for number in range(1, width + 1))


def unique(cells: Sequence[str]) -> list[str]:
    """Make names of header cells: never empty, never twice, on one line."""
    names: list[str] = []
    taken = {" ".join(cell.split())[:NAME_CHARS_MAX] for cell in cells}
    for number, cell in enumerate(cells, start=1):
        plain = " ".join(cell.split())[:NAME_CHARS_MAX] or f"column {number}"
        name, turn = plain, 2
        while name in names or (turn > 2 and name in taken):
            name, turn = f"{plain} ({turn})", turn + 1
        names.append(name)
    return names


def _remarks(rows: Sequence[list[str]]) -> int:
    """Count rows of remarks at the top; names behind a "#" over bare values are none."""
    count = next((n for n, row in enumerate(rows) if not row or row[0][:1] != "#"), 0)
    below = [row for row in rows[count + 1 : count + 1 + BELOW_MAX] if len(row) == len(rows[count])]
    return count if count and below and _is_header(rows[count], below) else 0


def _is_filled(row: list[str]) -> bool:
    return sum(bool(cell) for cell in row) >= FILLED_SHARE_MIN * len(row)


def _is_header(row: list[str], below: Sequence[list[str]]) -> bool:
    """Tell names from values: names are no numbers, and do not come again below."""
    cells = [cell for cell in row if cell]
    if any(_is_value(cell) for cell in cells) and not _are_years(row, below):
        return False
    if _has_null(row, below):
        return False
    columns = [[one[n] for one in below if one[n]] for n in range(len(row))]
    if not below or any(map(_is_name, row, columns)):
        return True
    repeated = sum(
        bool(cell) and sum(one[n] == cell for one in below) >= 2 for n, cell in enumerate(row)
    )
    return repeated * 2 < len(row)


def _is_value(cell: str) -> bool:
    return looks_numeric(cell) or looks_dated(cell)


def _has_null(row: list[str], below: Sequence[list[str]]) -> bool:
    """Tell whether a cell says "no value": sodium is "Na", too, but only in a header."""
    return any(
        cell.lower() in NULLS and (not cell[0].isalpha() or any(one[n] == cell for one in below))
        for n, cell in enumerate(row)
        if cell
    )


def _is_name(cell: str, under: Sequence[str]) -> bool:
    """Tell whether a word is unlike all the column below: over numbers, or over few levels."""
    if not cell or _is_value(cell) or len(under) < VALUES_MIN:
        return False
    values = sum(map(_is_value, under))
    are_levels = len(set(under)) * LEVEL_ROWS_MIN <= len(under)
    return values >= VALUES_SHARE_MIN * len(under) or (are_levels and cell not in under)


def _are_years(row: list[str], below: Sequence[list[str]]) -> bool:
    """Tell whether all numbers of a row are years over columns that hold other things."""
    places = [n for n, cell in enumerate(row) if _is_value(cell)]
    if len(places) < 2 or not all(YEAR.match(row[n]) for n in places):
        return False
    under = [one[n] for one in below for n in places if one[n]]
    return sum(bool(YEAR.match(cell)) for cell in under) * 2 < len(under)


def _shifted(above: list[str], rows: Sequence[list[str]], width: int) -> list[str] | None:
    """Name the columns by the row above, when it is one off the rows' width.

    R leaves out the name over row names; others end each row, or only the header, with a
    delimiter.
    """
    names = above[:-1] if len(above) == width + 1 and not above[-1] else above
    if any(_is_value(cell) for cell in names if cell) or not any(names):
        return None
    if len(names) == width:
        return names
    if len(names) != width - 1:
        return None
    full = [row for row in rows if len(row) == width]
    if all(not row[-1] for row in full):
        return names
    return ["row", *names]
