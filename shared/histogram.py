"""Counts how long things took, in buckets: a bisection and three additions, so it may be anywhere.

One thread notes; any may read, and sees numbers that are at most one note apart.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

COMMIT_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds of the buckets in which commits are counted."""


class Histogram:
    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        """Count nothing yet. `bounds`: upper ends of buckets, growing; one more is without end."""
        assert list(bounds) == sorted(set(bounds))
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(bounds) + 1)
        """How many fell into each bucket, the endless one last."""
        self.sum = 0.0

    def note(self, value: float) -> None:
        """Count one; a value that is a bound belongs to its bucket."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    @property
    def count(self) -> int:
        return sum(self.counts)
