"""Axes: which part of the numbers is shown, where they lie on the sheet, and what is written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

DIGITS_MAX = 6
TICKS_MAX = 6
ROOM_SHARE = 0.05
"""Of the range, left free on both sides."""
LEAST = 1e-100
"""What is nearer to zero is zero: a half of it, or a share of it, may be none at all."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps numbers from `low` to `high` to pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def at(self, value: float) -> float:
        """Say where a number lies, in pixels of the sheet."""
        return self.start + self._share(value) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Choose round numbers to write along the axis."""
        return log_ticks(self.low, self.high) if self.is_log else ticks(self.low, self.high)

    def _share(self, value: float) -> float:
        if self.is_log:
            low, high = math.log10(self.low), math.log10(self.high)
            return (math.log10(max(value, self.low)) - low) / (high - low)
        return (value - self.low) / (self.high - self.low)


def range_of(values: Sequence[float], *, is_log: bool = False) -> tuple[float, float]:
    """Find the part of the numbers that is shown: all of them, and a little room."""
    told = [v for v in values if v >= LEAST] if is_log else list(values)
    if not told:
        return (1.0, 10.0) if is_log else (0.0, 1.0)
    low, high = min(told), max(told)
    if is_log:
        low, high = (low, high) if high > low * (1 + 1e-9) else (low / 2, high * 2)
        room = (high / low) ** ROOM_SHARE
        return low / room, high * room
    size = max(abs(low), abs(high))
    if high - low <= max(LEAST, size * 1e-12):
        room = max(0.5, size * ROOM_SHARE)
        return low - room, high + room
    room = (high - low) * ROOM_SHARE
    return low - room, high + room


def ticks(low: float, high: float, most: int = TICKS_MAX) -> list[float]:
    """Choose at most `most` numbers of 1, 2, 2.5 or 5 times a power of ten between two."""
    raw = (high - low) / max(1, most - 1)
    power = 10 ** math.floor(math.log10(raw))
    step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [n * step for n in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Choose powers of ten between two numbers; with few of them also their doubles and fives."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    tens = [10.0**p for p in powers if low <= 10.0**p <= high]
    if len(tens) >= 3:
        return tens[:: max(1, -(-len(tens) // TICKS_MAX))]
    return [m * 10.0**p for p in powers for m in (1, 2, 5) if low <= m * 10.0**p <= high]


def told(value: float) -> str:
    """Write a number as briefly as an axis needs: "0.25", "1,500", "25k", "1.2M"."""
    value = 0.0 if abs(value) < 1e-12 else value
    for scale, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= scale:
            return f"{value / (1e3 if unit == 'k' else scale):.3g}{unit}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def alike(values: Sequence[float]) -> list[str]:
    """Write values with the same digits behind the point, three telling ones in the largest."""
    largest = max((abs(value) for value in values), default=0.0)
    if largest >= 1000:
        return [told(value) for value in values]
    digits = max(0, 2 - math.floor(math.log10(largest))) if largest else 0
    return [f"{value:.{min(digits, DIGITS_MAX)}f}".replace("-", "−") for value in values]


def share(part: float) -> str:
    """Write a share of 0..1 in percent, so that only nothing is 0 % and only all is 100 %."""
    percent = 100 * part
    if 0 < percent < 1:
        return "under 1 %"
    if 99 < percent < 100:
        return "over 99 %"
    return f"{percent:.0f} %"


def mixed(color: str, ground: str, part: float) -> str:
    """Lay a colour over another, `part` 0..1 of it."""
    pairs = zip(_parts(color), _parts(ground), strict=True)
    return "#" + "".join(f"{round(c * part + g * (1 - part)):02X}" for c, g in pairs)


def _parts(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
