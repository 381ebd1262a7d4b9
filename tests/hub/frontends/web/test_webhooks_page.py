"""The pages of webhooks."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from hub.core.webhook import Delivery, DeliveryState, Stopped, Webhook
from hub.frontends.web.pages.webhooks import outcome, stands
from shared.ids import PersonId, WebhookId
from tests.hub.frontends.web.reader import Reader
from tests.hub.frontends.web.seeds import URL, owner_of, webhook
from tests.hub.frontends.world import World
from tests.makers import NOON

SECRET = re.compile(r"whsec_[\w+/=-]{40,}")
WEBHOOK = Webhook(
    webhook_id=WebhookId("h"), person_id=PersonId("p"), url=URL, created_at=NOON, cursor=0
)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, "On"),
        ({"failing_since": NOON - timedelta(hours=3)}, "Failing"),
        ({"stopped": Stopped.BY_PERSON}, "Off"),
        ({"stopped": Stopped.GONE}, "Off"),
        ({"stopped": Stopped.FAILING}, "Off"),
    ],
    ids=["on", "failing", "by-person", "gone", "given-up"],
)
def test_a_webhook_says_how_it_stands(fields: dict[str, object], word: str) -> None:
    told = stands(replace(WEBHOOK, **fields), NOON)  # type: ignore[arg-type]
    assert told[2] == word
    assert told[3].endswith(".")


def test_a_delivery_says_what_came_of_it() -> None:
    delivery = Delivery(
        delivery_id="d",
        webhook_id=WebhookId("h"),
        message_id="m",
        type="job.dead",
        hub_seq=1,
        happened_at=NOON,
        state=DeliveryState.WAITING,
        status=503,
        due_at=NOON + timedelta(seconds=32),
    )
    assert outcome(delivery, NOON) == "answered 503; next try in 32 s"


async def test_a_webhook_is_made_and_its_secret_told_once(world: World, reader: Reader) -> None:
    chosen = {"type:job.dead": "on", "type:job.failed": "on"}
    made = await reader.post("/webhooks", url=URL, description="Pager", **chosen)
    assert SECRET.search(made.html) is not None
    [hook] = await world.hub.services.webhooks.page(await owner_of(world))
    assert (hook.url, hook.description, set(hook.types)) == (
        URL,
        "Pager",
        {"job.dead", "job.failed"},
    )
    shown = await reader.get(f"/webhooks/{hook.webhook_id}")
    assert SECRET.search(shown.html) is None
    assert "Pager 2 types" in (await reader.get("/webhooks")).text.replace(URL + " ", "")


async def test_an_address_inside_is_refused_and_nothing_typed_is_lost(reader: Reader) -> None:
    refused = await reader.post(
        "/webhooks", url="https://127.0.0.1/x", description="Mine", **{"type:job.dead": "on"}
    )
    assert refused.status == 400
    assert 'role="alert"' in refused.html
    assert 'value="https://127.0.0.1/x"' in refused.html
    assert 'value="Mine"' in refused.html
    assert 'name="type:job.dead" checked' in refused.html


async def test_a_webhook_is_changed_turned_off_and_on_and_deleted(
    world: World, reader: Reader
) -> None:
    hook = await webhook(world)
    path = f"/webhooks/{hook.webhook_id}"
    changed = await reader.post(path, url="https://b.example/x", description="Two")
    assert changed.toast == "The webhook was changed."
    services = world.hub.services.webhooks
    now = await services.webhook(None, hook.webhook_id)
    assert (now.url, now.types) == ("https://b.example/x", ())
    off = await reader.post(f"{path}/off")
    assert off.toast == "The webhook is off."
    assert f'action="{path}/on"' in off.html
    assert (await services.webhook(None, hook.webhook_id)).stopped is Stopped.BY_PERSON
    assert (await reader.post(f"{path}/on")).toast == "The webhook is on."
    assert "Delete this webhook?" in (await reader.get(f"{path}/delete")).text
    assert (await reader.post(f"{path}/delete")).toast == "The webhook was deleted."
    assert (await reader.get(path)).status == 404


async def test_a_test_is_sent_and_sent_again(world: World, reader: Reader) -> None:
    hook = await webhook(world)
    path = f"/webhooks/{hook.webhook_id}"
    tested = await reader.post(f"{path}/test")
    assert tested.toast == "A test is on its way; see the deliveries."
    assert "webhook.test" in tested.text
    found = re.search(rf'action="({path}/deliveries/[^/]+/redeliver)"', tested.html)
    assert found is not None
    assert (await reader.post(found[1])).toast == "It is sent again."


async def test_a_new_secret_is_told_once(world: World, reader: Reader) -> None:
    hook = await webhook(world)
    page = await reader.post(f"/webhooks/{hook.webhook_id}/rotate")
    assert SECRET.search(page.html) is not None
