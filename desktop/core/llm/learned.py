"""A limit per minute that nobody wrote down: learned when the other side asks for a long wait.

Who asks for a long wait counts by the minute, or longer: so much as went well in the last one is
what it lets through. It is tried with a little more for every minute in which nothing is refused.
"""

from __future__ import annotations

from collections import deque

from desktop.core.llm.budget import MINUTE_SECONDS, Budget

LONG_SECONDS = 5.0
"""A wait from which a limit by the minute is told; shorter ones are of limits by the moment."""
MORE = 1.1
"""After a minute without a refusal."""
LESS = 0.8
"""After a refusal, at most: less may have gone out than was let in."""
COUNT_MAX = 10_000


class Learned:
    """Times are seconds of one clock that never goes back."""

    def __init__(self) -> None:
        self._let_in: deque[float] = deque(maxlen=COUNT_MAX)
        """When calls left that were not turned away, as far as is known."""
        self._budget: Budget | None = None
        self._learned_at = float("-inf")

    @property
    def per_minute(self) -> float | None:
        """What was learned; None when nothing was."""
        return None if self._budget is None else self._budget.per_minute

    def refused(self, started_at: float, wait_seconds: float | None, now: float) -> None:
        """A call was turned away; what left before the last lesson teaches nothing new."""
        if self._let_in:
            self._let_in.pop()
        if (wait_seconds or 0.0) < LONG_SECONDS or started_at < self._learned_at:
            return
        while self._let_in and now - self._let_in[0] > MINUTE_SECONDS:
            self._let_in.popleft()
        self._learned_at = now
        count = max(1, len(self._let_in))
        if self._budget is None:
            self._budget = Budget(count)
        else:
            self._budget.per_minute = max(count, self._budget.per_minute * LESS)

    def take(self, now: float) -> None:
        self._let_in.append(now)
        if self._budget is not None:
            self._budget.take(1, now)

    def room_at(self, now: float) -> float:
        if self._budget is None:
            return now
        if now - self._learned_at > MINUTE_SECONDS:
            self._budget.per_minute *= MORE
            self._learned_at = now
        return self._budget.room_at(1, now)
