"""Stretches of the log for workers: each is made once for all of a person's that need the same."""

from __future__ import annotations

from hub.services.feed import Feed
from shared.ids import PersonId
from shared.messages import BATCH_EVENTS_MAX
from shared.protocol import Stretch, stretch

LAG_EVENTS_MAX = 1000
"""How far a worker's cursor may stay behind the log while nothing concerns it."""
KEPT_MAX = 32
"""Stretches kept: a person's workers come for theirs in the same turn of the loop."""


class Stretches:
    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._kept: dict[PersonId, tuple[int, Stretch]] = {}
        """With where the log ended when it was made: later it may say what was deleted since."""

    async def after(self, hub_seq: int, person_id: PersonId) -> Stretch | None:
        """Read on from a worker's place; None when there is nothing it needs to be told yet."""
        position = self._feed.position()
        kept = self._kept.get(person_id)
        if kept is not None and kept[0] == position and kept[1].fits(hub_seq):
            return kept[1]
        facts = await self._feed.after(hub_seq, BATCH_EVENTS_MAX, person_id)
        if not facts:
            return stretch(hub_seq, (), position) if position - hub_seq > LAG_EVENTS_MAX else None
        last = facts[-1].hub_seq
        upto = max(position, last) if len(facts) < BATCH_EVENTS_MAX else last
        made = stretch(hub_seq, [(fact.hub_seq, fact.told()) for fact in facts], upto)
        self._kept.pop(person_id, None)
        if len(self._kept) >= KEPT_MAX:
            del self._kept[next(iter(self._kept))]
        self._kept[person_id] = position, made
        return made
