"""When something is to be done, read from what a person wrote in front of what is to be done.

    weekday 8:00 /predict model.csv         every weekday at 8:00, then the command
    monday and thursday at 7am summarize …  two days, then plain words
    2 hours …   15 minutes …                steps that fit the hour, or the day
    1st 9:00 …   first monday 9:00 …        days of the month
    "0 8 * * 1-5" …   0 8 * * 1-5 …         cron, with quotes or without

Words become five fields of cron; `schedule_telling` says those in words again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hub.core import cron
from hub.core.schedule_names import (
    CLOCK,
    HOUR,
    MONTHS,
    NUMBER,
    day_of,
    days_named,
    is_hour,
    is_time,
    nth,
    number_in,
    on_the_clock,
    span,
)
from shared.errors import BadInput
from shared.schedules import WHEN_CHARS_MAX

_STEP_OF = {"minute": 60, "hour": 24}
_ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_GROUPS: Mapping[str, str] = {
    "day": "*", "weekday": "1-5", "workday": "1-5", "weekend": "0,6",
}  # fmt: skip
_QUOTES = {'"': '"', "'": "'", "“": "”", "„": "“"}
_WORD = re.compile(r"[^\s,]+|,")
_STAR = re.compile(r"[\d*][\d*/,-]*", re.ASCII)
_NAMES = re.compile(r"[\da-zA-Z*][\da-zA-Z*/,#-]*", re.ASCII)
_FIELDS = (_STAR, _STAR, re.compile(r"(?i)[\d*][\d*/,-]*|LW?", re.ASCII), _NAMES, _NAMES)
EXAMPLES = "For example: every weekday 8:00, every monday and thursday at 7am, every 2 hours."


@dataclass(frozen=True, slots=True)
class When:
    """When something is to be done."""

    cron: str
    """Five fields, checked."""
    zone: str = ""
    """The zone that was named with it; empty when none was."""


def split(text: str, is_zone: Callable[[str], bool]) -> tuple[When, str]:
    """Read when something is to be done; return that, and the words behind it.

    Args:
        text: as a person wrote it, with "every" in front or without.
        is_zone: says whether there is a time zone of a name.

    Raises:
        BadInput: `schedule_words`, `schedule_time`, `schedule_step`, `schedule_cron`.
    """
    text = text.strip()
    if text[:1] in _QUOTES:
        end = text.find(_QUOTES[text[0]], 1)
        end = end if end > 0 else text.find(text[0], 1)
        if end > 0:
            return when(text[1:end], is_zone), text[end + 1 :].strip()
    reader = _Reader(text, is_zone)
    found = reader.read()
    return found, reader.rest


def when(text: str, is_zone: Callable[[str], bool]) -> When:
    """Read when something is to be done, and nothing else.

    Raises:
        BadInput: as `split`.
    """
    reader = _Reader(text[: WHEN_CHARS_MAX + 1], is_zone)
    found = reader.read()
    if reader.rest:
        raise _unclear(reader.rest)
    return found


class _Reader:
    """Takes word after word, as long as they say when."""

    def __init__(self, text: str, is_zone: Callable[[str], bool]) -> None:
        self._text = text
        self._is_zone = is_zone
        # What says when is short: a novel behind it is not looked at.
        found = list(_WORD.finditer(text[: 2 * WHEN_CHARS_MAX]))
        self._words = [word[0].casefold() for word in found]
        self._starts = [word.start() for word in found]
        self._at = 0

    @property
    def rest(self) -> str:
        if self._at >= len(self._starts):
            return self._text[2 * WHEN_CHARS_MAX :].strip()
        return self._text[self._starts[self._at] :].strip()

    def read(self) -> When:
        self._takes("every", "each")
        fields = self._fields()
        if fields is None:
            fields = self._step() or self._days_at_times()
        zone = self._zone()
        self._takes(",")
        if self._peek() in {"and", "or"}:
            raise BadInput(
                "schedule_words",
                f"Only one time fits here, and '{self.rest[:40]}' begins another.",
                "Make one schedule for each.",
            )
        return When(cron.checked(fields), zone)

    def _peek(self, ahead: int = 0) -> str:
        place = self._at + ahead
        return self._words[place] if place < len(self._words) else ""

    def _takes(self, *words: str) -> bool:
        if self._peek() not in words or not self._peek():
            return False
        self._at += 1
        return True

    def _fields(self) -> str | None:
        """Five fields of cron, or a name for some."""
        alias = _ALIASES.get(self._peek())
        if alias is not None:
            self._at += 1
            return alias
        found = self.rest.split(maxsplit=cron.FIELDS)
        if len(found) < cron.FIELDS or not all(
            shape.fullmatch(part) for shape, part in zip(_FIELDS, found[: cron.FIELDS], strict=True)
        ):
            return None
        behind = found[5] if len(found) > cron.FIELDS else ""
        end = len(self._text.rstrip()) - len(behind.rstrip())
        while self._at < len(self._starts) and self._starts[self._at] < end:
            self._at += 1
        return " ".join(found[: cron.FIELDS])

    def _step(self) -> str | None:
        """Read "hour", "2 hours", "15 minutes" or "half hour"."""
        number, ahead = "1", 0
        if self._peek() == "half" and self._peek(1) in {"hour", "an"}:
            self._at += 3 if self._peek(1) == "an" else 2
            return "*/30 * * * *"
        if NUMBER.fullmatch(self._peek()):
            number, ahead = self._peek(), 1
        unit = {"min": "minute", "mins": "minute", "h": "hour"}.get(
            self._peek(ahead), self._peek(ahead).removesuffix("s")
        )
        if unit not in _STEP_OF:
            return None
        self._at += ahead + 1
        return _stepped(int(number), unit)

    def _days_at_times(self) -> str:
        day, month, weekday = self._days()
        minutes, hours = self._times()
        return f"{minutes} {hours} {day} {month} {weekday}"

    def _days(self) -> tuple[str, str, str]:
        """Day of the month, month and weekday, as cron has them."""
        if self._takes("week"):
            if not self._takes("on"):
                raise _unclear("week", "Which day? As in: every monday 8:00.")
        elif self._takes("month"):
            self._takes("on")
            self._takes("the")
        if (group := _GROUPS.get(self._peek().removesuffix("s"))) is not None:
            self._at += 1
            return "*", "*", group
        if self._takes("daily"):
            return "*", "*", "*"
        if (found := self._of_month()) is not None:
            return found
        weekdays = self._weekdays()
        if not weekdays:
            raise _unclear(self.rest)
        return "*", "*", "1-5" if weekdays == set(range(1, 6)) else _listed(weekdays)

    def _of_month(self) -> tuple[str, str, str] | None:
        """Read "1st", "1st and 15th", "last day", "first monday" or "24th of december"."""
        if self._peek() == "last" and self._peek(1) == "day":
            self._at += 2
            return "L", self._month(), "*"
        place = nth(self._peek())
        weekday = day_of(self._peek(1))
        if weekday is not None and (place or self._peek() == "last"):
            self._at += 2
            return "*", self._month(), f"{weekday}#{place}" if place else f"{weekday}L"
        days: set[int] = set()
        while place := nth(self._peek()):
            days.add(place)
            self._at += 1
            if not self._goes_on(lambda word: nth(word) is not None):
                break
        return (_listed(days), self._month(), "*") if days else None

    def _month(self) -> str:
        if self._peek() == "of" and self._peek(1) in {"the", "each", "every"}:
            self._at += 3
            return "*"
        ahead = 1 if self._peek() == "of" else 0
        if self._peek(ahead) == "month":
            self._at += ahead + 1
            return "*"
        number = number_in(MONTHS, self._peek(ahead))
        if number is None:
            return "*"
        self._at += ahead + 1
        return str(number + 1)

    def _weekdays(self) -> set[int]:
        found: set[int] = set()
        while (days := self._weekday()) is not None:
            found |= days
            if not self._goes_on(lambda word: bool(days_named(word))):
                break
        return found

    def _weekday(self) -> set[int] | None:
        """One day, or from one to another."""
        days = days_named(self._peek())
        if days is None:
            return None
        self._at += 1
        last = day_of(self._peek(1))
        if self._peek() in {"to", "till", "until", "through"} and last is not None:
            self._at += 2
            return span(min(days), last)
        return days

    def _goes_on(self, fits: Callable[[str], bool]) -> bool:
        """Step over "and" or a comma when more of the same comes behind it."""
        ahead = 0
        while self._peek(ahead) in {"and", ",", "or", "&"}:
            ahead += 1
        if ahead == 0 or not fits(self._peek(ahead)):
            return False
        self._at += ahead
        return True

    def _times(self) -> tuple[str, str]:
        """Minutes and hours, as cron has them."""
        self._takes(",")
        is_said = self._takes("at")
        first = self._time(is_bare=is_said)
        if first is None:
            raise BadInput(
                "schedule_time",
                "At what time?" if not is_said else f"'{self._peek()[:20]}' is no time of day.",
                "Say it like 8:00, 7am, 19:30 or noon. " + EXAMPLES,
            )
        times = {first}
        while self._goes_on(lambda word: is_time(word) or (is_said and is_hour(word))):
            self._takes("at")
            more = self._time(is_bare=is_said)
            assert more is not None
            times.add(more)
        minutes, hours = {minute for _, minute in times}, {hour for hour, _ in times}
        if len(minutes) * len(hours) != len(times):
            raise BadInput(
                "schedule_time",
                "Times of one schedule need the same minutes.",
                "Make one schedule for each, as in 8:30 and 17:00.",
            )
        return _listed(minutes), _listed(hours)

    def _time(self, *, is_bare: bool) -> tuple[int, int] | None:
        word = self._peek()
        if word in {"noon", "midnight"}:
            self._at += 1
            return (12 if word == "noon" else 0), 0
        half = self._peek(1) if self._peek(1) in {"am", "pm"} else ""
        found = CLOCK.fullmatch(word) or HOUR.fullmatch(word)
        if found is None and not ((is_bare or half) and is_hour(word)):
            return None
        hour = int(found["hour"] if found else word)
        minute = int(found.groupdict().get("minute") or 0) if found else 0
        said = (found["half"] or "" if found else "") or half
        self._at += 2 if half and said == half and not (found and found["half"]) else 1
        return on_the_clock(word, hour, minute, said)

    def _zone(self) -> str:
        if self._peek() != "in" or self._at + 1 >= len(self._starts):
            return ""
        start = self._starts[self._at + 1]
        name = self._text[start : start + len(self._words[self._at + 1])]
        if not self._is_zone(name):
            return ""
        self._at += 2
        return name


def _stepped(number: int, unit: str) -> str:
    whole = _STEP_OF[unit]
    if number < 1 or whole % number:
        fitting = [str(step) for step in range(2, whole) if whole % step == 0]
        raise BadInput(
            "schedule_step",
            f"{number} {unit}s do not fit into {'an hour' if unit == 'minute' else 'a day'}.",
            f"These do: {', '.join(fitting)}.",
        )
    step = "*" if number == 1 else f"*/{number}"
    if number == whole:
        return "0 * * * *" if unit == "minute" else "0 0 * * *"
    return f"{step} * * * *" if unit == "minute" else f"0 {step} * * *"


def _listed(numbers: set[int]) -> str:
    return ",".join(str(number) for number in sorted(numbers))


def _unclear(words: str, hint: str = EXAMPLES) -> BadInput:
    said = " ".join(words.split())[:40]
    message = f"I cannot tell when from '{said}'." if said else "When should it be done?"
    return BadInput("schedule_words", message, hint)
