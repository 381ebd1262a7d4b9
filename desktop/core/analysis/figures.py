"""Which figures of an answer stand in what was computed, and which do not.

A figure counts as founded when some computed value, rounded as the answer rounds it, is that
figure: "4.2 %" is founded by 4.1897 and by 0.041897, "1.2 million" by 1,234,567. Figures that the
person's own question names, and numbers that count the items of a list, need no ground.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from desktop.core.analysis.results import Results

UNFOUNDED_MAX = 20
_FIGURE = re.compile(
    r"(?<![\w.,])(?P<sign>[-−–])?(?P<number>\d{1,3}(?:[,\u202f\u00a0' ]\d{3}(?!\d))+(?:\.\d{1,12})?"
    r"|\d{1,15}(?:\.\d{1,12})?)"
    r"(?P<unit>\s?%|\s?percent|\s?(?:thousand|million|billion|bn)\b|[kKMG]\b)?(?![\d])"
)
_SCALES = {"thousand": 1e3, "k": 1e3, "million": 1e6, "m": 1e6, "billion": 1e9, "bn": 1e9, "g": 1e9}
_MARKER = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•])\s", re.MULTILINE)
"""The number of an item of a list, which counts nothing."""
_IN_TEXT = re.compile(r"\d{1,15}(?:\.\d{1,12})?")
TEXT_CHARS_MAX = 50_000


@dataclass(frozen=True, slots=True)
class Cited:
    """A figure of an answer."""

    words: str
    value: float
    digits: int
    """Behind the point, as written."""
    scale: float
    is_share: bool
    """With a percent sign."""


def cited(text: str) -> Iterator[Cited]:
    """Find the figures of an answer."""
    plain = _MARKER.sub(lambda found: " " * len(found[0]), text[:TEXT_CHARS_MAX])
    for found in _FIGURE.finditer(plain):
        number = re.sub(r"[,\u202f\u00a0' ]", "", found["number"])
        unit = (found["unit"] or "").strip().casefold()
        value = float(number) * (-1 if found["sign"] in ("-", "−") else 1)
        _, _, behind = number.partition(".")
        yield Cited(
            words=found[0].strip(),
            value=value,
            digits=len(behind),
            scale=_SCALES.get(unit, 1.0),
            is_share=unit in ("%", "percent"),
        )


def unfounded(text: str, results: Results, *, known: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the figures of an answer that no computed value founds, each once.

    Args:
        text: the answer.
        results: what was computed.
        known: texts whose figures need no ground: the question, the facts of the file.
    """
    values = sorted({abs(value) for value in _values(results)})
    stands = {number for words in known for number in _IN_TEXT.findall(words)}
    found = [
        one.words
        for one in cited(text)
        if f"{abs(one.value):.{one.digits}f}" not in stands and not _is_founded(one, values)
    ]
    return tuple(dict.fromkeys(found))[:UNFOUNDED_MAX]


def _is_founded(one: Cited, values: list[float]) -> bool:
    wanted = abs(one.value)
    # A half of the last digit, and as much again for whoever rounds halves down.
    room = 0.5 * 10.0**-one.digits * 1.001
    for value in values:
        told = [value / one.scale]
        if one.is_share:
            told.append(value * 100)
        if any(abs(number - wanted) <= max(room, wanted * 1e-9) for number in told):
            return True
        # "about 1,200": what ends in zeros may be rounded to them.
        if not one.digits and _is_rounded_to(told[0], wanted):
            return True
    return False


def _is_rounded_to(value: float, wanted: float) -> bool:
    """Say whether a number that ends in zeros rounds the value to three digits or more."""
    if wanted < 1000 or wanted % 10:
        return False
    zeros = len(str(int(wanted))) - len(str(int(wanted)).rstrip("0"))
    zeros = min(zeros, len(str(int(wanted))) - 3)
    return zeros > 0 and abs(value - wanted) <= 0.5 * 10.0**zeros


def _values(results: Results) -> Iterator[float]:
    for number in results.numbers:
        yield float(number.value)
    for table in results.tables:
        yield float(len(table.rows))
        yield float(table.rows_total)
        for row in table.rows:
            for cell in row:
                yield from _of_cell(cell)
        for column in table.columns:
            yield from _of_cell(column)
        yield from _of_cell(table.name)


def _of_cell(cell: object) -> Iterator[float]:
    if isinstance(cell, str):
        yield from (float(number) for number in _IN_TEXT.findall(cell))
    elif isinstance(cell, int | float) and not isinstance(cell, bool) and math.isfinite(cell):
        yield float(cell)
