"""Days, months and times of day, as people name them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from shared.errors import BadInput

DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
ORDINALS = ("first", "second", "third", "fourth", "fifth")
CLOCK = re.compile(r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?P<half>am|pm)?", re.ASCII)
HOUR = re.compile(r"(?P<hour>\d{1,2})(?P<half>am|pm|h)", re.ASCII)
NUMBER = re.compile(r"\d{1,3}", re.ASCII)
_NTH = re.compile(r"(?P<day>\d{1,2})(?:st|nd|rd|th)", re.ASCII)
_RANGE = re.compile(r"(?P<first>[a-z]+)-(?P<last>[a-z]+)", re.ASCII)


def nth(word: str) -> int | None:
    """Read "1st" or "first"; None for any other word."""
    if found := _NTH.fullmatch(word):
        return int(found["day"])
    return ORDINALS.index(word) + 1 if word in ORDINALS else None


def days_named(word: str) -> set[int] | None:
    """Read "monday", "mon" or "mon-fri"; None for any other word."""
    if found := _RANGE.fullmatch(word):
        first, last = day_of(found["first"]), day_of(found["last"])
        return span(first, last) if first is not None and last is not None else None
    day = day_of(word)
    return None if day is None else {day}


def day_of(word: str) -> int | None:
    found = number_in(DAYS, word.removesuffix("s"))
    return found if found is not None else number_in(DAYS, word)


def number_in(names: Sequence[str], word: str) -> int | None:
    """The place of a name that is written out, or by its first three letters or more."""
    if len(word) < 3:
        return None
    return next((place for place, name in enumerate(names) if name.startswith(word)), None)


def span(first: int, last: int) -> set[int]:
    return {(first + step) % 7 for step in range((last - first) % 7 + 1)}


def on_the_clock(word: str, hour: int, minute: int, half: str) -> tuple[int, int]:
    is_half = half in {"am", "pm"}
    if minute > 59 or hour > (12 if is_half else 23) or (is_half and hour == 0):
        raise BadInput(
            "schedule_time", f"'{word[:20]}' is no time of day.", "Say it like 8:00, 7am or 19:30."
        )
    if is_half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return hour, minute


def is_hour(word: str) -> bool:
    return bool(NUMBER.fullmatch(word)) and int(word) <= 23


def is_time(word: str) -> bool:
    is_shaped = CLOCK.fullmatch(word) or HOUR.fullmatch(word)
    return bool(is_shaped) or word in {"at", "noon", "midnight"}
