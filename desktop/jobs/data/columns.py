"""From text to typed columns: what each column is, decided over all of its values.

How numbers and dates are written is in `numbers` and `dates`, what is told of a column in
`facts`; files are left to `reading`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from desktop.jobs.data import facts
from desktop.jobs.data.cells import Cells
from desktop.jobs.data.dates import DateReading, read_dates
from desktop.jobs.data.numbers import NULL_WORDS, NumberReading, has_codes, read_numbers
from desktop.jobs.data.table import Column, ColumnKind

SHARE_MIN = 0.97
"""Rows that must be numbers (or dates) for a column to be one; the rest counts as missing."""
PLACEHOLDERS_MAX = 2
PLACEHOLDER_SHARE_MAX = 0.3
NUMBERS_BESIDE_MIN = 10
LOOKED_AT = 1000
LIKELY_SHARE_MIN = 0.3
ID_ROWS_MIN = 20
ID_SHARE_MIN = 0.99
ID_NAME = re.compile(
    r"(?:^|[_\W])(?:id|uuid|guid|key|index|nr|no|number|code|row|rownames)$|^№|^unnamed", re.I
)
ID_NAME_CAMEL = re.compile(r"[a-z](?:Id|ID)$")
TEXT_DISTINCT_MIN = 50
TEXT_SHARE_MIN = 0.05
TEXT_WORDS_MIN = 3
NAMES_SHARE_MIN = 0.5

Prior = Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class Draft:
    """A column whose kind is decided, and perhaps not yet what its commas mean."""

    cells: Cells
    kind: ColumnKind
    numbers: NumberReading | None = None
    dates: DateReading | None = None
    placeholders: tuple[str, ...] = ()
    """Words among numbers that count as missing."""
    is_given: bool = False
    """Whether the kind comes from training and not from these values."""

    @property
    def is_open(self) -> bool:
        """Whether the other columns have a say in how this one is read."""
        if self.is_given:
            return False
        of_numbers = self.numbers is not None and not self.numbers.is_certain
        return of_numbers or (self.dates is not None and not self.dates.is_certain)


@dataclass(frozen=True, slots=True)
class Typed:
    column: Column
    series: pd.Series
    warnings: tuple[str, ...]
    has_point: bool
    """Whether a decimal point was seen."""


def typed(
    columns: Iterable[Cells], given: Sequence[Column] | None, *, delimiter: str, is_single: bool
) -> list[Typed]:
    """Give every column its kind and its values.

    Args:
        columns: the table as text.
        given: how columns of these names were read at training time; None at training.
        delimiter: a semicolon makes the decimal comma likelier where values leave it open.
        is_single: float32 instead of float64.
    """
    known = {column.name: column for column in given or ()}
    folded = {name.strip().casefold(): column for name, column in known.items()}
    found: list[Draft | Typed] = []
    for cells in columns:
        prior = known.get(cells.name) or folded.get(cells.name.strip().casefold())
        draft = _as_given(cells, prior) if prior is not None else _inferred(cells)
        if draft.is_open:
            found.append(draft)
        else:
            found.append(_finished(_settled(draft), is_single=is_single))
    comma = _comma_shown(found)
    for place, one in enumerate(found):
        if isinstance(one, Draft):
            settled = _settled(one, comma=comma, delimiter=delimiter)
            found[place] = _finished(settled, is_single=is_single)
    return [one for one in found if isinstance(one, Typed)]


def _inferred(cells: Cells) -> Draft:
    if len(cells.texts) == 0:
        return Draft(cells, ColumnKind.EMPTY)
    bare = _without_null_words(cells)
    dates = _dates_of(bare)
    if dates is not None:
        return Draft(bare, ColumnKind.DATE, dates=dates)
    number = _number_of(bare)
    if number is not None:
        return number
    if cells.is_constant:
        return Draft(cells, ColumnKind.CONSTANT)
    return Draft(cells, _text_kind(cells))


def _without_null_words(cells: Cells) -> Cells:
    words = pa.array(sorted(NULL_WORDS), pa.large_string())
    is_word = pc.is_in(pc.utf8_lower(cells.texts), words).to_numpy(zero_copy_only=False)
    return cells.only(~np.asarray(is_word, dtype=bool)) if is_word.any() else cells


def _as_given(cells: Cells, column: Column) -> Draft:
    bare = _without_null_words(cells)
    match column.kind:
        case ColumnKind.NUMBER:
            comma = column.decimal_comma and not bare.is_plain
            numbers = read_numbers(bare.texts, bare.weights, comma_prior=comma)
            # Training has decided; other columns of this file have no say.
            numbers = replace(numbers, is_certain=True)
            return Draft(bare, column.kind, numbers=numbers, is_given=True)
        case ColumnKind.DATE:
            dates = read_dates(bare.texts, bare.weights, prior=column.date_format)
            if dates is None:
                nothing = np.full(len(bare.texts), np.datetime64("NaT"), dtype="datetime64[ns]")
                dates = DateReading(nothing, column.date_format or "typed", is_certain=True)
            return Draft(bare, column.kind, dates=dates, is_given=True)
        case _:
            return Draft(cells, column.kind, is_given=True)


def _dates_of(cells: Cells) -> DateReading | None:
    if len(cells.texts) == 0:
        return None
    looked = cells.texts.slice(0, LOOKED_AT)
    first = read_dates(looked, np.ones(len(looked), np.int64))
    if first is None or np.isnat(first.values).mean() > 1 - LIKELY_SHARE_MIN:
        return None
    dates = read_dates(cells.texts, cells.weights)
    if dates is None:
        return None
    share = _share(cells, ~np.isnat(dates.values))
    # Digits alone are a date only when every one of several is.
    if dates.date_format == "yyyymmdd" and (share < 1 or len(cells.texts) < 3):
        return None
    return dates if share >= SHARE_MIN else None


def _number_of(cells: Cells) -> Draft | None:
    if len(cells.texts) == 0:
        return None
    looked = cells.texts.slice(0, LOOKED_AT)
    first = read_numbers(looked, np.ones(len(looked), np.int64), comma_prior=False)
    if np.isnan(first.values).mean() > 1 - LIKELY_SHARE_MIN or has_codes(cells.texts):
        return None
    if cells.is_constant:
        return None
    numbers = read_numbers(cells.texts, cells.weights, comma_prior=False)
    numbers = replace(numbers, is_certain=numbers.is_certain or cells.is_plain)
    is_number = ~np.isnan(numbers.values)
    share = _share(cells, is_number)
    placeholders: tuple[str, ...] = ()
    if share < SHARE_MIN:
        are_few = len(is_number) - int(is_number.sum()) <= PLACEHOLDERS_MAX
        if not are_few or share < 1 - PLACEHOLDER_SHARE_MAX or is_number.sum() < NUMBERS_BESIDE_MIN:
            return None
        placeholders = tuple(
            text for text, ok in zip(cells.texts.to_pylist(), is_number, strict=True) if not ok
        )
    return Draft(cells, ColumnKind.NUMBER, numbers=numbers, placeholders=placeholders)


def _share(cells: Cells, is_read: npt.NDArray[np.bool_]) -> float:
    return float(cells.weights[is_read].sum() / max(1, cells.known_rows))


def _are_row_numbers(cells: Cells, numbers: NumberReading) -> bool:
    """Tell whether whole numbers name the rows: all differ, and count up or are called so."""
    values, rows = numbers.values, cells.rows
    if rows < ID_ROWS_MIN or len(values) != rows or np.isnan(values).any():
        return False
    if (values % 1).any() or numbers.unit is not None:
        return False
    is_counted = values.min() in (0, 1) and values.max() - values.min() == rows - 1
    return bool(is_counted) or _is_id_name(cells.name)


def _is_id_name(name: str) -> bool:
    return bool(ID_NAME.search(name.strip()) or ID_NAME_CAMEL.search(name.strip()))


def _text_kind(cells: Cells) -> ColumnKind:
    distinct, rows = len(cells.texts), cells.known_rows
    looked = cells.texts.slice(0, LOOKED_AT)
    words = np.asarray(pc.count_substring_regex(looked, r"\S+").to_numpy(zero_copy_only=False))
    if rows >= ID_ROWS_MIN and distinct >= ID_SHARE_MIN * rows and words.max() == 1:
        digits = pc.match_substring_regex(looked, r"\d").to_numpy(zero_copy_only=False).mean()
        if digits > 0.95 or _is_id_name(cells.name):
            return ColumnKind.ID
    if distinct <= TEXT_DISTINCT_MIN:
        return ColumnKind.CATEGORY
    is_prose = words.mean() >= TEXT_WORDS_MIN and distinct > TEXT_SHARE_MIN * rows
    return ColumnKind.TEXT if is_prose or distinct > NAMES_SHARE_MIN * rows else ColumnKind.CATEGORY


def _comma_shown(found: Sequence[Draft | Typed]) -> bool | None:
    """Tell whether the columns that show it have decimal commas; None when none shows it."""
    shown = [one for one in found if isinstance(one, Typed)]
    with_comma = sum(one.column.decimal_comma for one in shown)
    with_point = sum(one.has_point for one in shown)
    return None if with_comma == with_point else with_comma > with_point


def _settled(draft: Draft, *, comma: bool | None = None, delimiter: str = ",") -> Draft:
    """Read what was open again, with what the other columns show; then look for row numbers."""
    cells = draft.cells
    if draft.is_given:
        return draft
    if draft.dates is not None and not draft.dates.is_certain and comma:
        return replace(draft, dates=read_dates(cells.texts, cells.weights, day_first=True))
    numbers = draft.numbers
    if numbers is None:
        return draft
    # Who puts semicolons between cells mostly does so because commas stand in them.
    is_likely = comma if comma is not None else delimiter == ";" and not numbers.has_point
    if not numbers.is_certain and is_likely:
        numbers = read_numbers(cells.texts, cells.weights, comma_prior=True)
    kind = ColumnKind.ID if _are_row_numbers(cells, numbers) else draft.kind
    return replace(draft, numbers=numbers, kind=kind)


def _finished(draft: Draft, *, is_single: bool) -> Typed:
    cells = draft.cells
    missing = np.flatnonzero(cells.codes < 0)
    if draft.kind is ColumnKind.NUMBER and draft.numbers is not None:
        values = np.append(draft.numbers.values, np.nan)[cells.codes]
        unread = int(np.isnan(values).sum()) - len(missing)
        column = facts.of_numbers(cells.name, values, draft.numbers, unread)
        series = pd.Series(values.astype(np.float32) if is_single else values)
    elif draft.kind is ColumnKind.DATE and draft.dates is not None:
        dates = np.append(draft.dates.values, np.datetime64("NaT", "ns"))[cells.codes]
        unread = int(np.isnat(dates).sum()) - len(missing)
        column = facts.of_dates(cells.name, dates, draft.dates.date_format, unread)
        series = pd.Series(dates)
    else:
        column = facts.of_texts(cells, draft.kind)
        series = cells.series()
    warnings = tuple(facts.warnings_of(column, draft.placeholders, draft.dates))
    has_point = draft.numbers is not None and draft.numbers.has_point
    return Typed(column, series, warnings, has_point)
