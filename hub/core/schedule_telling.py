"""Five fields of cron in words, as `schedule_words` would read them; else the fields themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hub.core.schedule_names import DAYS, MONTHS, ORDINALS

_NUMBERS = re.compile(r"\d{1,2}(?:,\d{1,2})*", re.ASCII)
_NTH_DAY = re.compile(r"(?P<day>[0-7])(?:#(?P<nth>[1-5])|(?P<last>L))", re.ASCII)
_GROUPS = {
    "*": "day",
    **dict.fromkeys(("1-5", "MON-FRI", "1,2,3,4,5"), "weekday"),
    **dict.fromkeys(("0,6", "6,0", "6,7", "6-7", "SAT,SUN"), "weekend"),
}
_STEP = re.compile(r"\*/(?P<step>\d{1,2})", re.ASCII)


def describe(cron: str) -> str:
    """Say five fields in words: "every weekday at 8:00", "every 2 hours"; cron as it stands else.

    Args:
        cron: checked.
    """
    minutes, hours, day, month, weekday = cron.split()
    if (day, month, weekday) == ("*", "*", "*") and (step := _steps(minutes, hours)):
        return step
    times = _times(minutes, hours)
    days = _days(day, month, weekday)
    return f"every {days} at {times}" if times and days else f"at cron {cron}"


def _steps(minutes: str, hours: str) -> str:
    if hours == "*" and minutes == "*":
        return "every minute"
    if hours == "*" and minutes == "0":
        return "every hour"
    if hours == "*" and (found := _STEP.fullmatch(minutes)) and 60 % int(found["step"]) == 0:
        return f"every {found['step']} minutes"
    if minutes == "0" and (found := _STEP.fullmatch(hours)) and 24 % int(found["step"]) == 0:
        return f"every {found['step']} hours"
    return ""


def _times(minutes: str, hours: str) -> str:
    if not (_NUMBERS.fullmatch(minutes) and _NUMBERS.fullmatch(hours)):
        return ""
    times = [f"{int(hour)}:{int(minute):02}" for hour in hours.split(",")
        for minute in minutes.split(",")]  # fmt: skip
    return listing(times) if len(times) <= 6 else ""


def _days(day: str, month: str, weekday: str) -> str:
    of = f" of {MONTHS[int(month) - 1].title()}" if month.isdecimal() else ""
    if month != "*" and not of:
        return ""
    if weekday == "*" and day != "*":
        return _of_month(day) + of if _of_month(day) else ""
    if day != "*":
        return ""
    if found := _NTH_DAY.fullmatch(weekday):
        place = "last" if found["last"] else ORDINALS[int(found["nth"]) - 1]
        return f"{place} {DAYS[int(found['day']) % 7].title()}{of}"
    return "" if of else _weekdays(weekday)


def _of_month(day: str) -> str:
    if day.upper() == "L":
        return "last day of the month"
    if not _NUMBERS.fullmatch(day):
        return ""
    return listing([ordinal(int(number)) for number in day.split(",")])


def _weekdays(weekday: str) -> str:
    if group := _GROUPS.get(weekday.upper()):
        return group
    if not _NUMBERS.fullmatch(weekday):
        return ""
    return listing([DAYS[int(number) % 7].title() for number in weekday.split(",")])


def ordinal(number: int) -> str:
    """Say which one: 1 is "1st"."""
    last = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{last}"


def listing(words: Sequence[str]) -> str:
    """Name several: "Monday, Tuesday and Friday"."""
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
