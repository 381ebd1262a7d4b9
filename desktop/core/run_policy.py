"""When may jobs start on this machine? The owner's rules on power, network, presence and hours.

The senses are read elsewhere (`desktop.system.power`); what a machine cannot sense does not hold
anything back. Jobs that run go on: a rule only keeps new ones from starting.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from shared.errors import ErrorBody

LOOK_SECONDS = 30.0
"""How often the senses are looked at while a rule needs one."""
IDLE_MINUTES_DEFAULT = 5
HINT = "Its owner decides that in Settings, When to run; or in the policy file, under [run]."
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class Day(StrEnum):
    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


DAYS = tuple(Day)
"""In the order of `datetime.weekday`."""


class Sense(StrEnum):
    """What of the machine a rule may need to know."""

    BATTERY = "battery"
    METERED = "metered"
    IDLE = "idle"


class RunRules(BaseModel):
    """The table `[run]` of the policy file. Without it jobs start at any time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on_battery: bool = True
    """Whether jobs may start while the machine runs on its battery."""
    battery_min_share: float | None = Field(default=None, gt=0, lt=1)
    """On battery, nothing starts below this share of a full charge."""
    on_metered: bool = True
    """Whether jobs may start while the network counts what goes through it."""
    while_active: bool = True
    """Whether jobs may start while somebody uses the machine."""
    idle_minutes: int = Field(default=IDLE_MINUTES_DEFAULT, ge=1, le=240)
    """Without a key or the mouse for so long, nobody uses it."""
    hours: Annotated[str, StringConstraints(strip_whitespace=True)] = ""
    """"08:00-18:00", the machine's own time; may go over midnight; empty for all day."""
    days: tuple[Day, ...] = ()
    """On which days, by the day the hours begin; empty for all."""
    cpu_share_max: float | None = Field(default=None, gt=0, le=1)
    """The share of the processor's cores that all jobs together may use, in whole cores."""

    @field_validator("hours")
    @classmethod
    def _are_hours(cls, hours: str) -> str:
        if hours and _HOURS.fullmatch(hours) is None:
            raise ValueError('write hours as "08:00-18:00"')
        return hours

    @property
    def senses(self) -> frozenset[Sense]:
        """What has to be sensed for these rules."""
        needed = {
            Sense.BATTERY: not self.on_battery or self.battery_min_share is not None,
            Sense.METERED: not self.on_metered,
            Sense.IDLE: not self.while_active,
        }
        return frozenset(sense for sense, is_needed in needed.items() if is_needed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """What the machine senses of itself; None where it cannot."""

    is_on_battery: bool | None = None
    battery_share: float | None = None
    is_metered: bool | None = None
    idle_seconds: float | None = None


def held_back(rules: RunRules, readings: Readings, now: datetime) -> ErrorBody | None:
    """Say which rule keeps jobs from starting now, or None.

    Args:
        rules: the owner's.
        readings: taken just now.
        now: in the machine's own zone.
    """
    opens_at = next_edge(rules, now)
    if opens_at is not None and not is_open(rules, now):
        return _held(
            "outside_hours",
            f"This computer starts jobs {_hours_told(rules)} only; the next are taken "
            f"{_when(opens_at, now)}.",
            seconds_between(now, opens_at),
        )
    return next(_sensed(rules, readings), None)


def _sensed(rules: RunRules, readings: Readings) -> Iterator[ErrorBody]:
    share = readings.battery_share
    charge = "" if share is None else f" ({share:.0%} left)"
    if readings.is_on_battery:
        if not rules.on_battery:
            yield _held("on_battery", f"This computer runs on its battery{charge}.")
        elif rules.battery_min_share and share is not None and share < rules.battery_min_share:
            yield _held(
                "battery_low",
                f"This computer's battery is at {share:.0%}; jobs start from "
                f"{rules.battery_min_share:.0%}.",
            )
    if readings.is_metered and not rules.on_metered:
        yield _held("on_metered", "This computer's network counts what goes through it.")
    idle = readings.idle_seconds
    if not rules.while_active and idle is not None and idle < rules.idle_minutes * 60:
        yield _held(
            "in_use",
            f"Somebody uses this computer; jobs start when it was left alone for "
            f"{_minutes(rules.idle_minutes)}.",
            max(LOOK_SECONDS, rules.idle_minutes * 60 - idle),
        )


def _held(code: str, message: str, seconds: float = LOOK_SECONDS) -> ErrorBody:
    return ErrorBody(
        code=code, message=message, hint=HINT, retryable=True, retry_after_seconds=seconds
    )


def is_open(rules: RunRules, now: datetime) -> bool:
    """Say whether the hours and days let jobs start; `now` in the machine's own zone."""
    return any(begins <= now < ends for begins, ends in _windows(rules, now))


def next_edge(rules: RunRules, now: datetime) -> datetime | None:
    """Return when the hours begin or end next; None when they never do."""
    if not rules.hours and len(set(rules.days)) in (0, len(DAYS)):
        return None
    windows = list(_windows(rules, now))
    # Where one window ends as the next begins, nothing changes; rules repeat after a week.
    joints = {begins for begins, _ in windows} & {ends for _, ends in windows}
    edges = {edge for window in windows for edge in window} - joints
    soon = (edge for edge in edges if now < edge < now + timedelta(days=8))
    return min(soon, key=datetime.timestamp, default=None)


def _windows(rules: RunRules, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Give all times around `now` in which jobs may start, earliest first."""
    begins, ends = _span(rules)
    for offset in range(-2, 9):
        day = now.date() + timedelta(days=offset)
        if rules.days and DAYS[day.weekday()] not in rules.days:
            continue
        last = day if begins < ends else day + timedelta(days=1)
        yield (
            datetime.combine(day, begins, now.tzinfo),
            datetime.combine(last, ends, now.tzinfo),
        )


def _span(rules: RunRules) -> tuple[time, time]:
    """Return when a day's hours begin and end; the same time twice is a whole day."""
    if not rules.hours:
        return time(), time()
    begins, _, ends = rules.hours.partition("-")
    return time.fromisoformat(begins), time.fromisoformat(ends)


def seconds_between(now: datetime, then: datetime) -> float:
    """Count real seconds; the clock may be put forward or back in between."""
    return then.timestamp() - now.timestamp()


def cores_max(rules: RunRules, cores: int) -> int | None:
    """Return how many cores jobs may use; None for all of them."""
    if rules.cpu_share_max is None:
        return None
    wanted = max(1, math.ceil(rules.cpu_share_max * cores - 1e-9))
    return wanted if wanted < cores else None


def _hours_told(rules: RunRules) -> str:
    hours = f"from {rules.hours.replace('-', ' to ')}" if rules.hours else ""
    chosen = [day for day in DAYS if day in rules.days]
    days = f"on {', '.join(day.value.title() for day in chosen)}" if chosen else ""
    return f"{hours} {days}".strip()


def _when(then: datetime, now: datetime) -> str:
    days = (then.date() - now.date()).days
    if days == 0:
        return f"at {then:%H:%M}"
    return f"tomorrow at {then:%H:%M}" if days == 1 else f"on {then:%A at %H:%M}"


def _minutes(count: int) -> str:
    return "a minute" if count == 1 else f"{count} minutes"
