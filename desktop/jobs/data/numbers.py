"""Numbers as people write them: 1,234.50 · 1.234,50 · 1 234,5 · $5 · 5 % · (3) · 1e-5.

What the comma means is decided for a whole column, never for a cell. Works on the distinct
values of a column; counting rows is left to `columns`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

NULLS = frozenset(
    {"", "na", "n/a", "#n/a", "#na", "n.a.", "n.a", "n. a.", "nan", "-nan", "null", "(null)"}
    | {"#null!", "<null>", "nat", "<na>", "\\n"}
    | {"-", "--", "---", "—", "–", "?", "??", ".", "..", "...", "#value!", "#div/0!", "#ref!"}
    | {"#name?", "#num!", "1.#qnan", "н/д", "нд", "н.д.", "нет данных", "k.a.", "k. a.", "s/o"}
)
"""Cells that say "no value", in lower case."""
NULL_WORDS = frozenset({"none", "nil", "missing", "not available", "unknown", "unbekannt"})
"""The same among numbers and dates; among words they may be an answer: parking "none"."""

SIGNS = "$€£¥₽₹₴₸₩₺₪฿₫₱"
CODES = (
    "USD|EUR|GBP|CHF|JPY|RUB|RUR|INR|CNY|PLN|SEK|NOK|DKK|CZK|UAH|KZT|TRY|BRL|CAD|AUD|руб|kr|zł|Kč|р"
)
SPACES = "[ \u00a0\u202f\u2009'’]"
UNIT = rf"(?:[A-Z]{{0,3}}[{SIGNS}]|(?:{CODES})\.?)"
_LEAD = rf"^(?:[+-]\s*{UNIT}?|{UNIT}?\s*[+-]?)\s*"
_TRAIL = rf"\s*(?:{UNIT}|[%‰])?$"
_EXPONENT = r"(?:[eE][+-]?\d{1,3})?"
_BY_SPACE = rf"[1-9]\d{{0,2}}(?:{SPACES}\d{{3}})+"
_BY_COMMA = r"(?:[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d?(?:,\d{2})+,\d{3})"
"""By thousands, or as in India by hundreds above them: 12,34,567."""
DOT_BODY = rf"(?:(?:{_BY_COMMA}|{_BY_SPACE})(?:\.\d*)?|(?:\d+(?:\.\d*)?|\.\d+){_EXPONENT})"
COMMA_BODY = (
    rf"(?:(?:[1-9]\d{{0,2}}(?:\.\d{{3}})+|{_BY_SPACE})(?:,\d*)?|(?:\d+(?:,\d*)?|,\d+){_EXPONENT})"
)
DOT_FORM = _LEAD + DOT_BODY + _TRAIL
COMMA_FORM = _LEAD + COMMA_BODY + _TRAIL
NOT_NUMBER = rf"{UNIT}|[%‰\s]|{SPACES}"
CODE = r"^[+-]?0\d+$|^\+?\d{16,}$"
"""Leading zeros mean something, and doubles hold 15 digits: neither survives as a number."""
_LOOKS = re.compile(f"(?:{DOT_FORM})|(?:{COMMA_FORM})")
LOOKED_AT_CHARS_MAX = 400
"""Longer cells are no numbers; Python's patterns take the square of a cell's length."""

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class NumberReading:
    values: Floats
    """[distinct]: NaN where the text is no number."""
    decimal_comma: bool
    has_point: bool
    """Whether a decimal point was seen."""
    is_certain: bool
    """Whether the values themselves show what the comma or dot means (or have neither)."""
    unit: str | None


def looks_numeric(cell: str) -> bool:
    """Tell whether one cell could be a number in some way of writing."""
    return len(cell) <= LOOKED_AT_CHARS_MAX and _LOOKS.match(_tidy_one(cell)) is not None


def has_codes(texts: pa.LargeStringArray) -> bool:
    """Tell whether any value is made of digits and yet would be harmed as a number."""
    return bool(pc.any(pc.match_substring_regex(texts, CODE)).as_py())


def read_numbers(
    texts: pa.LargeStringArray, weights: npt.NDArray[np.int64], *, comma_prior: bool
) -> NumberReading:
    """Convert distinct values to numbers, deciding first what the comma means.

    Args:
        texts: stripped distinct values, none missing.
        weights: [distinct] rows that have each value.
        comma_prior: the decimal comma is assumed where the values leave it open ("1,234").
    """
    tidy = _tidy(texts)
    dot, comma = _matches(tidy, DOT_FORM), _matches(tidy, COMMA_FORM)
    dot_rows, comma_rows = int(weights[dot].sum()), int(weights[comma].sum())
    has_comma = bool(pc.any(pc.match_substring(tidy, ",")).as_py())
    has_dot = bool(pc.any(pc.match_substring(tidy, ".")).as_py())
    is_open = dot_rows == comma_rows and (has_comma or has_dot)
    decimal_comma = comma_prior if is_open else comma_rows > dot_rows
    matched = comma if decimal_comma else dot
    return NumberReading(
        values=_convert(tidy, matched, decimal_comma=decimal_comma),
        decimal_comma=decimal_comma and has_comma,
        has_point=not decimal_comma and has_dot,
        is_certain=not is_open,
        unit=_unit_of(tidy, matched),
    )


def _convert(tidy: pa.LargeStringArray, matched: Bools, *, decimal_comma: bool) -> Floats:
    known = tidy.filter(pa.array(matched))
    bare = pc.replace_substring_regex(known, NOT_NUMBER, "")
    if decimal_comma:
        bare = pc.replace_substring(pc.replace_substring(bare, ".", ""), ",", ".")
    else:
        bare = pc.replace_substring(bare, ",", "")
    # Arrow's parser takes neither a leading plus nor a bare trailing dot.
    bare = pc.replace_substring_regex(bare, r"^\+", "")
    bare = pc.replace_substring_regex(bare, r"\.($|[eE])", r".0\1")
    values = np.full(len(tidy), np.nan)
    numbers = pc.cast(bare, pa.float64()).to_numpy(zero_copy_only=False)
    values[matched] = np.where(np.isfinite(numbers), numbers, np.nan)
    return values


def _unit_of(tidy: pa.LargeStringArray, matched: Bools) -> str | None:
    known = tidy.filter(pa.array(matched))
    marked = known.filter(pc.match_substring_regex(known, rf"{UNIT}|[%‰]"))
    if len(marked) == 0:
        return None
    found = re.search(rf"{UNIT}|[%‰]", marked[0].as_py())
    return found.group() if found else None


def _matches(texts: pa.LargeStringArray, form: str) -> Bools:
    return np.asarray(pc.match_substring_regex(texts, form).to_numpy(zero_copy_only=False), bool)


def _tidy(texts: pa.LargeStringArray) -> pa.LargeStringArray:
    """Write minus signs and brackets one way."""
    tidy = pc.replace_substring_regex(texts, "^[−–]", "-")
    tidy = pc.replace_substring_regex(tidy, r"^\((.+)\)$", r"-\1")
    return pc.replace_substring_regex(tidy, r"^([^+\-eE]*\d)-$", r"-\1")


def _tidy_one(cell: str) -> str:
    text = re.sub("^[−–]", "-", cell.strip())
    text = re.sub(r"^\((.+)\)$", r"-\1", text)
    return re.sub(r"^([^+\-eE]*\d)-$", r"-\1", text)
