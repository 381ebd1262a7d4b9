"""How commands show things: tables that fit the terminal, JSON for programs, nothing that acts."""

from __future__ import annotations

import json
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from datetime import datetime

from pydantic import JsonValue

from shared.errors import NotAllowed
from shared.plain_text import plain_line

COLUMN_MIN = 6
"""No column is made narrower, however narrow the terminal is."""
GAP = "  "


def say(line: str) -> None:
    print(plain_line(line), flush=True)


def say_json(facts: JsonValue) -> None:
    """Write one JSON value; what is not ASCII is escaped, so that nothing acts on a terminal."""
    print(json.dumps(facts, indent=1))


def say_json_line(facts: JsonValue) -> None:
    """Write one JSON value on one line, for streams."""
    print(json.dumps(facts), flush=True)


def say_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, wide: int) -> None:
    """Write a table; without a terminal nothing is cut.

    Args:
        heads: of the columns.
        rows: of as many cells.
        wide: the column that gives way when the terminal is too narrow.
    """
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in table(heads, rows, wide=wide, width=width):
        print(line)


def table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, wide: int, width: int | None
) -> list[str]:
    """Lay a table out; `width` in cells of the terminal, None for as wide as it needs."""
    cells = [list(heads), *([plain_line(cell) for cell in row] for row in rows)]
    widths = [max(map(cells_of, column)) for column in zip(*cells, strict=True)]
    if width is not None:
        _give_way(widths, wide, width)
    return [
        GAP.join(
            _padded(_cut(cell, size), size) for cell, size in zip(row, widths, strict=True)
        ).rstrip()
        for row in cells
    ]


def cells_of(text: str) -> int:
    """Count the cells a text takes on a terminal."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def clock(at: datetime, now: datetime) -> str:
    """Say a moment shortly, in local time: "12:03" today, "20 Nov 12:03" before."""
    local = at.astimezone()
    if local.date() == now.astimezone().date():
        return f"{local:%H:%M}"
    form = "%d %b %H:%M" if local.year == now.astimezone().year else "%Y-%m-%d"
    return local.strftime(form)


def _give_way(widths: list[int], wide: int, width: int) -> None:
    """Narrow the column that may be narrow, then the others, from the last on."""
    order = [wide, *(n for n in reversed(range(len(widths))) if n not in (wide, 0))]
    for number in order:
        over = sum(widths) + len(GAP) * (len(widths) - 1) - width
        if over <= 0:
            return
        widths[number] = max(min(COLUMN_MIN, widths[number]), widths[number] - over)


def _cut(text: str, size: int) -> str:
    if cells_of(text) <= size:
        return text
    kept = ""
    for character in text:
        if cells_of(kept + character) > size - 1:
            break
        kept += character
    return f"{kept}…"


def _padded(text: str, size: int) -> str:
    return text + " " * (size - cells_of(text))


def confirm(what: str, question: str, code: str) -> None:
    """Let the person at the terminal say yes.

    Raises:
        NotAllowed: `code`: they did not, or nobody is there.
    """
    if not sys.stdin.isatty():
        raise NotAllowed(
            code, "Nobody was there to say yes.", "Run it in a terminal, or add --yes."
        )
    say(what)
    print(f"{question} [y/N] ", end="", flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise NotAllowed(code, "Nothing was changed.")
