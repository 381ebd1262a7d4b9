"""How fast a frontend may be fed: token buckets for each conversation and for all together.

A message or an edit takes a token. What can wait (progress) leaves one for what cannot (a last
word, a question). A platform that says "not before" is believed, over any count of ours.
Times are seconds of a monotonic clock.
"""

from __future__ import annotations

from hub.core.view import FrontendCapabilities, Pace, View
from shared.ids import ConversationId

SPARE = 1.0
"""Tokens that what can wait leaves for what cannot."""
TOGETHER_SECONDS = 1.0
"""Two conversations refused within this time: it is the whole frontend that is too fast."""
BUCKETS_MAX = 1000
"""Beyond this many, buckets that are full again are forgotten."""
_ROUNDING = 1e-6


class Bucket:
    """Never gives more than `burst + per_second * t` tokens within any t seconds."""

    def __init__(self, pace: Pace, *, tokens: float, now: float) -> None:
        self._pace = pace
        self._tokens = min(float(pace.burst), tokens)
        self._at = now

    def wait(self, now: float, tokens: float = 1.0) -> float:
        """Seconds until so many tokens are there; more than fit in count as a full bucket."""
        self._fill(now)
        missing = min(tokens, self._pace.burst) - self._tokens
        return missing / self._pace.per_second if missing > _ROUNDING else 0.0

    def take(self, now: float, tokens: float = 1.0) -> None:
        """Take tokens; what is more than there are has to come in again before the next."""
        self._fill(now)
        self._tokens -= tokens

    def is_full(self, now: float) -> bool:
        self._fill(now)
        return self._tokens >= self._pace.burst

    def _fill(self, now: float) -> None:
        grown = self._tokens + max(0.0, now - self._at) * self._pace.per_second
        self._tokens = min(float(self._pace.burst), grown)
        self._at = max(self._at, now)


class Paces:
    """All the buckets of one frontend, and the rests it asked for."""

    def __init__(self, capabilities: FrontendCapabilities, now: float) -> None:
        self._capabilities = capabilities
        # What was sent before a restart is not known: every bucket begins empty, at the start.
        self._since = now
        self._total = self._bucket(capabilities.total_pace, now)
        self._chats: dict[ConversationId, Bucket] = {}
        self._rests: dict[ConversationId, float] = {}
        self._rests_all = now
        self._refused: tuple[ConversationId, float] | None = None
        """Who was told to wait last, and when."""

    def wait(
        self, conversation: ConversationId, now: float, *, cost: float = 1.0, can_wait: bool = False
    ) -> float:
        """Seconds until something of this cost may be shown."""
        needed = cost + SPARE if can_wait else cost
        waits = [b.wait(now, needed) for b in self._buckets(conversation, now)]
        rest = max(self._rests.get(conversation, now), self._rests_all) - now
        return max(0.0, rest, *waits)

    def claim(
        self, conversation: ConversationId, now: float, *, cost: float = 1.0, can_wait: bool = False
    ) -> float:
        """Take the tokens at once if they are there (0.0); else the seconds to wait, as `wait`.

        What many conversations do at the same time must not lie between the look and the taking.
        """
        wait = self.wait(conversation, now, cost=cost, can_wait=can_wait)
        if wait == 0.0:
            self.take(conversation, now, cost)
        return wait

    def take(self, conversation: ConversationId, now: float, cost: float = 1.0) -> None:
        """Something of this cost is shown now."""
        for bucket in self._buckets(conversation, now):
            bucket.take(now, cost)

    def rest(self, conversation: ConversationId, now: float, seconds: float) -> None:
        """Leave a conversation alone for a while."""
        self._rests[conversation] = now + seconds
        if len(self._rests) > BUCKETS_MAX:
            self._rests = {c: until for c, until in self._rests.items() if until > now}

    def refused(self, conversation: ConversationId, now: float, seconds: float) -> None:
        """The platform said "too fast": it does not say for whom."""
        self.rest(conversation, now, seconds)
        last, self._refused = self._refused, (conversation, now)
        if last and last[0] != conversation and now - last[1] <= TOGETHER_SECONDS:
            self._rests_all = max(self._rests_all, now + seconds)

    def wake(self, conversation: ConversationId) -> None:
        """Somebody is there again: the rest is over."""
        self._rests.pop(conversation, None)

    def _buckets(self, conversation: ConversationId, now: float) -> list[Bucket]:
        chat = self._chats.get(conversation)
        if chat is None:
            paces = self._capabilities
            pace = paces.group_pace if is_group(conversation) else paces.chat_pace
            chat = self._bucket(pace, now)
            if chat is not None:
                self._make_room(now)
                self._chats[conversation] = chat
        return [bucket for bucket in (chat, self._total) if bucket is not None]

    def _bucket(self, pace: Pace | None, now: float) -> Bucket | None:
        if pace is None:
            return None
        return Bucket(pace, tokens=(now - self._since) * pace.per_second, now=now)

    def _make_room(self, now: float) -> None:
        if len(self._chats) >= BUCKETS_MAX:
            self._chats = {c: b for c, b in self._chats.items() if not b.is_full(now)}


def is_group(conversation: ConversationId) -> bool:
    """Whether several people read it."""
    parts = conversation.split(":", 2)
    return len(parts) > 1 and parts[1] == "group"


def cost_of(view: View, capabilities: FrontendCapabilities) -> float:
    """How many messages a view makes: each file, each picture, a text too long for one."""
    if not capabilities.files:
        return 1.0
    is_long = bool(view.overflow) or len(view.text) > capabilities.text_chars_max
    return 1.0 + len(view.files) + bool(view.qr) + is_long + (view.sheet is not None)
