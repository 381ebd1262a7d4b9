"""Webhooks: made, changed, tried, removed; what was told to each, and sent again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from hub.core.webhook import Delivery, Webhook
from hub.core.webhook import DeliveryState as CoreState
from hub.frontends.api.parts import Hub, Known, Reads, by
from hub.frontends.api.versions import IfMatch, IfNoneMatch, etag, expected, is_known
from hub.services import webhooks as service
from shared.api.parts import ID, PAGE_DEFAULT, PAGE_MAX
from shared.api.webhooks import (
    DeliveryPage,
    DeliveryShown,
    DeliveryState,
    NewWebhook,
    SecretRotation,
    WebhookPage,
    WebhookPatch,
    WebhookShown,
    WebhookWithSecret,
)
from shared.ids import WebhookId

router = APIRouter(tags=["webhooks"])
WebhookPath = Annotated[str, Path(pattern=ID)]
DeliveryPath = Annotated[str, Path(pattern=ID)]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX)]
Cursor = Annotated[str | None, Query(pattern=ID)]


def shown(webhook: Webhook) -> WebhookShown:
    return WebhookShown(
        webhook_id=webhook.webhook_id,
        person_id=webhook.person_id,
        url=webhook.url,
        types=webhook.types,
        description=webhook.description,
        is_on=webhook.stopped is None,
        stopped=webhook.stopped.value if webhook.stopped else None,
        created_at=webhook.created_at,
        failing_since=webhook.failing_since,
        succeeded_at=webhook.succeeded_at,
    )


def shown_delivery(delivery: Delivery) -> DeliveryShown:
    return DeliveryShown(
        delivery_id=delivery.delivery_id,
        webhook_id=delivery.webhook_id,
        message_id=delivery.message_id,
        type=delivery.type,
        happened_at=delivery.happened_at,
        state=DeliveryState(delivery.state),
        tries=delivery.tries,
        tried_at=delivery.tried_at,
        due_at=delivery.due_at,
        status=delivery.status,
        error=delivery.error,
    )


@router.get("/webhooks")
async def list_webhooks(
    caller: Reads, hub: Hub, limit: Limit = PAGE_DEFAULT, cursor: Cursor = None
) -> WebhookPage:
    """Webhooks, the oldest first; without their secrets."""
    after = WebhookId(cursor) if cursor else None
    found = await hub.webhooks.page(caller.sees, after=after, limit=limit)
    more = found[-1].webhook_id if len(found) == limit else None
    return WebhookPage(webhooks=tuple(map(shown, found)), next_cursor=more)


@router.post("/webhooks", status_code=201)
async def create_webhook(
    new: NewWebhook, caller: Known, hub: Hub, response: Response
) -> WebhookWithSecret:
    """Tell the caller's events to an address from now on; the answer holds the secret, once."""
    webhook, secret = await hub.webhooks.create(
        service.NewWebhook(
            person_id=caller.person.person_id,
            url=new.url,
            types=tuple(dict.fromkeys(new.types)),
            description=new.description,
            by=by(caller),
        )
    )
    response.headers["Location"] = f"/api/v1/webhooks/{webhook.webhook_id}"
    return _with_secret(webhook, secret, response)


@router.get("/webhooks/{webhook_id}")
async def get_webhook(
    webhook_id: WebhookPath,
    caller: Reads,
    hub: Hub,
    response: Response,
    if_none_match: IfNoneMatch = None,
) -> WebhookShown:
    """One webhook, without its secret. Its ETag is needed to change it."""
    webhook = await hub.webhooks.webhook(caller.sees, WebhookId(webhook_id))
    response.headers["ETag"] = etag(webhook.version)
    if is_known(if_none_match, webhook.version):
        return Response(status_code=304, headers=dict(response.headers))  # type: ignore[return-value]
    return shown(webhook)


@router.patch("/webhooks/{webhook_id}")
async def update_webhook(
    webhook_id: WebhookPath,
    patch: WebhookPatch,
    caller: Known,
    hub: Hub,
    response: Response,
    if_match: IfMatch = None,
) -> WebhookShown:
    """Change it, turn it off or on; what waits is tried at once."""
    versions = expected(if_match)
    wanted = service.WebhookPatch(
        url=patch.url,
        types=None if patch.types is None else tuple(dict.fromkeys(patch.types)),
        description=patch.description,
        is_on=patch.is_on,
        skips=patch.skips_missed,
    )
    webhook = await hub.webhooks.update(
        caller.sees, WebhookId(webhook_id), wanted, by(caller), expected=versions
    )
    response.headers["ETag"] = etag(webhook.version)
    return shown(webhook)


@router.delete("/webhooks/{webhook_id}", status_code=204)
async def delete_webhook(webhook_id: WebhookPath, caller: Known, hub: Hub) -> None:
    """Tell it nothing more, and forget what it was told."""
    await hub.webhooks.delete(caller.sees, WebhookId(webhook_id), by(caller))


@router.post("/webhooks/{webhook_id}/secret", status_code=201)
async def rotate_webhook_secret(
    webhook_id: WebhookPath,
    rotation: SecretRotation,
    caller: Known,
    hub: Hub,
    response: Response,
) -> WebhookWithSecret:
    """Make a new secret; for a while the old one signs beside it."""
    webhook, secret = await hub.webhooks.rotate(
        caller.sees, WebhookId(webhook_id), by(caller), rotation.overlap_seconds
    )
    return _with_secret(webhook, secret, response)


@router.post("/webhooks/{webhook_id}/test", status_code=202)
async def test_webhook(webhook_id: WebhookPath, caller: Known, hub: Hub) -> DeliveryShown:
    """Send a message that tells nothing; its delivery says in a moment what came of it."""
    return shown_delivery(await hub.webhooks.test(caller.sees, WebhookId(webhook_id)))


@router.get("/webhooks/{webhook_id}/deliveries")
async def list_deliveries(
    webhook_id: WebhookPath,
    caller: Reads,
    hub: Hub,
    state: Annotated[list[DeliveryState] | None, Query(max_length=len(DeliveryState))] = None,
    limit: Limit = PAGE_DEFAULT,
    cursor: Cursor = None,
) -> DeliveryPage:
    """What was told, the newest first; the last thousand are known."""
    found = await hub.webhooks.deliveries(
        caller.sees,
        WebhookId(webhook_id),
        states=frozenset(CoreState(one) for one in state or ()),
        before=cursor,
        limit=limit,
    )
    more = found[-1].delivery_id if len(found) == limit else None
    return DeliveryPage(deliveries=tuple(map(shown_delivery, found)), next_cursor=more)


@router.get("/webhooks/{webhook_id}/deliveries/{delivery_id}")
async def get_delivery(
    webhook_id: WebhookPath, delivery_id: DeliveryPath, caller: Reads, hub: Hub
) -> DeliveryShown:
    """One message, and how telling it went."""
    return shown_delivery(
        await hub.webhooks.delivery(caller.sees, WebhookId(webhook_id), delivery_id)
    )


@router.post("/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver", status_code=202)
async def redeliver(
    webhook_id: WebhookPath, delivery_id: DeliveryPath, caller: Known, hub: Hub
) -> DeliveryShown:
    """Send a message again at once, under the id that it had."""
    return shown_delivery(
        await hub.webhooks.redeliver(caller.sees, WebhookId(webhook_id), delivery_id)
    )


def _with_secret(webhook: Webhook, secret: str, response: Response) -> WebhookWithSecret:
    # A secret must not lie in anybody's cache.
    response.headers["Cache-Control"] = "no-store"
    return WebhookWithSecret(**shown(webhook).model_dump(), secret=secret)
