"""Webhooks: where events are told to, how that goes, and what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from hub.core.webhook import Delivery, DeliveryState, Stopped, Webhook
from hub.core.webhook_message import TYPES
from hub.frontends.figures import duration
from hub.frontends.web.forms import Fields, Undo, lead
from hub.frontends.web.render import page
from hub.frontends.web.visitor import Guest, Place, Setting, Visitor
from hub.services.webhooks import NewWebhook, WebhookPatch
from shared.errors import AppError
from shared.ids import WebhookId

router = APIRouter()
WebhookPath = Annotated[str, Path(max_length=64)]
DeliveryPath = Annotated[str, Path(max_length=64)]
LISTED_MAX = 200
DELIVERIES = 50
TYPE = "type:"
"""The beginning of a chosen type's field."""
DESCRIPTION_CHARS_MAX = 200

STATES: Mapping[DeliveryState, tuple[str, str, str]] = {
    DeliveryState.WAITING: ("waiting", "queued", "Waiting"),
    DeliveryState.ASIDE: ("waiting", "retry", "Tried again"),
    DeliveryState.DELIVERED: ("done", "check", "Delivered"),
    DeliveryState.FAILED: ("failed", "failed", "Failed"),
    DeliveryState.DROPPED: ("plain", "cancelled", "Forgotten"),
}
"""A delivery's tone, icon and word."""


@router.get("/webhooks")
async def list_webhooks(request: Request, visitor: Guest, place: Place) -> Response:
    return await _page(request, visitor, place)


@router.post("/webhooks")
async def create_webhook(
    request: Request, visitor: Guest, place: Place, fields: Fields
) -> Response:
    """Make a webhook; its secret is shown on this answer alone."""
    try:
        webhook, secret = await place.services.webhooks.create(
            NewWebhook(
                person_id=visitor.person.person_id,
                url=fields.get("url", "").strip(),
                types=_types(fields),
                description=_description(fields),
                by=visitor.by,
            )
        )
    except AppError as error:
        return await _page(request, visitor, place, fault=error, fields=fields)
    return await _one(request, visitor, place, webhook, secret)


@router.get("/webhooks/{webhook_id}")
async def show_webhook(
    webhook_id: WebhookPath, request: Request, visitor: Guest, place: Place
) -> Response:
    return await _one(request, visitor, place, await _theirs(place, visitor, webhook_id))


@router.post("/webhooks/{webhook_id}")
async def change_webhook(
    webhook_id: WebhookPath, request: Request, visitor: Guest, place: Place, fields: Fields
) -> Response:
    webhook = await _theirs(place, visitor, webhook_id)
    patch = WebhookPatch(
        url=fields.get("url", "").strip(), types=_types(fields), description=_description(fields)
    )
    try:
        await place.services.webhooks.update(visitor.sees, webhook.webhook_id, patch, visitor.by)
    except AppError as error:
        return await _one(request, visitor, place, webhook, fault=error, fields=fields)
    return lead(f"/webhooks/{webhook_id}", "The webhook was changed.")


@router.post("/webhooks/{webhook_id}/on")
async def turn_on(
    webhook_id: WebhookPath, visitor: Guest, place: Place, fields: Fields
) -> Response:
    """Tell it again, from where it stopped or from now on."""
    patch = WebhookPatch(is_on=True, skips=fields.get("skips") == "yes")
    await place.services.webhooks.update(visitor.sees, WebhookId(webhook_id), patch, visitor.by)
    return lead(f"/webhooks/{webhook_id}", "The webhook is on.")


@router.post("/webhooks/{webhook_id}/off")
async def turn_off(
    webhook_id: WebhookPath, visitor: Guest, place: Place, fields: Fields
) -> Response:
    patch = WebhookPatch(is_on=False)
    await place.services.webhooks.update(visitor.sees, WebhookId(webhook_id), patch, visitor.by)
    undo = Undo(action=f"/webhooks/{webhook_id}/on")
    return lead(f"/webhooks/{webhook_id}", "The webhook is off.", undo)


@router.post("/webhooks/{webhook_id}/test")
async def test_webhook(
    webhook_id: WebhookPath, visitor: Guest, place: Place, fields: Fields
) -> Response:
    await place.services.webhooks.test(visitor.sees, WebhookId(webhook_id))
    return lead(f"/webhooks/{webhook_id}", "A test is on its way; see the deliveries.")


@router.post("/webhooks/{webhook_id}/rotate")
async def rotate_secret(
    webhook_id: WebhookPath, request: Request, visitor: Guest, place: Place, fields: Fields
) -> Response:
    """Make a new secret, shown on this answer alone; the old one signs beside it for a day."""
    webhook, secret = await place.services.webhooks.rotate(
        visitor.sees, WebhookId(webhook_id), visitor.by
    )
    return await _one(request, visitor, place, webhook, secret)


@router.get("/webhooks/{webhook_id}/delete")
async def ask_delete(
    webhook_id: WebhookPath, request: Request, visitor: Guest, place: Place
) -> Response:
    webhook = await _theirs(place, visitor, webhook_id)
    return await page(request, visitor, "webhook_delete.html", webhook=webhook)


@router.post("/webhooks/{webhook_id}/delete")
async def delete_webhook(
    webhook_id: WebhookPath, visitor: Guest, place: Place, fields: Fields
) -> Response:
    await place.services.webhooks.delete(visitor.sees, WebhookId(webhook_id), visitor.by)
    return lead("/webhooks", "The webhook was deleted.")


@router.post("/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver")
async def redeliver(
    webhook_id: WebhookPath,
    delivery_id: DeliveryPath,
    visitor: Guest,
    place: Place,
    fields: Fields,
) -> Response:
    await place.services.webhooks.redeliver(visitor.sees, WebhookId(webhook_id), delivery_id)
    return lead(f"/webhooks/{webhook_id}", "It is sent again.")


async def _theirs(place: Setting, visitor: Visitor, webhook_id: str) -> Webhook:
    return await place.services.webhooks.webhook(visitor.sees, WebhookId(webhook_id))


async def _page(
    request: Request,
    visitor: Visitor,
    place: Setting,
    *,
    fault: AppError | None = None,
    fields: Mapping[str, str] | None = None,
) -> Response:
    return await page(
        request,
        visitor,
        "webhooks.html",
        status=400 if fault else 200,
        webhooks=await place.services.webhooks.page(visitor.sees, limit=LISTED_MAX),
        stands=lambda webhook: stands(webhook, place.environment.now()),
        types=TYPES,
        chosen=_types(fields or {}),
        fault=fault,
        fields=fields or {},
    )


async def _one(
    request: Request,
    visitor: Visitor,
    place: Setting,
    webhook: Webhook,
    secret: str = "",
    *,
    fault: AppError | None = None,
    fields: Mapping[str, str] | None = None,
) -> Response:
    deliveries = await place.services.webhooks.deliveries(
        visitor.sees, webhook.webhook_id, limit=DELIVERIES
    )
    now = place.environment.now()
    return await page(
        request,
        visitor,
        "webhook.html",
        status=400 if fault else 200,
        webhook=webhook,
        stand=stands(webhook, now),
        secret=secret,
        deliveries=deliveries,
        marks=STATES,
        outcome=lambda delivery: outcome(delivery, now),
        types=TYPES,
        chosen=_types(fields) if fields else webhook.types,
        fault=fault,
        fields=fields or {"url": webhook.url, "description": webhook.description},
    )


def stands(webhook: Webhook, now: datetime) -> tuple[str, str, str, str]:
    """How a webhook stands: tone, icon, word, and a sentence about it."""
    match webhook.stopped:
        case Stopped.BY_PERSON:
            return "plain", "paused", "Off", "It was turned off by its person."
        case Stopped.GONE:
            return "failed", "failed", "Off", "Its address said that nobody wants it any more."
        case Stopped.FAILING:
            return "failed", "failed", "Off", "Nobody took anything there for days."
        case None if webhook.failing_since is not None:
            since = duration((now - webhook.failing_since).total_seconds())
            return "waiting", "warning", "Failing", f"Nobody has taken anything there for {since}."
        case None:
            return "done", "check", "On", "It is told what happens."


def outcome(delivery: Delivery, now: datetime) -> str:
    """What came of a delivery so far, in a few words."""
    answered = f"answered {delivery.status}" if delivery.status else ""
    told = [delivery.error.rstrip(".") or answered]
    if delivery.due_at is not None and delivery.state.is_open:
        left = (delivery.due_at - now).total_seconds()
        told.append(f"next try in {duration(left)}" if left >= 1 else "next try now")
    return "; ".join(part for part in told if part)


def _types(fields: Mapping[str, str]) -> tuple[str, ...]:
    chosen = tuple(type_ for type_ in TYPES if f"{TYPE}{type_}" in fields)
    # All of them is what an empty choice means, and stays so when new ones come.
    return () if len(chosen) == len(TYPES) else chosen


def _description(fields: Mapping[str, str]) -> str:
    return " ".join(fields.get("description", "").split())[:DESCRIPTION_CHARS_MAX]
