"""How one queue was in its last hour: how deep, and how long what started had waited.

Everything is kept in memory and forgotten after an hour. Times are seconds of a monotonic clock.
"""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

SAMPLE_SECONDS = 10.0
HOUR_SECONDS = 3600.0
SAMPLES_MAX = int(HOUR_SECONDS / SAMPLE_SECONDS)
WAITS_MAX = 10_000
"""Starts that are remembered; with more in an hour, figures are of the latest ones."""
POINTS = 60
"""Of a curve: one a minute."""


class Sample(NamedTuple):
    at: float
    depth: tuple[int, ...]
    """Jobs that wait, by the rank of their priority."""


class Start(NamedTuple):
    at: float
    waited_seconds: float


class Load(NamedTuple):
    """How busy a computer was."""

    at: float
    cpu_share: float
    memory_share: float


class Loads:
    """The last SAMPLES_MAX loads of a computer, the oldest first.

    In bare numbers of 16 bytes a load, for there are thousands of computers: as tuples, an hour of
    one took twice what its connection takes.
    """

    __slots__ = ("_shares", "_times")

    def __init__(self) -> None:
        self._times = array("d")
        self._shares = array("f")
        """Two for each time."""

    def __iter__(self) -> Iterator[Load]:
        shares = iter(self._shares)
        return map(Load, self._times, shares, shares)

    def append(self, load: Load) -> None:
        if len(self._times) == SAMPLES_MAX:
            del self._times[:1], self._shares[:2]
        self._times.append(load.at)
        self._shares.extend((load.cpu_share, load.memory_share))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """What is shown of the last hour. Curves have POINTS points, the newest last; None: unknown."""

    depth: tuple[float | None, ...]
    """The most that waited in each minute."""
    wait: tuple[float | None, ...]
    """Seconds within which half of what started in each minute had started."""
    started: int
    """How many jobs began."""
    wait_p50: float | None
    """Seconds; None when nothing started."""
    wait_p95: float | None


@dataclass(slots=True)
class Meter:
    samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=SAMPLES_MAX))
    starts: deque[Start] = field(default_factory=lambda: deque(maxlen=WAITS_MAX))

    def sample(self, now: float, depth: tuple[int, ...]) -> None:
        self.samples.append(Sample(now, depth))

    def note_start(self, now: float, waited_seconds: float) -> None:
        self.starts.append(Start(now, max(0.0, waited_seconds)))

    def is_forgotten(self, now: float) -> bool:
        """Whether there is nothing of the last hour to show."""
        began = now - HOUR_SECONDS
        has_started = bool(self.starts) and self.starts[-1].at > began
        return not has_started and not any(s.at > began and any(s.depth) for s in self.samples)

    def hour(self, now: float) -> Hour:
        began = now - HOUR_SECONDS
        starts = [start for start in self.starts if start.at > began]
        waits = sorted(start.waited_seconds for start in starts)
        depths = [(s.at, float(sum(s.depth))) for s in self.samples if s.at > began]
        return Hour(
            depth=tuple(max(values, default=None) for values in by_point(depths, now)),
            wait=tuple(percentile(sorted(values), 0.5) for values in by_point(starts, now)),
            started=len(starts),
            wait_p50=percentile(waits, 0.5),
            wait_p95=percentile(waits, 0.95),
        )


def by_point(told: Iterable[tuple[float, float]], now: float) -> list[list[float]]:
    """Spread (time, value) pairs of the last hour over the points of a curve."""
    points: list[list[float]] = [[] for _ in range(POINTS)]
    width = HOUR_SECONDS / POINTS
    for at, value in told:
        place = POINTS - 1 - int((now - at) // width)
        if 0 <= place < POINTS:
            points[place].append(value)
    return points


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The value that a share of all does not exceed (nearest rank); None of nothing.

    Args:
        ordered: rising.
        share: in (0, 1].
    """
    if not ordered:
        return None
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
