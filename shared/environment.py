"""Time and randomness come in here and nowhere else, so a simulation can hold both.

Pure code takes `now` as an argument; what lives longer takes an Environment.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from shared.entropy import for_ids
from shared.ids import RANDOM_BYTES, uuid7


class Clock(Protocol):
    def now(self) -> datetime:
        """Tell the wall-clock time, aware, UTC. It may jump; never measure with it."""

    def monotonic(self) -> float:
        """Seconds since some moment; never jumps, means nothing to another process."""


class Entropy(Protocol):
    def __call__(self, count: int, /) -> bytes:
        """Return `count` bytes fit for secrets."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class Environment:
    """What the outside world gives a program besides messages."""

    clock: Clock = field(default_factory=SystemClock)
    entropy: Entropy = os.urandom

    @property
    def id_entropy(self) -> Entropy:
        """The same for what is no secret: cheaper where it is drawn for every job."""
        return for_ids if self.entropy is os.urandom else self.entropy

    def now(self) -> datetime:
        return self.clock.now()

    def monotonic(self) -> float:
        return self.clock.monotonic()

    def new_id(self) -> str:
        """Make a UUIDv7; wrap it in the id type it is meant for."""
        milliseconds = int(self.now().timestamp() * 1000)
        return uuid7(milliseconds, self.id_entropy(RANDOM_BYTES))

    def random(self) -> float:
        """Return a number in [0, 1), for jitter."""
        return int.from_bytes(self.entropy(7), "big") / 2**56
