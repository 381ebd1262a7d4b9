"""Telegram's calls are let in by the secret alone, and confirmed when they are dealt with."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from hub.app import running
from hub.frontends.telegram.client import Client
from hub.frontends.telegram.options import WEBHOOK_PATH, read_options
from hub.frontends.telegram.webhook import BODY_BYTES_MAX, Webhook
from hub.settings import Settings
from shared.environment import Environment, SystemClock
from shared.errors import Unavailable
from tests.hub.frontends.telegram.bench import ANNA_ID, GROUP_ID, HOME, Bench, open_bench
from tests.hub.worlds import World

SECRET = "X-Telegram-Bot-Api-Secret-Token"


@pytest.fixture
async def bench(store: World, tmp_path: Path) -> AsyncIterator[Bench]:
    async with open_bench(store, tmp_path, webhook="true") as opened:
        yield opened


@pytest.fixture
async def caller(bench: Bench) -> AsyncIterator[httpx.AsyncClient]:
    """Whoever calls the webhook; knows no secret by itself."""
    transport = httpx.ASGITransport(app=bench.frontend.asgi[WEBHOOK_PATH])
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as opened:
        yield opened


def update(text: str, number: int = 1, **more: Any) -> dict[str, Any]:
    anna = {"id": ANNA_ID, "is_bot": False, "first_name": "Anna"}
    chat = {"id": ANNA_ID, "type": "private", "first_name": "Anna"}
    message = {"message_id": 5, "date": 1, "chat": chat, "from": anna, "text": text}
    return {"update_id": number, "message": message | more}


def secret_of(bench: Bench) -> dict[str, str]:
    assert bench.fake.state.webhook is not None
    return {SECRET: bench.fake.state.webhook["secret"]}


async def test_telegram_is_told_the_address_and_a_secret(bench: Bench) -> None:
    await bench.start()
    webhook = bench.fake.state.webhook
    assert webhook is not None
    assert webhook["url"] == "https://hub.example/telegram/webhook"
    assert len(webhook["secret"]) == 64


async def test_a_call_with_the_secret_is_heard_and_confirmed(
    bench: Bench, caller: httpx.AsyncClient
) -> None:
    await bench.start()
    reply = await caller.post(WEBHOOK_PATH, json=update("/jobs"), headers=secret_of(bench))
    assert reply.status_code == 200
    assert bench.said == ["/jobs"]


@pytest.mark.parametrize("told", [{}, {SECRET: "wrong"}, {SECRET: ""}])
async def test_a_call_without_the_secret_is_not_heard(
    bench: Bench, caller: httpx.AsyncClient, told: dict[str, str]
) -> None:
    await bench.start()
    reply = await caller.post(WEBHOOK_PATH, json=update("/jobs"), headers=told)
    assert reply.status_code == 401
    assert not reply.content
    assert not bench.heard


async def test_what_could_not_be_written_down_is_to_be_brought_again(
    bench: Bench, caller: httpx.AsyncClient
) -> None:
    await bench.start()
    secret = secret_of(bench)
    bench.faults += [Unavailable("disk_full", "The disk is full.", retryable=True)]
    statuses = [
        (await caller.post(WEBHOOK_PATH, json=update("/jobs"), headers=secret)).status_code
        for _ in range(3)
    ]
    assert statuses == [503, 200, 200]
    assert bench.said == ["/jobs"]


async def test_nothing_is_taken_before_the_start_and_after_the_stop(
    bench: Bench, caller: httpx.AsyncClient
) -> None:
    await bench.start()
    secret = secret_of(bench)
    await bench.frontend.stop()
    reply = await caller.post(WEBHOOK_PATH, json=update("/jobs"), headers=secret)
    assert reply.status_code == 503
    assert not bench.heard


async def test_odd_calls_get_an_answer_and_do_no_harm(
    bench: Bench, caller: httpx.AsyncClient
) -> None:
    await bench.start()
    secret = secret_of(bench)

    async def status(content: bytes) -> int:
        return (await caller.post(WEBHOOK_PATH, content=content, headers=secret)).status_code

    assert (await caller.get(WEBHOOK_PATH, headers=secret)).status_code == 405
    assert await status(b"x" * (BODY_BYTES_MAX + 1)) == 413
    assert await status(b"{nonsense") == 400
    assert await status(b"[1, 2]") == 400
    assert await status(b"\xff\xfe") == 400
    assert await status(json.dumps({"update_id": 7}).encode()) == 200
    assert not bench.heard


async def test_a_whole_hub_is_called_and_answers(tmp_path: Path) -> None:
    from tests.fakes.bot_api import TOKEN, open_bot_api

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with open_bot_api(own_server=True) as fake:
        settings = Settings(
            data=tmp_path,
            port=port,
            public_url=f"http://127.0.0.1:{port}",
            telegram_token=SecretStr(TOKEN),
            telegram_api_url=fake.url,
            telegram_webhook=True,
        )
        async with running(settings):
            await fake.until(lambda: fake.state.webhook is not None)
            anna = fake.user(ANNA_ID, "Anna")
            fake.say(anna, "/start")
            await fake.until(lambda: bool(fake.of_bot(anna)))
            assert not fake.state.updates
            async with httpx.AsyncClient(trust_env=False, verify=False) as stranger:
                url = f"http://127.0.0.1:{port}{WEBHOOK_PATH}"
                assert (await stranger.post(url, json=update("/jobs"))).status_code == 401


LAB = {"id": GROUP_ID, "type": "supergroup", "title": "Lab"}
PHOTO = {"file_id": "f", "file_unique_id": "u", "width": 9, "height": 9}
STICKER = PHOTO | {"type": "regular", "is_animated": False, "is_video": False}
ROBOT = {"id": 5, "is_bot": True, "first_name": "Robot"}


@pytest.mark.parametrize(
    "more",
    [
        {"from": ROBOT},
        {"sender_chat": {"id": -77, "type": "channel", "title": "News"}},
        {"chat": LAB, "sender_chat": LAB},
        {"chat": {"id": -77, "type": "channel", "title": "News"}},
        {"text": "", "new_chat_title": "Lab 2"},
        {"text": "", "sticker": STICKER},
    ],
)
async def test_what_no_person_says_to_the_bot_is_not_heard(
    bench: Bench, caller: httpx.AsyncClient, more: dict[str, Any]
) -> None:
    await bench.start()
    said = update(**({"text": "/jobs"} | more))
    reply = await caller.post(WEBHOOK_PATH, json=said, headers=secret_of(bench))
    assert reply.status_code == 200
    assert not bench.heard
    edited = {"update_id": 2, "edited_message": update("/jobs")["message"] | {"edit_date": 2}}
    await caller.post(WEBHOOK_PATH, json=edited, headers=secret_of(bench))
    assert not bench.heard


async def test_pictures_sent_together_are_answered_once(
    bench: Bench, caller: httpx.AsyncClient
) -> None:
    await bench.start()
    for number in (1, 2, 3):
        picture = update("", number, photo=[PHOTO], media_group_id="album")
        await caller.post(WEBHOOK_PATH, json=picture, headers=secret_of(bench))
    assert [inbound.has_file for inbound in bench.heard] == [True]


async def test_a_button_of_a_message_that_telegram_forgot_still_works(
    bench: Bench, caller: httpx.AsyncClient
) -> None:
    await bench.start()
    [name] = await bench.setup.taps.names(HOME, ["/jobs"])
    said = update("")["message"]
    query = {
        "id": "1",
        "from": said["from"],
        "message": {"chat": said["chat"], "message_id": 5, "date": 0},
        "chat_instance": "x",
        "data": name,
    }
    tapped = {"update_id": 1, "callback_query": query}
    await caller.post(WEBHOOK_PATH, json=tapped, headers=secret_of(bench))
    assert bench.said == ["/jobs"]


async def test_a_group_that_moves_is_told_with_its_new_id(
    bench: Bench, caller: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    await bench.start()
    group = {"id": GROUP_ID, "type": "group", "title": "Lab"}
    moved = update("", chat=group, migrate_to_chat_id=-100777)
    await caller.post(WEBHOOK_PATH, json=moved, headers=secret_of(bench))
    assert "put -100777 into HUB_TELEGRAM_GROUPS" in caplog.text


# Whether the calls get through.


@pytest.fixture
async def client(bench: Bench) -> AsyncIterator[Client]:
    opened = Client(read_options(bench.setup))
    await opened.open()
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"url": "https://elsewhere.example/x"}, "webhook_changed"),
        ({"error": "Connection refused"}, "webhook_failing"),
        ({}, ""),
    ],
)
async def test_calls_that_do_not_get_through_are_noticed(
    bench: Bench, client: Client, change: dict[str, str], code: str
) -> None:
    await bench.start()
    webhook = Webhook(Environment(clock=Yesterday()), read_options(bench.setup).webhook_url)
    assert bench.fake.state.webhook is not None
    bench.fake.state.webhook |= change
    bench.fake.state.updates.append(update("/jobs"))
    told = ""
    try:
        await webhook.check(client)
    except Unavailable as error:
        told = error.code
    bench.fake.state.updates.clear()
    assert told == code


class Yesterday(SystemClock):
    def now(self) -> datetime:
        return super().now() - timedelta(days=1)
