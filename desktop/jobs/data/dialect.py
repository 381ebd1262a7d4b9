"""How a text table is written: delimiter, header, width, and where its rows start.

Decided on a sample from its beginning. Splitting lines into records is here, because deciding
and reading must agree on it; reading the whole file is left to `rows`.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from desktop.jobs.data.header import find_header, numbered

ALIGNED = "  "
"""Stands for two blanks or more: columns lined up for the eye."""
DELIMITERS = (",", ";", "\t", "|", ALIGNED)
SAMPLE_RECORDS_MAX = 400
RECORD_LINES_MAX = 200
"""A quoted cell with more lines than this is a quote somebody forgot to close."""
WIDER_BONUS = 0.02
SHORT_ROWS_MIN = 3
SHORT_SHARE_MIN = 0.02
SEP_LINE = re.compile(r'^"?sep=(.)"?$', re.IGNORECASE)

Record = tuple[int, str]
"""(line counted from 1, text): one row, which spans several lines where a cell does."""


@dataclass(frozen=True, slots=True)
class Dialect:
    delimiter: str
    width: int
    """Fields in a row."""
    header_line: int | None
    header: tuple[str, ...]
    first_line: int
    """Where the first row of data starts, counted from 1."""
    escape: str | None = None
    """A backslash when quotes inside of quotes are written with one, else None: doubled."""
    pads_short: bool = False
    """Whether rows that are too short merely leave out their last, empty cells."""


def records(
    lines: Iterable[str], delimiter: str, first_line: int = 1, left_open: list[str] | None = None
) -> Iterator[tuple[int, str, bool]]:
    """Join lines into records: (first line, text, whether its quotes are closed).

    A quote that is never closed costs its own line only, not the rest of the file. A quote in
    the middle of a cell (5" pipe) is a letter like any other.

    Args:
        lines: of a file, or of a part that begins with a record.
        delimiter: between cells.
        first_line: number of the first line.
        left_open: where more lines follow later, gets the lines of a record still open at the
            end, to begin the next part with; None when this is the end of the file.
    """
    opening = re.compile(rf'(?:^|{re.escape(delimiter)})[ ]*"')
    closed = _closed(delimiter)
    pending: list[Record] = []
    quotes = 0
    for number, raw in enumerate(lines, start=first_line):
        line = raw.rstrip("\n").replace("\0", "")
        if not pending and ('"' not in line or opening.search(line) is None):
            yield number, line, True
            continue
        if not pending and closed.fullmatch(line):
            yield number, line, True
            continue
        pending.append((number, line))
        quotes += line.count('"')
        if quotes % 2 == 0:
            yield pending[0][0], "\n".join(text for _, text in pending), True
            pending, quotes = [], 0
        elif len(pending) > RECORD_LINES_MAX:
            pending = yield from _without_first(pending)
            quotes = sum(text.count('"') for _, text in pending)
    if left_open is not None:
        left_open.extend(text + "\n" for _, text in pending)
        return
    while pending:
        pending = yield from _without_first(pending)


def _closed(delimiter: str) -> re.Pattern[str]:
    """Match lines that end outside of quotes, whatever stray quotes stand within their cells."""
    rest = rf"(?:(?!{re.escape(delimiter)}).)*+"
    cell = rf'(?: *"(?:[^"]|"")*+"{rest}|(?! *"){rest})'
    return re.compile(rf"{cell}(?:{re.escape(delimiter)}{cell})*+")


def _without_first(
    pending: list[Record],
) -> Generator[tuple[int, str, bool], None, list[Record]]:
    """Give up on the line that opened a quote and take the others for rows again.

    Returns:
        The lines at the end that are once more inside of an open quote.
    """
    yield pending[0][0], pending[0][1], False
    kept: list[Record] = []
    quotes = 0
    for one in pending[1:]:
        kept.append(one)
        quotes += one[1].count('"')
        if quotes % 2 == 0:
            yield kept[0][0], "\n".join(text for _, text in kept), True
            kept, quotes = [], 0
    return kept


def fields_of(text: str, delimiter: str, escape: str | None = None) -> list[str]:
    """Split a record into its cells, without the blanks around them; [] when that is impossible."""
    if delimiter == ALIGNED:
        return re.split(r" {2,}", text.strip())
    if '"' not in text:
        return [cell.strip() for cell in text.split(delimiter)]
    reader = csv.reader(
        [text],
        delimiter=delimiter,
        escapechar=escape,
        doublequote=escape is None,
        skipinitialspace=delimiter != "\t",
    )
    try:
        return [cell.strip() for cell in next(reader, [])]
    except csv.Error:
        return []


def dialect_of(sample: str) -> Dialect | None:
    """Find out how a table is written from its first lines; None when they are all blank."""
    lines = sample.split("\n")
    declared = SEP_LINE.match(lines[0].strip())
    if declared is not None:
        lines[0] = ""
    escape = "\\" if sample.count('\\"') > sample.count('""') else None
    delimiters = (declared.group(1),) if declared is not None else DELIMITERS
    guesses = [_Guess.of(lines, delimiter, escape) for delimiter in delimiters]
    best = max(guesses, key=lambda guess: guess.score)
    return best.dialect() if best.rows else None


@dataclass(frozen=True, slots=True)
class _Guess:
    """The sample as one delimiter splits it."""

    delimiter: str
    escape: str | None
    rows: list[tuple[int, list[str]]]
    """(line, cells) of records that are not blank."""
    width: int
    score: float

    @classmethod
    def of(cls, lines: list[str], delimiter: str, escape: str | None) -> _Guess:
        found = ((line, text) for line, text, _ in records(lines, delimiter) if text.strip())
        rows = [
            (line, fields_of(text, delimiter, escape))
            for line, text in islice(found, SAMPLE_RECORDS_MAX)
        ]
        widths = Counter(len(cells) for _, cells in rows)
        # Of equally common widths the greater: a preamble has the smaller one.
        width = max(widths, key=lambda one: (widths[one], one), default=1)
        modal = [cells for _, cells in rows if len(cells) == width]
        cells = [cell for row in modal for cell in row]
        stray = sum(any(sign in cell for sign in ";\t|") for cell in cells) / max(1, len(cells))
        share = len(modal) / max(1, len(rows))
        score = share * (width > 1) * (1 + WIDER_BONUS * min(width, 50)) * (1 - stray)
        return cls(delimiter, escape, rows, max(1, width), score)

    def dialect(self) -> Dialect:
        place = find_header([cells for _, cells in self.rows], self.width)
        first = place.first_row
        is_named = place.names is not None
        return Dialect(
            delimiter=self.delimiter,
            width=place.width,
            header_line=self.rows[first - 1][0] if is_named else None,
            header=place.names if place.names is not None else numbered(place.width),
            first_line=self.rows[first][0] if first < len(self.rows) else self._next_line(),
            escape=self.escape,
            pads_short=self._leaves_out_empty_cells(),
        )

    def _next_line(self) -> int:
        """Tell the line after the last record, which may span several."""
        line, cells = self.rows[-1]
        return line + 1 + sum(cell.count("\n") for cell in cells)

    def _leaves_out_empty_cells(self) -> bool:
        """Tell whether rows too short are the habit of the file, and not damage."""
        short = sum(1 < len(cells) < self.width for _, cells in self.rows)
        return short >= SHORT_ROWS_MIN and short / len(self.rows) > SHORT_SHARE_MIN
