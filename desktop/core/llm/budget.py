"""What a minute allows: an amount that is never gone over in any minute, spent evenly."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

MINUTE_SECONDS = 61.0
"""A second more than a minute, for calls do not arrive as evenly as they leave."""
BURST_SHARE = 0.1
"""Of a minute's amount, at once; makers of models count by shorter spells than they say."""


@dataclass(slots=True, eq=False)
class Spending:
    """One amount that was taken; what it really was may be told later."""

    at: float
    amount: float


class Budget:
    """So much a minute. Times are seconds of one clock that never goes back."""

    def __init__(self, per_minute: float) -> None:
        assert per_minute > 0
        self.per_minute = per_minute
        self._spendings: deque[Spending] = deque()
        self._spent = 0.0
        """In the last minute."""
        self._level = self._burst
        """What may be taken at once; below zero after more was used than was taken for."""
        self._level_at = 0.0

    @property
    def _burst(self) -> float:
        return max(1.0, self.per_minute * BURST_SHARE)

    def room_at(self, amount: float, now: float) -> float:
        """Return when so much may be taken, `now` at the earliest.

        What is more than a whole minute's amount waits for an empty minute, not for ever.
        """
        self._forget(now)
        wanted = min(amount, self.per_minute)
        free_at = now
        over = self._spent + wanted - self.per_minute
        for spending in self._spendings:
            if over <= 1e-9:
                break
            over -= spending.amount
            free_at = spending.at + MINUTE_SECONDS
        missing = min(wanted, self._burst) - self._level_now(now)
        return max(free_at, now + max(0.0, missing) * 60.0 / self.per_minute)

    def take(self, amount: float, now: float) -> Spending:
        """Take so much; `room_at` said that there is room."""
        self._level = self._level_now(now) - amount
        self._level_at = now
        spending = Spending(now, amount)
        self._spendings.append(spending)
        self._spent += amount
        return spending

    def correct(self, spending: Spending, amount: float, now: float) -> None:
        """Tell what was really used of what was taken."""
        more = amount - spending.amount
        spending.amount = amount
        self._level = min(self._burst, self._level_now(now) - more)
        self._level_at = now
        if now - spending.at < MINUTE_SECONDS:
            self._spent += more

    def _level_now(self, now: float) -> float:
        gained = max(0.0, now - self._level_at) * self.per_minute / 60.0
        return min(self._burst, self._level + gained)

    def _forget(self, now: float) -> None:
        while self._spendings and now - self._spendings[0].at >= MINUTE_SECONDS:
            self._spent -= self._spendings.popleft().amount
        if not self._spendings:
            self._spent = 0.0  # sums of floats drift
