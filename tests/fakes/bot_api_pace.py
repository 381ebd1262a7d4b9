"""How much Telegram takes: what its FAQ says, enforced.

Source: core.telegram.org/bots/faq, "My bot is hitting limits": about one message per second in a
chat with short bursts above it, 20 per minute in a group, 30 per second overall. How long a burst
may be is not published: five is what we hold to. The other two are held to the letter, in every
minute and every second one may pick. Who was refused is refused until the wait is over.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

GRACE_SECONDS = 0.01
"""For the time a request is on its way, which makes distances shorter or longer."""


class Rule:
    """A limit on one stream of messages; times in seconds."""

    def __init__(self) -> None:
        self.shut_until = -math.inf

    def wait(self, now: float) -> float:
        """How long until one more fits; 0 when it does now."""
        rest = self.shut_until - now
        wait = rest if rest > GRACE_SECONDS else self._wait(now)
        return wait if wait > GRACE_SECONDS else 0.0

    def _wait(self, now: float) -> float:
        raise NotImplementedError

    def take(self, now: float) -> None:
        raise NotImplementedError


class Bucket(Rule):
    """`burst` at once, `per_second` in the long run."""

    def __init__(self, burst: float, per_second: float) -> None:
        super().__init__()
        self._burst = burst
        self._per_second = per_second
        self._tokens = burst
        self._filled_at = -math.inf

    def _wait(self, now: float) -> float:
        grown = (now - self._filled_at) * self._per_second
        self._tokens = min(self._burst, self._tokens + grown)
        self._filled_at = now
        return (1 - self._tokens) / self._per_second

    def take(self, now: float) -> None:
        del now
        self._tokens -= 1


class Window(Rule):
    """No more than `count` in any stretch of `seconds`."""

    def __init__(self, count: int, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._taken: deque[float] = deque([-math.inf] * count, maxlen=count)

    def _wait(self, now: float) -> float:
        return self._taken[0] + self._seconds - now

    def take(self, now: float) -> None:
        self._taken.append(now)


@dataclass(slots=True)
class Limits:
    """All limits of one bot; times are of `clock`, in seconds."""

    clock: Callable[[], float]
    _total: Rule = field(default_factory=lambda: Window(30, 1.0))
    _chats: dict[int, list[Rule]] = field(default_factory=dict)

    def retry_after(self, chat_id: int) -> int:
        """Take one message to a chat; 0, or the whole seconds its sender must wait."""
        now = self.clock()
        rules = [self._total, *self._rules_of(chat_id)]
        for rule in rules:
            wait = rule.wait(now)
            if wait > 0:
                rule.shut_until = max(rule.shut_until, now + wait)
                return math.ceil(wait)
        for rule in rules:
            rule.take(now)
        return 0

    def _rules_of(self, chat_id: int) -> list[Rule]:
        if chat_id not in self._chats:
            rules: list[Rule] = [Bucket(5, 1.0)]
            if chat_id < 0:
                rules.append(Window(20, 60.0))
            self._chats[chat_id] = rules
        return self._chats[chat_id]
