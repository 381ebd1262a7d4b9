"""Steps that people's changes of webhooks and their sender share: sealed secrets, what is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from hub.core.sealed import NONCE_BYTES, Sealer
from hub.core.webhook import Secret, Stopped, Webhook, in_force
from hub.core.webhook_target import host_of
from hub.store.ledger import Entry
from hub.store.webhooks import SealedSecret
from shared.environment import Environment
from shared.events import WebhookChanged
from shared.ids import WebhookId

Change = Literal["created", "updated", "rotated", "deleted", "stopped"]


class Vault:
    """Seals and opens the secrets that sign."""

    def __init__(self, pepper: bytes, environment: Environment) -> None:
        self._sealer = Sealer(pepper, "webhook secrets")
        self._environment = environment

    def seal(self, webhook_id: WebhookId, secrets: Sequence[Secret]) -> list[SealedSecret]:
        return [
            SealedSecret(
                self._sealer.seal(secret.key, webhook_id, self._environment.entropy(NONCE_BYTES)),
                secret.ends_at,
            )
            for secret in secrets
        ]

    def open(self, webhook_id: WebhookId, sealed: Sequence[SealedSecret]) -> list[Secret]:
        """Read secrets; one that was sealed under another pepper is left out."""
        opened = ((self._sealer.open(one.sealed, webhook_id), one.ends_at) for one in sealed)
        return [Secret(key, ends_at) for key, ends_at in opened if key is not None]

    def signing(
        self, webhook_id: WebhookId, sealed: Sequence[SealedSecret], now: datetime
    ) -> list[bytes]:
        """Return the keys that sign now, the newest first."""
        return [secret.key for secret in in_force(self.open(webhook_id, sealed), now)]


def tell_changed(
    entry: Entry, webhook: Webhook, change: Change, *, by: str = "", stopped: Stopped | None = None
) -> None:
    """Write down for its person that a webhook is another now."""
    entry.tell(
        webhook.person_id,
        WebhookChanged(
            webhook_id=webhook.webhook_id,
            host=host_of(webhook.url),
            change=change,
            by=by[:100],
            reason="gone" if stopped is Stopped.GONE else "failing" if stopped else "",
        ),
        entity=webhook.webhook_id,
    )
