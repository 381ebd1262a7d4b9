"""Webhooks as their people see them: made, changed, tried, looked at, and sent again.

What is sent, and in which order, is the business of `webhook_lanes`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from hub.core.webhook import (
    OVERLAP_SECONDS,
    SECRET_BYTES,
    WEBHOOKS_MAX,
    Delivery,
    DeliveryState,
    Secret,
    Stopped,
    Webhook,
    check_version,
    rotated,
    write_secret,
)
from hub.core.webhook_message import TEST_TYPE
from hub.core.webhook_target import Allowed, parse_target
from hub.services.locked import check_unlocked
from hub.services.webhook_steps import Vault, tell_changed
from hub.store import webhooks as store
from hub.store.ledger import Entry, Ledger
from shared.errors import Conflict, LimitReached, NotFound
from shared.ids import PersonId, WebhookId

Listener = Callable[[WebhookId], None]
"""Told that a webhook was made, changed or removed, or has something to send; must not wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWebhook:
    person_id: PersonId
    url: str
    types: tuple[str, ...] = ()
    """Public event types (`webhook_message.TYPES`); all when empty."""
    description: str = ""
    by: str
    """Who makes it, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPatch:
    """What is to be different; None: as it is."""

    url: str | None = None
    types: tuple[str, ...] | None = None
    description: str | None = None
    is_on: bool | None = None
    skips: bool = False
    """When it is turned on: begin with what happens now, instead of where it stopped."""


class Webhooks:
    """`person_id` None means the hub's own operator: everybody's."""

    def __init__(self, ledger: Ledger, pepper: bytes, allowed: Allowed) -> None:
        self._ledger = ledger
        self._vault = Vault(pepper, ledger.environment)
        self.allowed = allowed
        self.listeners: list[Listener] = []

    async def create(self, new: NewWebhook) -> tuple[Webhook, str]:
        """Make a webhook, told from now on; its secret is told here once.

        Raises:
            BadInput: `webhook_url_invalid`, `webhook_url_insecure`, `webhook_url_private`.
            LimitReached: `too_many_webhooks`.
        """
        parse_target(new.url, self.allowed)
        environment = self._ledger.environment
        secret = Secret(environment.entropy(SECRET_BYTES))
        webhook_id = WebhookId(environment.new_id())

        def run(entry: Entry) -> Webhook:
            check_unlocked(entry, new.person_id)
            if store.count(entry.connection, new.person_id) >= WEBHOOKS_MAX:
                raise LimitReached(
                    "too_many_webhooks",
                    f"There are {WEBHOOKS_MAX} webhooks already.",
                    "Delete one that is not needed.",
                )
            webhook = Webhook(
                webhook_id=webhook_id,
                person_id=new.person_id,
                url=new.url,
                types=new.types,
                description=new.description,
                created_at=entry.now,
                cursor=entry.hub_seq,
            )
            store.save(entry, webhook)
            store.set_secrets(entry, webhook_id, self._vault.seal(webhook_id, [secret]))
            tell_changed(entry, webhook, "created", by=new.by)
            return webhook

        webhook = await self._ledger.write(run)
        self._ring(webhook_id)
        return webhook, write_secret(secret.key)

    async def page(
        self, person_id: PersonId | None, *, after: WebhookId | None = None, limit: int = 50
    ) -> tuple[Webhook, ...]:
        """Webhooks, the oldest first, after one of them."""
        return tuple(
            await self._ledger.read(lambda c: store.of_person(c, person_id, after or "", limit))
        )

    async def webhook(self, person_id: PersonId | None, webhook_id: WebhookId) -> Webhook:
        """One webhook.

        Raises:
            NotFound: `webhook_unknown`; also for another person's.
        """
        return _owned(person_id, await self._ledger.read(lambda c: store.load(c, webhook_id)))

    async def update(
        self,
        person_id: PersonId | None,
        webhook_id: WebhookId,
        patch: WebhookPatch,
        by: str,
        *,
        expected: frozenset[str] | None = None,
    ) -> Webhook:
        """Change a webhook, turn it off or on; what it waits for is tried at once.

        Args:
            person_id: who does it; None for the operator.
            webhook_id: which.
            patch: what is to be different.
            by: who, in words.
            expected: the versions that this was decided on; None for any.

        Raises:
            NotFound: `webhook_unknown`.
            BadInput: as `create`.
            Conflict: `webhook_changed`.
        """
        if patch.url is not None:
            parse_target(patch.url, self.allowed)

        def run(entry: Entry) -> Webhook:
            before = _owned(person_id, store.load(entry.connection, webhook_id))
            check_unlocked(entry, before.person_id)
            check_version(before, expected)
            after = _patched(before, patch, entry)
            store.save(entry, after)
            store.hurry(entry, webhook_id)
            if patch.skips and before.stopped and not after.stopped:
                store.drop_open(entry, webhook_id)
            if after != before:
                tell_changed(entry, after, "updated", by=by)
            return after

        webhook = await self._ledger.write(run)
        self._ring(webhook_id)
        return webhook

    async def rotate(
        self,
        person_id: PersonId | None,
        webhook_id: WebhookId,
        by: str,
        overlap_seconds: int = OVERLAP_SECONDS,
    ) -> tuple[Webhook, str]:
        """Make a new secret, told here once; the older ones sign beside it for a while.

        Raises:
            NotFound: `webhook_unknown`.
        """
        key = self._ledger.environment.entropy(SECRET_BYTES)

        def run(entry: Entry) -> Webhook:
            webhook = _owned(person_id, store.load(entry.connection, webhook_id))
            check_unlocked(entry, webhook.person_id)
            known = self._vault.open(webhook_id, store.secrets_of(entry.connection, webhook_id))
            kept = rotated(known, key, entry.now, timedelta(seconds=overlap_seconds))
            store.set_secrets(entry, webhook_id, self._vault.seal(webhook_id, kept))
            tell_changed(entry, webhook, "rotated", by=by)
            return webhook

        return await self._ledger.write(run), write_secret(key)

    async def delete(self, person_id: PersonId | None, webhook_id: WebhookId, by: str) -> None:
        """Remove a webhook and all that is known of what it was told.

        Raises:
            NotFound: `webhook_unknown`.
        """

        def run(entry: Entry) -> None:
            webhook = _owned(person_id, store.load(entry.connection, webhook_id))
            store.delete(entry, webhook_id)
            tell_changed(entry, webhook, "deleted", by=by)

        await self._ledger.write(run)
        self._ring(webhook_id)

    async def test(self, person_id: PersonId | None, webhook_id: WebhookId) -> Delivery:
        """Send a message that tells nothing; its delivery says what came of it.

        Raises:
            NotFound: `webhook_unknown`.
            Conflict: `webhook_stopped`.
        """
        new_id = self._ledger.environment.new_id()

        def run(entry: Entry) -> Delivery:
            _told(_owned(person_id, store.load(entry.connection, webhook_id)))
            delivery = Delivery(
                delivery_id=new_id,
                webhook_id=webhook_id,
                message_id=f"test_{new_id}",
                type=TEST_TYPE,
                hub_seq=0,
                happened_at=entry.now,
                state=DeliveryState.ASIDE,
                due_at=entry.now,
            )
            store.save_delivery(entry, delivery)
            return delivery

        delivery = await self._ledger.write(run)
        self._ring(webhook_id)
        return delivery

    async def deliveries(
        self,
        person_id: PersonId | None,
        webhook_id: WebhookId,
        *,
        states: frozenset[DeliveryState] = frozenset(),
        before: str | None = None,
        limit: int = 50,
    ) -> tuple[Delivery, ...]:
        """What was told, the newest first; the last thousand are known.

        Raises:
            NotFound: `webhook_unknown`.
        """
        await self.webhook(person_id, webhook_id)
        return tuple(
            await self._ledger.read(
                lambda c: store.deliveries(c, webhook_id, states, before, limit)
            )
        )

    async def delivery(
        self, person_id: PersonId | None, webhook_id: WebhookId, delivery_id: str
    ) -> Delivery:
        """One message, and how telling it went.

        Raises:
            NotFound: `webhook_unknown`, `delivery_unknown`.
        """
        await self.webhook(person_id, webhook_id)
        return _known(await self._ledger.read(lambda c: store.delivery(c, webhook_id, delivery_id)))

    async def redeliver(
        self, person_id: PersonId | None, webhook_id: WebhookId, delivery_id: str
    ) -> Delivery:
        """Send a message again, at once and beside all others, under the id that it had.

        Raises:
            NotFound: `webhook_unknown`, `delivery_unknown`.
            Conflict: `webhook_stopped`, `delivery_forgotten`.
        """

        def run(entry: Entry) -> Delivery:
            _told(_owned(person_id, store.load(entry.connection, webhook_id)))
            before = _known(store.delivery(entry.connection, webhook_id, delivery_id))
            if before.state is DeliveryState.DROPPED:
                raise Conflict(
                    "delivery_forgotten",
                    "What this message told was purged.",
                    "Nothing is left to be sent.",
                )
            state = before.state if before.state.is_open else DeliveryState.ASIDE
            again = replace(before, state=state, due_at=entry.now)
            store.save_delivery(entry, again)
            return again

        delivery = await self._ledger.write(run)
        self._ring(webhook_id)
        return delivery

    def _ring(self, webhook_id: WebhookId) -> None:
        for listener in self.listeners:
            listener(webhook_id)


def _patched(before: Webhook, patch: WebhookPatch, entry: Entry) -> Webhook:
    after = replace(
        before,
        url=before.url if patch.url is None else patch.url,
        types=before.types if patch.types is None else patch.types,
        description=before.description if patch.description is None else patch.description,
    )
    if patch.is_on is False and not before.stopped:
        after = replace(after, stopped=Stopped.BY_PERSON)
    if patch.is_on and before.stopped:
        after = replace(after, stopped=None, failing_since=None, failures=0)
        if patch.skips:
            after = replace(after, cursor=entry.hub_seq)
    return after


def _owned(person_id: PersonId | None, webhook: Webhook | None) -> Webhook:
    if webhook is None or person_id not in (None, webhook.person_id):
        raise NotFound("webhook_unknown", "There is no such webhook.", "GET /webhooks lists them.")
    return webhook


def _told(webhook: Webhook) -> None:
    if webhook.stopped:
        raise Conflict("webhook_stopped", "This webhook is turned off.", "Turn it on first.")


def _known(delivery: Delivery | None) -> Delivery:
    if delivery is None:
        raise NotFound(
            "delivery_unknown",
            "There is no such delivery, or no longer.",
            "GET /webhooks/{webhook_id}/deliveries lists them.",
        )
    return delivery
