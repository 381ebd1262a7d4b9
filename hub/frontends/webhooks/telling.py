"""Says in a chat what becomes of a person's webhooks."""

from __future__ import annotations

from hub.core.view import Tone, View
from hub.frontends.facts import Facts
from shared.events import WebhookChanged

_CHANGES = {
    "created": "A webhook was made by {by}: events are told to {host} from now on",
    "updated": "The webhook at {host} was changed by {by}",
    "rotated": "The webhook at {host} got a new secret from {by}",
    "deleted": "The webhook at {host} was removed by {by}",
}


def webhook_line(body: WebhookChanged, facts: Facts) -> str:
    """Tell it as one line of a history."""
    if body.change == "stopped":
        why = "it answered that nobody wants it" if body.reason == "gone" else "it failed for days"
        return f"Nothing is told to {body.host} any more: {why}"
    return _CHANGES[body.change].format(host=body.host, by=facts.whose(body.by))


def webhook_view(body: WebhookChanged, facts: Facts) -> View | None:
    """Tell what its person may have to look at: a new one, and one that the hub gave up."""
    if body.change == "stopped":
        text = f"⚠ {webhook_line(body, facts)}. Turn it on again on the dashboard once it is back."
        return View(text=text, tone=Tone.FAILED, subject=f"webhook:{body.webhook_id}")
    if body.change == "created":
        text = f"{webhook_line(body, facts)}."
        return View(text=text, subject=f"webhook:{body.webhook_id}", is_quiet=True)
    return None
