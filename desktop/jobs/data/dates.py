"""Dates as people write them, whole ones only: a range like "2-10" is no date.

Day first or month first is decided for a whole column. Works on the distinct values of a column.
Demanding a full date follows from measuring: lenient parsers took "11-100" for one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_TIME = (
    r"(?:[T ,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?P<part>[.,]\d{1,9})?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?$"
)
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_MONTH = rf"(?i:(?P<name>{_MONTHS})[a-z]*)\.?"
FORMS = {
    "y-m-d": r"^(?P<a>\d{4})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{1,2})" + _TIME,
    "d.m.y": r"^(?P<a>\d{1,2})(?:\.(?P<b>\d{1,2})\.|/(?P<b2>\d{1,2})/|-(?P<b3>\d{1,2})-)"
    r"(?P<c>\d{4}|\d{2})" + _TIME,
    "d month y": r"^(?P<a>\d{1,2})(?:st|nd|rd|th)?[ \-./]*"
    + _MONTH
    + r"[ \-./,]*(?P<c>\d{4}|\d{2})"
    + _TIME,
    "month d y": rf"^{_MONTH}"
    + r"[ \-./]*(?P<a>\d{1,2})(?:st|nd|rd|th)?[ \-./,]+(?P<c>\d{4})"
    + _TIME,
    "yyyymmdd": r"^(?P<a>(?:19|20)\d{2})(?P<b>0[1-9]|1[0-2])(?P<c>0[1-9]|[12]\d|3[01])$",
}
"""The second of these is split into "d.m.y" and "m/d/y" by looking at all values."""
CENTURY_SPLIT = 69
"""Two digits of a year up to here are of this century, as POSIX strptime has it."""
NANOSECONDS = 1_000_000_000
YEARS = (1678, 2261)
"""What datetime64[ns] can hold."""

Dates = npt.NDArray[np.datetime64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class DateReading:
    values: Dates
    """datetime64[ns] [distinct], UTC; NaT where the text is no date."""
    date_format: str
    is_certain: bool
    """False when day and month could be swapped in every value."""


def looks_dated(cell: str) -> bool:
    """Tell whether one cell could be a date in some way of writing."""
    return any(re.match(form, cell) for name, form in FORMS.items() if name != "yyyymmdd")


def read_dates(
    texts: pa.LargeStringArray, weights: Ints, *, prior: str | None = None, day_first: bool = False
) -> DateReading | None:
    """Convert distinct values to dates in the form that fits the most rows.

    Args:
        texts: stripped distinct values, none missing.
        weights: [distinct] rows that have each value.
        prior: the form at training time, taken where the values leave the order open.
        day_first: assume 3/4/2024 is in April where nothing says otherwise.

    Returns:
        None when no form fits any value.
    """
    fits = {name: _fits(texts, form) for name, form in FORMS.items()}
    best = max(fits, key=lambda name: int(weights[fits[name]].sum()))
    matched = fits[best]
    if not matched.any():
        return None
    parts = _Parts(texts.filter(pa.array(matched)), FORMS[best])
    order, is_certain = best, True
    if best == "d.m.y":
        order, is_certain = _order(parts, weights[matched], prior, day_first=day_first)
    values = np.full(len(texts), np.datetime64("NaT"), dtype="datetime64[ns]")
    values[matched] = _assemble(parts, order)
    return DateReading(values, order, is_certain)


class _Parts:
    """The groups of a form, of values that all match it."""

    def __init__(self, texts: pa.LargeStringArray, form: str) -> None:
        self.texts = texts
        self._found = pc.extract_regex(texts, form)
        self._names = {field.name for field in self._found.type}

    def text(self, name: str) -> pa.LargeStringArray:
        """Give a group as text, "" where it is absent."""
        if name in self._names:
            return self._found.field(name)
        return pa.array([""] * len(self.texts), pa.large_string())

    def whole(self, name: str) -> Ints:
        """Give a group as whole numbers, 0 where it is absent."""
        cells = self.text(name)
        filled = pc.if_else(pc.equal(cells, ""), "0", cells)
        return np.asarray(pc.cast(filled, pa.int64()).to_numpy(zero_copy_only=False), np.int64)

    def is_text(self, name: str, pattern: str) -> Bools:
        return _fits(self.text(name), pattern)


def _fits(texts: pa.LargeStringArray, form: str) -> Bools:
    bare = re.sub(r"\(\?P<\w+>", "(?:", form)
    return np.asarray(pc.match_substring_regex(texts, bare).to_numpy(zero_copy_only=False), bool)


def _order(parts: _Parts, weights: Ints, prior: str | None, *, day_first: bool) -> tuple[str, bool]:
    """Tell day/month from month/day by the numbers that can be no month."""
    first, second = parts.whole("a"), _second(parts)
    day_rows = int(weights[(first > 12) & (second <= 12)].sum())
    month_rows = int(weights[(second > 12) & (first <= 12)].sum())
    if day_rows != month_rows:
        return ("d.m.y" if day_rows > month_rows else "m/d/y"), True
    if prior in ("d.m.y", "m/d/y"):
        return prior, True
    has_slash = bool(_fits(parts.texts, r"^\d+/").any())
    return ("m/d/y", False) if has_slash and not day_first else ("d.m.y", not has_slash)


def _second(parts: _Parts) -> Ints:
    return parts.whole("b") + parts.whole("b2") + parts.whole("b3")


def _assemble(parts: _Parts, order: str) -> Dates:
    """Put the parts together: datetime64[ns], NaT where the calendar has no such day."""
    first, second, third = parts.whole("a"), _second(parts), parts.whole("c")
    match order:
        case "y-m-d" | "yyyymmdd":
            year, month, day = first, second, third
        case "d.m.y":
            day, month, year = first, second, third
        case "m/d/y":
            month, day, year = first, second, third
        case _:
            day, month, year = first, _month_named(parts), third
    is_short = year < 100
    year = np.where(is_short, year + np.where(year < CENTURY_SPLIT, 2000, 1900), year)
    clock, is_clock = _clock(parts)
    is_valid = is_clock & (month >= 1) & (month <= 12) & (day >= 1)
    is_valid &= (year >= YEARS[0]) & (year <= YEARS[1])
    start = _months(np.where(is_valid, (year - 1970) * 12 + month - 1, 0))
    days = start.astype("datetime64[D]") + (day - 1).astype("timedelta64[D]")
    # The 31st of a month with 30 days lands in the next one.
    is_valid &= days.astype("datetime64[M]") == start
    values: Dates = np.add(days.astype("datetime64[ns]"), clock.astype("timedelta64[ns]"))
    values[~is_valid] = np.datetime64("NaT")
    return values


def _months(since_1970: Ints) -> npt.NDArray[np.datetime64]:
    return since_1970.astype("datetime64[M]")


def _month_named(parts: _Parts) -> Ints:
    short = pc.utf8_slice_codeunits(pc.utf8_lower(parts.text("name")), 0, 3)
    months = pa.array(_MONTHS.split("|"), pa.large_string())
    return np.asarray(pc.index_in(short, months).to_numpy(zero_copy_only=False), np.int64) + 1


def _clock(parts: _Parts) -> tuple[Ints, Bools]:
    """Give the time of day in UTC as nanoseconds, and whether the clock has that time."""
    hour, minute, second = parts.whole("hour"), parts.whole("minute"), parts.whole("second")
    is_valid = (hour < 24) & (minute < 60) & (second < 60)
    is_half = parts.is_text("half", ".")
    is_valid &= ~is_half | ((hour >= 1) & (hour <= 12))
    hour = np.where(is_half, hour % 12 + 12 * parts.is_text("half", "^[Pp]"), hour)
    part = pc.replace_substring(parts.text("part"), ",", ".")
    share = pc.cast(pc.if_else(pc.equal(part, ""), "0", part), pa.float64())
    clock = ((hour * 60 + minute) * 60 + second - _zone_seconds(parts)) * NANOSECONDS
    clock += np.rint(share.to_numpy(zero_copy_only=False) * NANOSECONDS).astype(np.int64)
    return clock, is_valid


def _zone_seconds(parts: _Parts) -> Ints:
    """Give how far east of UTC the clock is; 0 where no zone is written."""
    zone = pc.replace_substring_regex(parts.text("zone"), r"[:A-Z]", "")
    filled = pc.replace_substring_regex(zone, r"^\+|^$", "0")
    digits = np.asarray(pc.cast(filled, pa.int64()).to_numpy(zero_copy_only=False), np.int64)
    hours, minutes = np.divmod(np.abs(digits), 100)
    return np.asarray(np.sign(digits) * (hours * 3600 + minutes * 60), np.int64)
