"""Webhooks of a running hub: over REST, and from an event to a receiver that verifies it."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.receiver import Answer, Receiver, a_receiver
from tests.hub.frontends.world import WAIT_SECONDS, World, open_world, until

PAGE = Path(__file__).parents[3] / "docs" / "webhooks.md"
ANY = {"If-Match": "*"}
"""A change for whatever stands there."""
NOBODY = "01a1fea0-0000-7000-8000-000000000000"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path, webhook_allow="127.0.0.1") as world:
        yield world


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with a_receiver() as receiver:
        yield receiver


async def made(world: World, receiver: Receiver, **more: object) -> dict[str, Any]:
    """Make a webhook; the receiver knows its secret."""
    answer = await world.rest.post("/webhooks", json={"url": f"{receiver.base}/hook", **more})
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    webhook: dict[str, Any] = answer.json()
    receiver.secrets.append(webhook["secret"])
    return webhook


async def ask(world: World, **more: object) -> str:
    answer = await world.rest.post("/tasks", json={"kind": "ml.models", **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["task_id"])


async def as_ben(world: World) -> httpx.AsyncClient:
    key = (await world.rest.post("/people", json={"name": "Ben"})).json()["key"]
    return httpx.AsyncClient(
        base_url=world.rest.base_url,
        headers={"Authorization": f"Bearer {key}"},
        trust_env=False,
        verify=False,
    )


def tasks_of(receiver: Receiver) -> list[object]:
    return [one.data["task_id"] for one in receiver.verified if one.type == "task.created"]


async def test_an_event_reaches_a_receiver_that_verifies_it(
    world: World, receiver: Receiver
) -> None:
    await made(world, receiver, types=["job.queued"])
    await ask(world)
    await until(lambda: bool(receiver.verified))
    [got] = receiver.received
    assert (got.path, got.type, got.data["kind"]) == ("/hook", "job.queued", "ml.models")


async def test_a_secret_is_told_when_it_is_made_and_never_again(
    world: World, receiver: Receiver
) -> None:
    webhook = await made(world, receiver)
    path = f"/webhooks/{webhook['webhook_id']}"
    answers = [await world.rest.get("/webhooks"), await world.rest.get(path)]
    answers += [await world.rest.patch(path, json={"description": "ours"}, headers=ANY)]
    for answer in answers:
        assert answer.status_code == 200
        assert "secret" not in answer.text
    key = base64.b64decode(webhook["secret"].removeprefix("whsec_"))
    files = list(world.hub.settings.data.glob("hub.sqlite3*"))
    assert any(webhook["webhook_id"].encode() in file.read_bytes() for file in files)
    for file in files:
        assert key not in file.read_bytes()
        assert base64.b64encode(key) not in file.read_bytes()


async def test_after_an_exchange_of_secrets_both_verify(world: World, receiver: Receiver) -> None:
    webhook = await made(world, receiver, types=["task.created"])
    rotated = await world.rest.post(f"/webhooks/{webhook['webhook_id']}/secret", json={})
    assert rotated.status_code == 201
    await ask(world)
    await until(lambda: len(receiver.verified) == 1)
    receiver.secrets[:] = [rotated.json()["secret"]]
    await ask(world)
    await until(lambda: len(receiver.verified) == 2)
    at_once = await world.rest.post(
        f"/webhooks/{webhook['webhook_id']}/secret", json={"overlap_seconds": 0}
    )
    await ask(world)
    await until(lambda: len(receiver.received) == 3)
    assert len(receiver.verified) == 2
    assert at_once.json()["secret"] != rotated.json()["secret"]


async def test_a_slow_receiver_delays_no_other(world: World, receiver: Receiver) -> None:
    with a_receiver() as slow:
        slow.usual = Answer(is_held=True)
        await made(world, slow, types=["task.created"])
        await made(world, receiver, types=["task.created"])
        asked = [await ask(world) for _ in range(20)]
        await until(lambda: len(receiver.verified) == 20)
        assert tasks_of(receiver) == asked
        assert len(slow.received) == 1
        slow.usual = Answer()
        slow.let_go()
        await until(lambda: len(slow.verified) == 20)
        assert tasks_of(slow) == asked


async def test_what_happened_while_a_receiver_and_then_the_hub_were_away_is_told_in_order(
    tmp_path: Path,
) -> None:
    with a_receiver() as first:
        port = first.port
        async with open_world(tmp_path, webhook_allow="127.0.0.1") as world:
            webhook = await made(world, first, types=["task.created"])
            asked = [await ask(world)]
            await until(lambda: len(first.verified) == 1)
    async with open_world(tmp_path, webhook_allow="127.0.0.1") as world:
        asked += [await ask(world) for _ in range(5)]
        path = f"/webhooks/{webhook['webhook_id']}/deliveries"

        async def tried() -> bool:
            found = (await world.rest.get(path, params={"state": "waiting"})).json()
            return any(one["tries"] for one in found["deliveries"])

        async with asyncio.timeout(WAIT_SECONDS):
            while not await tried():
                pass
    with a_receiver(port=port) as second:
        second.secrets.append(webhook["secret"])
        async with open_world(tmp_path, webhook_allow="127.0.0.1") as world:
            asked += [await ask(world) for _ in range(5)]
            # It would be tried by itself, but later and later; a change tries it at once.
            await world.rest.patch(f"/webhooks/{webhook['webhook_id']}", json={}, headers=ANY)
            await until(lambda: len(second.verified) == 10)
            assert tasks_of(first) + tasks_of(second) == asked
            ids = [one.message_id for one in (*first.received, *second.received)]
            assert len(set(ids)) == len(asked)


async def test_gone_turns_a_webhook_off(world: World, receiver: Receiver) -> None:
    webhook = await made(world, receiver)
    receiver.usual = Answer(410)
    async with world.chat() as chat:
        await chat.say("/help")
        await ask(world)
        told = await chat.view(lambda view: "nobody wants it" in view.text)
    assert "127.0.0.1" in told.text
    now = (await world.rest.get(f"/webhooks/{webhook['webhook_id']}")).json()
    assert (now["is_on"], now["stopped"]) == (False, "gone")
    count = len(receiver.received)
    refused = await world.rest.post(f"/webhooks/{webhook['webhook_id']}/test")
    assert (refused.status_code, refused.json()["code"]) == (409, "webhook_stopped")
    receiver.usual = Answer()
    path = f"/webhooks/{webhook['webhook_id']}"
    on = await world.rest.patch(path, json={"is_on": True}, headers=ANY)
    assert on.json()["is_on"] is True
    await until(lambda: len(receiver.received) > count)


async def test_a_trial_tells_what_came_of_it(world: World, receiver: Receiver) -> None:
    webhook = await made(world, receiver)
    receiver.answers.append(Answer(418))
    path = f"/webhooks/{webhook['webhook_id']}"
    for state, status, error in (("failed", 418, "It answered 418."), ("delivered", 204, "")):
        sent = (await world.rest.post(f"{path}/test")).json()
        place = f"{path}/deliveries/{sent['delivery_id']}"
        told = sent
        while told["tries"] == 0:
            told = (await world.rest.get(place)).json()
        assert (told["state"], told["status"], told["error"]) == (state, status, error)
    assert receiver.types == ["webhook.test", "webhook.test"]


async def test_a_message_is_sent_again_under_its_id(world: World, receiver: Receiver) -> None:
    webhook = await made(world, receiver, types=["task.created"])
    await ask(world)
    await until(lambda: len(receiver.verified) == 1)
    path = f"/webhooks/{webhook['webhook_id']}/deliveries"
    [delivery] = (await world.rest.get(path)).json()["deliveries"]
    again = await world.rest.post(f"{path}/{delivery['delivery_id']}/redeliver")
    assert again.status_code == 202
    await until(lambda: len(receiver.verified) == 2)
    first, second = receiver.verified
    assert (first.message_id, first.body) == (second.message_id, second.body)


async def test_lists_come_in_pages(world: World, receiver: Receiver) -> None:
    made_ids = [(await made(world, receiver, types=["task.created"]))["webhook_id"]]
    made_ids += [(await made(world, receiver, types=["job.dead"]))["webhook_id"] for _ in range(4)]
    asked = [await ask(world) for _ in range(5)]
    await until(lambda: len(receiver.verified) == len(asked))
    for path, key, count in (
        ("/webhooks", "webhook_id", 5),
        (f"/webhooks/{made_ids[0]}/deliveries", "delivery_id", 5),
    ):
        seen: list[str] = []
        cursor = None
        for _ in range(10):
            query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
            page = (await world.rest.get(path, params=query)).json()
            seen += [one[key] for one in page["webhooks" if "webhooks" in page else "deliveries"]]
            if (cursor := page["next_cursor"]) is None:
                break
        assert len(seen) == len(set(seen)) == count


async def test_what_belongs_to_somebody_else_does_not_exist(
    world: World, receiver: Receiver
) -> None:
    webhook = await made(world, receiver, types=["task.created"])
    await ask(world)
    await until(lambda: bool(receiver.verified))
    path = f"/webhooks/{webhook['webhook_id']}"
    [delivery] = (await world.rest.get(f"{path}/deliveries")).json()["deliveries"]
    async with await as_ben(world) as ben:
        assert (await ben.get("/webhooks")).json()["webhooks"] == []
        theirs = f"{path}/deliveries/{delivery['delivery_id']}"
        for method, place, body in (
            ("GET", path, None),
            ("PATCH", path, {"url": f"{receiver.base}/mine"}),
            ("DELETE", path, None),
            ("POST", f"{path}/secret", {}),
            ("POST", f"{path}/test", None),
            ("GET", f"{path}/deliveries", None),
            ("GET", theirs, None),
            ("POST", f"{theirs}/redeliver", None),
        ):
            answer = await ben.request(method, place, json=body, headers=ANY)
            assert (answer.status_code, answer.json()["code"]) == (404, "webhook_unknown"), place
        own = (await ben.post("/webhooks", json={"url": receiver.base})).json()
        # A delivery is found through its own webhook alone.
        mixed = f"/webhooks/{own['webhook_id']}/deliveries/{delivery['delivery_id']}"
        assert (await ben.get(mixed)).json()["code"] == "delivery_unknown"
    assert (await world.rest.get(path)).json()["url"] == f"{receiver.base}/hook"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "request_invalid"),
        ({"url": "https://example.org/", "types": ["job.exploded"]}, "request_invalid"),
        ({"url": "https://example.org/", "secret": "mine"}, "request_invalid"),
        ({"url": "http://example.org/"}, "webhook_url_insecure"),
        ({"url": "https://10.0.0.1/"}, "webhook_url_private"),
        ({"url": "https://anna:pw@example.org/"}, "webhook_url_invalid"),
    ],
    ids=["no address", "no such type", "a secret of one's own", "http", "private", "a password"],
)
async def test_what_cannot_be_a_webhook_is_refused(
    world: World, body: dict[str, object], code: str
) -> None:
    answer = await world.rest.post("/webhooks", json=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == code
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_change_is_for_what_was_read(world: World, receiver: Receiver) -> None:
    webhook = await made(world, receiver)
    path = f"/webhooks/{webhook['webhook_id']}"
    read = (await world.rest.get(path)).headers["etag"]
    assert (await world.rest.get(path, headers={"If-None-Match": read})).status_code == 304
    off = {"is_on": False}
    assert (await world.rest.patch(path, json=off)).status_code == 428
    first = await world.rest.patch(path, json=off, headers={"If-Match": read})
    assert (first.status_code, first.json()["is_on"]) == (200, False)
    late = await world.rest.patch(path, json={"is_on": True}, headers={"If-Match": read})
    assert (late.status_code, late.json()["code"]) == (412, "webhook_changed")
    again = {"If-Match": first.headers["etag"]}
    assert (await world.rest.patch(path, json={"is_on": True}, headers=again)).status_code == 200


async def test_there_is_an_end_to_how_many_there_may_be(world: World, receiver: Receiver) -> None:
    for _ in range(20):
        await made(world, receiver, types=["job.dead"])
    answer = await world.rest.post("/webhooks", json={"url": receiver.base})
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_webhooks")


async def test_what_is_not_there_is_not_found(world: World) -> None:
    assert (await world.rest.get(f"/webhooks/{NOBODY}")).json()["code"] == "webhook_unknown"
    assert (await world.rest.get("/webhooks/x")).status_code == 422


async def test_secrets_are_in_no_log(
    world: World, receiver: Receiver, caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    webhook = await made(world, receiver, types=["task.created"])
    rotated = await world.rest.post(f"/webhooks/{webhook['webhook_id']}/secret", json={})
    receiver.answers.append(Answer(500))
    await ask(world)
    await until(lambda: bool(receiver.received))
    said = caplog.text + "".join(capfd.readouterr())
    for secret in (webhook["secret"], rotated.json()["secret"]):
        assert secret.removeprefix("whsec_") not in said
    assert "/hook" not in said


async def test_the_receiver_of_the_page_receives(world: World, tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    with a_receiver() as placeholder:
        port = placeholder.port
    url = f"http://127.0.0.1:{port}/"
    webhook = (await world.rest.post("/webhooks", json={"url": url})).json()
    environment = {"DESKHAND_WEBHOOK_SECRET": webhook["secret"], "PORT": str(port)}
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, env=environment, stdout=PIPE, stderr=DEVNULL
    )
    assert running.stdout is not None
    try:
        task_id = await ask(world, text="forecast it")
        async with asyncio.timeout(WAIT_SECONDS):
            said = [(await running.stdout.readline()).decode() for _ in range(2)]
        assert "task.created" in said[0]
        assert task_id in said[0]
        assert "job.queued" in said[1]
        async with httpx.AsyncClient(trust_env=False, verify=False) as stranger:
            assert (await stranger.post(url, content=b"{}")).status_code == 401
    finally:
        running.kill()
        await running.wait()
