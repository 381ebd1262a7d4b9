"""How much time training has, and how far it is. Reading the clock is left to whoever makes one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

Clock = Callable[[], float]


class Progress(Protocol):
    """Takes word of how far training is; cheap enough to be called after every tree."""

    def __call__(
        self, stage: str, done: float, total: float, *, eta_seconds: float | None = None
    ) -> None: ...


def silent(stage: str, done: float, total: float, *, eta_seconds: float | None = None) -> None:
    """Take progress when nobody watches."""


class Bar:
    """One bar for a whole job: each stage fills its stretch of it, and it never runs backwards."""

    def __init__(self, tell: Progress) -> None:
        self._tell = tell
        self._done = 0.0

    def stretch(self, begin: float, end: float) -> Progress:
        """Give what a stage tells its own progress to; it fills the bar from `begin` to `end`."""
        assert 0.0 <= begin < end <= 1.0

        def told(
            stage: str, done: float, total: float, *, eta_seconds: float | None = None
        ) -> None:
            share = done / total if total > 0 else 0.0
            self._done = max(self._done, begin + (end - begin) * min(1.0, max(0.0, share)))
            self._tell(stage, self._done, 1.0, eta_seconds=eta_seconds)

        return told


class Budget:
    """Seconds that may be spent, counted from when it was made."""

    def __init__(self, seconds: float, clock: Clock = monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self.seconds = seconds

    def spent(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._started

    def left(self) -> float:
        """Seconds left; 0 when it is used up."""
        return max(0.0, self.seconds - self.spent())

    def is_over(self) -> bool:
        return self.spent() >= self.seconds

    def part(self, seconds: float) -> Budget:
        """Start a budget within this one: at most `seconds`, at most what is left."""
        return Budget(max(0.0, min(seconds, self.left())), self._clock)


@dataclass
class Course:
    """Turns finished steps of a plan into progress with a time to go, from measured costs."""

    budget: Budget
    tell: Progress
    weights: dict[str, float] = field(default_factory=dict)
    """What each step of the plan is expected to cost, in units of any size."""
    _done: float = 0.0

    def plan(self, weights: Iterable[tuple[str, float]]) -> None:
        """Add steps."""
        self.weights.update(weights)

    def at(self, stage: str, step: str, share: float) -> None:
        """Tell that a share (0..1) of a step is done; its stage is named to the person."""
        total = sum(self.weights.values())
        done = min(total, self._done + self.weights.get(step, 0.0) * share)
        self.tell(stage, done, total, eta_seconds=self._seconds_to_go(done, total))

    def finish(self, stage: str, step: str) -> None:
        """Tell that a step is done (or will never be)."""
        self._done += self.weights.get(step, 0.0)
        self.at(stage, "", 0.0)

    def _seconds_to_go(self, done: float, total: float) -> float | None:
        if done <= 0:
            return None
        return min(self.budget.spent() / done * (total - done), self.budget.left())
