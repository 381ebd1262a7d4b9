"""What the sender of webhooks has to send next, and what became of a try; all of it durable.

A lane is one webhook's way through the log. Whatever dies between two lines: what was not settled
is sent again, under the same id.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass, field

from hub.core.fact import Fact
from hub.core.webhook import Delivery, DeliveryState, Outcome, Webhook, due_in, settle
from hub.core.webhook_message import message_id, type_of
from hub.services.webhook_steps import Vault, tell_changed
from hub.store import webhooks as store
from hub.store.ledger import Entry, Ledger
from shared.ids import WebhookId

PRUNE_EVERY = 50
"""Tries after which old deliveries are forgotten."""


@dataclass(frozen=True, slots=True)
class Lane:
    """Where a webhook stands."""

    webhook: Webhook
    keys: tuple[bytes, ...] = field(repr=False)
    """That sign, the newest first."""
    due: Delivery | None
    """What was tried before, or asked for: to be tried again now."""
    wait_seconds: float | None
    """Until such a one is due; None when there is none."""
    is_blocked: bool
    """Whether it stands at a message that has to be taken before any later one."""


class WebhookLanes:
    def __init__(self, ledger: Ledger, pepper: bytes) -> None:
        self._ledger = ledger
        self._vault = Vault(pepper, ledger.environment)
        self._settled: Counter[WebhookId] = Counter()
        """Tries since what is old was forgotten."""

    async def told(self) -> list[WebhookId]:
        """All webhooks that are not stopped."""
        return await self._ledger.read(store.told)

    async def lane(self, webhook_id: WebhookId) -> Lane | None:
        """Say where a webhook stands; None when it is stopped or gone.

        Raises:
            Unavailable: the store cannot be written; what is sent now would be sent for ever.
        """
        if self._ledger.trouble is not None:
            raise self._ledger.trouble
        now = self._ledger.environment.now()

        def read(connection: sqlite3.Connection) -> Lane | None:
            webhook = store.load(connection, webhook_id)
            if webhook is None or webhook.stopped:
                return None
            sealed = store.secrets_of(connection, webhook_id)
            keys = tuple(self._vault.signing(webhook_id, sealed, now))
            waiting = store.next_open(connection, webhook_id)
            wait_seconds = None
            if waiting is not None:
                wait_seconds = due_in(waiting, now)
            return Lane(
                webhook=webhook,
                keys=keys,
                due=waiting if wait_seconds == 0.0 else None,
                wait_seconds=wait_seconds,
                is_blocked=store.head(connection, webhook_id) is not None,
            )

        return await self._ledger.read(read)

    def new_delivery(self, webhook_id: WebhookId, fact: Fact) -> Delivery:
        """Begin to tell an event; nothing is written yet."""
        public_type = type_of(fact)
        assert public_type is not None
        return Delivery(
            delivery_id=self._ledger.environment.new_id(),
            webhook_id=webhook_id,
            message_id=message_id(webhook_id, fact),
            type=public_type,
            hub_seq=fact.hub_seq,
            happened_at=fact.at,
            state=DeliveryState.WAITING,
        )

    async def settle(self, delivery: Delivery, outcome: Outcome) -> bool:
        """Write down what became of a try; say whether the webhook is still to be told.

        What its person changed meanwhile stays as they want it.
        """
        random = self._ledger.environment.random()
        self._settled[delivery.webhook_id] += 1
        is_old = self._settled[delivery.webhook_id] % PRUNE_EVERY == 0

        def run(entry: Entry) -> bool:
            webhook = store.load(entry.connection, delivery.webhook_id)
            if webhook is None:
                return False
            settled = settle(webhook, delivery, outcome, entry.now, random)
            store.save(entry, settled.webhook)
            store.save_delivery(entry, settled.delivery)
            if is_old:
                store.prune(entry, delivery.webhook_id)
            if settled.webhook.stopped and not webhook.stopped:
                stopped = settled.webhook.stopped
                tell_changed(entry, settled.webhook, "stopped", stopped=stopped)
            return not settled.webhook.stopped

        return await self._ledger.write(run)

    async def drop(self, delivery: Delivery) -> None:
        """What a message would have told is not known any more."""

        def run(entry: Entry) -> None:
            webhook = store.load(entry.connection, delivery.webhook_id)
            if webhook is not None:
                store.drop(entry, delivery)

        await self._ledger.write(run)

    async def skip(self, webhook_id: WebhookId, hub_seq: int) -> None:
        """Note that nothing up to a place is for a webhook."""
        await self._ledger.write(lambda entry: store.move_cursor(entry, webhook_id, hub_seq))
