"""Interactions that Discord brings: signed, fresh, bearable; and answered like the others."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import AsyncIterator

import pytest

from hub.core.view import Button, View
from hub.frontends.discord.options import ENDPOINT_PATH
from hub.ports import HealthState
from tests.discord_servers.state import Json, snowflake
from tests.fakes.served import served
from tests.hub.frontends.discord.bench import ANNA, Bench

PING: Json = {"id": str(snowflake()), "type": 1, "version": 1, "token": "t"}


@contextlib.asynccontextmanager
async def endpoint(bench: Bench) -> AsyncIterator[None]:
    """Start the frontend, and serve its endpoint as the hub would."""
    bench.remake(public_key=bench.fake.public_key)
    async with served(bench.frontend.asgi[ENDPOINT_PATH]) as url:
        bench.fake.endpoint_url = url + ENDPOINT_PATH
        await bench.start()
        yield


async def test_a_ping_is_answered_with_a_pong(bench: Bench) -> None:
    async with endpoint(bench):
        reply = await bench.fake.bring(PING)
        assert (reply.status, json.loads(reply.text)) == (200, {"type": 1})
        # No connection of ours is needed.
        assert bench.fake.gateway.connections == 0
        assert bench.frontend.status().state is HealthState.OK


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Signature-Ed25519": "00" * 64},
        {"X-Signature-Ed25519": "no hex"},
        {"X-Signature-Ed25519": ""},
        {"X-Signature-Timestamp": str(int(time.time()) + 1)},
        {"X-Signature-Timestamp": "soon"},
    ],
    ids=["another's", "no signature", "empty", "another time", "no time"],
)
async def test_what_is_not_signed_is_refused(bench: Bench, headers: dict[str, str]) -> None:
    async with endpoint(bench):
        assert (await bench.fake.bring(PING, headers=headers)).status == 401


@pytest.mark.parametrize("seconds", [-301, 301], ids=["old", "ahead"])
async def test_what_was_kept_for_later_is_refused(bench: Bench, seconds: int) -> None:
    async with endpoint(bench):
        body = json.dumps(PING).encode()
        timestamp = str(int(time.time()) + seconds)
        signature = bench.fake.key.sign(timestamp.encode() + body).signature.hex()
        headers = {"X-Signature-Ed25519": signature, "X-Signature-Timestamp": timestamp}
        assert (await bench.fake.bring(body, headers=headers)).status == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b'{"type": 2}', 400), (b"[]", 400), (b"x" * 1_000_001, 413)],
    ids=["no JSON", "no interaction", "a list", "too large"],
)
async def test_what_cannot_be_read_is_refused(bench: Bench, body: bytes, status: int) -> None:
    async with endpoint(bench):
        assert (await bench.fake.bring(body)).status == status


async def test_commands_and_presses_work_as_over_the_gateway(bench: Bench) -> None:
    async with endpoint(bench):
        asked = await bench.fake.choose(ANNA, "train", where=bench.general, file="a.csv")
        where = (await bench.hears(1)).conversation
        question = View(text="Which?", buttons=(Button("a", says="/answer 1 a"),))
        shown = await bench.show(question, where)
        assert shown is asked.response
        await bench.fake.press(ANNA, shown, "a")
        heard = await bench.hears(2)
        assert (heard.text, heard.conversation) == ("/answer 1 a", where)


async def test_an_interaction_that_is_brought_twice_is_done_once(bench: Bench) -> None:
    async with endpoint(bench):
        asked = await bench.fake.choose(ANNA, "models")
        await bench.hears(1)
        command = next(c for c in bench.fake.state.commands if c["name"] == "models")
        data = {"id": command["id"], "name": "models", "type": 1}
        assert (
            await bench.fake.bring(bench.fake.interaction_payload(asked, 2, data))
        ).status == 200
        await bench.fake.choose(ANNA, "help")
        await bench.hears(2)
        assert bench.said == ["/models", "/help"]


async def test_a_server_that_was_not_named_is_told_so_at_once(bench: Bench) -> None:
    bench.remake(servers="")
    async with endpoint(bench):
        asked = await bench.fake.choose(ANNA, "models", where=bench.general)
        assert [w.written for w in asked.whispers] == [
            "I do not answer in this server. Write to me in a direct message."
        ]


async def test_the_door_is_shut_while_the_frontend_is_down(bench: Bench) -> None:
    async with endpoint(bench):
        await bench.frontend.stop()
        assert (await bench.fake.bring(PING)).status == 200
        asked = {"type": 2, "id": "1"}
        assert (await bench.fake.bring(asked)).status == 503
