"""One webhook's way through the log: what is next, sent; what became of it, settled.

A lane stands at a message that its endpoint does not take now, and no other lane knows of it. The
feed is only a bell: a lane reads on from its webhook's cursor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from hub.core.fact import Fact
from hub.core.webhook import Delivery, Webhook
from hub.core.webhook_message import is_late, message_of, trial_message, type_of
from hub.frontends.webhooks.posting import Message, Post
from hub.services import Services
from hub.services.webhook_lanes import Lane as Place
from shared.errors import AppError
from shared.ids import PersonId, WebhookId

log = structlog.get_logger()

BATCH_EVENTS = 25
SKIPS_MAX = 500
"""As many events that are none of its own a lane reads again after a restart, at most."""
STORE_SECONDS = 5.0
"""How long a lane rests while the store cannot be written."""


class Lane:
    def __init__(self, webhook_id: WebhookId, services: Services, post: Post) -> None:
        self._webhook_id = webhook_id
        self._services = services
        self._post = post
        self._bell = asyncio.Event()
        self._read_to = 0
        """The hub_seq up to which nothing more is for it; the cursor follows now and then."""
        self._is_blocked = False
        """It stands at a message: what happens meanwhile need not wake it."""

    def ring(self) -> None:
        """There may be something to send."""
        self._bell.set()

    async def run(self, person_id: PersonId) -> None:
        """Send until the webhook is stopped or gone."""
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(self._listen(person_id))
            await self._send_on()
            listening.cancel()

    async def run_once(self) -> float | None:
        """Send the next message that is due.

        Returns:
            In how many seconds there may be another one; None: when somebody rings.

        Raises:
            LaneOver: the webhook is stopped or gone.
        """
        place = await self._services.webhook_lanes.lane(self._webhook_id)
        if place is None:
            raise LaneOver
        self._is_blocked = place.is_blocked
        if place.due is not None:
            await self._send_again(place, place.due)
            return 0.0
        if place.is_blocked:
            return place.wait_seconds
        return 0.0 if await self._send_next(place) else place.wait_seconds

    async def _listen(self, person_id: PersonId) -> None:
        feed = self._services.feed
        seen = feed.position()
        while True:
            await feed.wait(seen, person_id)
            seen = feed.position()
            if not self._is_blocked:
                self._bell.set()

    async def _send_on(self) -> None:
        while True:
            self._bell.clear()
            try:
                wait = await self.run_once()
            except LaneOver:
                return
            except AppError as error:
                log.warning("webhook_rests", code=error.code, webhook_id=self._webhook_id)
                wait = STORE_SECONDS
            if wait != 0.0:
                await self._rest(wait)

    async def _rest(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._bell.wait()
        except TimeoutError:
            return

    async def _send_next(self, place: Place) -> bool:
        """Send the next event that is for it; False when there is none yet."""
        webhook = place.webhook
        after = max(webhook.cursor, self._read_to)
        facts = await self._services.feed.after(after, BATCH_EVENTS, webhook.person_id)
        for index, fact in enumerate(facts):
            following = await self._following(fact, facts[index + 1 :])
            if _is_for(webhook, fact, following):
                delivery = self._services.webhook_lanes.new_delivery(self._webhook_id, fact)
                await self._send(place, delivery, message_of(fact, following))
                return True
            self._read_to = fact.hub_seq
        if self._read_to - webhook.cursor >= SKIPS_MAX:
            await self._services.webhook_lanes.skip(self._webhook_id, self._read_to)
        return bool(facts)

    async def _send_again(self, place: Place, delivery: Delivery) -> None:
        if delivery.hub_seq == 0:
            await self._send(place, delivery, trial_message(delivery.happened_at))
            return
        person_id = place.webhook.person_id
        facts = await self._services.feed.after(delivery.hub_seq - 1, 2, person_id)
        if not facts or facts[0].hub_seq != delivery.hub_seq or type_of(facts[0]) is None:
            await self._services.webhook_lanes.drop(delivery)
            return
        following = facts[1] if len(facts) > 1 else None
        await self._send(place, delivery, message_of(facts[0], following))

    async def _send(self, place: Place, delivery: Delivery, body: bytes) -> None:
        message = Message(delivery.message_id, body)
        outcome = await self._post.send(place.webhook.url, place.keys, message)
        await self._services.webhook_lanes.settle(delivery, outcome)

    async def _following(self, fact: Fact, rest: Sequence[Fact]) -> Fact | None:
        """What comes right behind an event; written with it, so that it is there already."""
        if rest:
            return rest[0]
        found = await self._services.feed.after(fact.hub_seq, 1, fact.person_id)
        return found[0] if found else None


class LaneOver(Exception):
    """A webhook is stopped or gone."""


def _is_for(webhook: Webhook, fact: Fact, following: Fact | None) -> bool:
    public_type = type_of(fact)
    return public_type is not None and webhook.wants(public_type) and not is_late(fact, following)
