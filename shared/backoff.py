"""Waiting times that grow and are spread out, for reconnects and for retries."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Exponential growth with jitter of half to one and a half times the plain value."""

    first_seconds: float
    factor: float = 2.0
    max_seconds: float

    def wait_seconds(self, failures: int, random: float) -> float:
        """Return how long to wait.

        Args:
            failures: how many tries have failed so far, at least 1.
            random: in [0, 1).
        """
        assert failures >= 1
        # 64 doublings exceed any ceiling; more would overflow a float.
        plain = self.first_seconds * self.factor ** min(failures - 1, 64)
        return min(plain, self.max_seconds) * (0.5 + random)


@dataclass(frozen=True, slots=True, kw_only=True)
class FullJitter:
    """Waits anywhere between a floor and a ceiling that doubles.

    Of many that failed in the same moment it spreads the tries best (AWS Architecture Blog,
    "Exponential Backoff and Jitter", 2015).
    """

    min_seconds: float
    max_seconds: float

    def wait_seconds(self, failures: int, random: float) -> float:
        """As `Backoff.wait_seconds`."""
        assert failures >= 1
        ceiling = min(self.min_seconds * 2.0 ** min(failures, 64), self.max_seconds)
        return self.min_seconds + random * (ceiling - self.min_seconds)


RECONNECT = FullJitter(min_seconds=0.5, max_seconds=30.0)
"""Workers calling a hub that is away: 10,000 of them must not come back in the same second."""

RETRY = Backoff(first_seconds=5.0, factor=4.0, max_seconds=15 * 60.0)
"""Attempts of a job that failed in a way that may pass."""
