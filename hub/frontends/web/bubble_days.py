"""Bubbles of a page, grouped by day, as a reader calls it: "Today", "Yesterday", "3 Mar"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import groupby
from typing import Generic, Protocol, TypeVar


class Dated(Protocol):
    @property
    def at(self) -> datetime: ...


D = TypeVar("D", bound=Dated)


@dataclass(frozen=True, slots=True)
class Day(Generic[D]):
    label: str
    bubbles: Sequence[D]


def by_day(bubbles: Iterable[D], now: datetime, zone: tzinfo | None) -> tuple[Day[D], ...]:
    """Group what is in order already; a computer's clock that went back begins no day anew."""
    latest = date.min
    dated: list[tuple[date, D]] = []
    for bubble in bubbles:
        latest = max(latest, bubble.at.astimezone(zone).date())
        dated.append((latest, bubble))
    today = now.astimezone(zone).date()
    return tuple(
        Day(_label(day, today), tuple(bubble for _, bubble in group))
        for day, group in groupby(dated, key=lambda pair: pair[0])
    )


def _label(day: date, today: date) -> str:
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    named = f"{day:%A}, {day.day} {day:%B}"
    return named if day.year == today.year else f"{named} {day.year}"
