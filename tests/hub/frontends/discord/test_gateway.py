"""The connection: kept alive, resumed where it was; and told of when it cannot be had."""

from __future__ import annotations

import logging

import pytest

from hub.core.view import View
from hub.ports import HealthState
from shared.errors import Unavailable
from tests.discord_servers.rules import Refused
from tests.discord_servers.server import TOKEN
from tests.hub.frontends.discord.bench import ANNA, Bench


async def test_it_says_that_it_lives_as_often_as_it_is_told_to(bench: Bench) -> None:
    # Long enough for a busy machine to answer one before the next, or the line is taken for dead.
    bench.fake.gateway.heartbeat_seconds = 0.5
    await bench.start()
    await bench.fake.until(lambda: len(bench.fake.gateway.beats) > 3)
    assert bench.fake.gateway.connections == 1
    assert bench.fake.gateway.beats[-1] == bench.fake.gateway.session.seq  # type: ignore[union-attr]


async def test_it_asks_for_nothing_that_discord_gives_to_few(bench: Bench) -> None:
    await bench.start()
    [identified] = bench.fake.gateway.identified
    privileged = (1 << 1) | (1 << 8) | (1 << 15)
    assert identified["intents"] & privileged == 0


@pytest.mark.parametrize("code", [0, 4000], ids=["cut", "closed"])
async def test_what_is_said_while_the_line_is_cut_is_heard_once(bench: Bench, code: int) -> None:
    await bench.start()
    await bench.fake.say(ANNA, "one")
    await bench.hears(1)
    await bench.fake.gateway.drop(code=code)
    await bench.fake.say(ANNA, "two")
    await bench.until_state(HealthState.OK)
    await bench.fake.say(ANNA, "three")
    await bench.hears(3)
    assert bench.said == ["one", "two", "three"]
    assert len(bench.fake.gateway.resumed) == 1
    assert len(bench.fake.gateway.identified) == 1


async def test_it_reconnects_when_it_is_asked_to(bench: Bench) -> None:
    await bench.start()
    await bench.fake.gateway.ask_to_reconnect()
    await bench.fake.until(lambda: bool(bench.fake.gateway.resumed))
    await bench.fake.say(ANNA, "/help")
    await bench.hears(1)


async def test_a_line_that_is_dead_is_left(bench: Bench) -> None:
    bench.fake.gateway.heartbeat_seconds = 0.1
    bench.fake.gateway.is_deaf = True
    await bench.start()
    await bench.fake.until(lambda: bench.fake.gateway.connections > 1)
    bench.fake.gateway.is_deaf = False
    await bench.fake.say(ANNA, "/help")
    await bench.hears(1)


async def test_a_session_that_discord_forgot_is_begun_anew(bench: Bench) -> None:
    await bench.start()
    await bench.fake.gateway.drop()
    bench.fake.gateway.forget()
    await bench.until_state(HealthState.TROUBLED)
    await bench.until_state(HealthState.OK)
    await bench.fake.say(ANNA, "/help")
    await bench.hears(1)


async def test_a_wrong_token_is_told_with_what_helps(bench: Bench) -> None:
    first, rest = TOKEN.split(".", 1)
    bench.remake(token=f"{first}.x{rest}")
    await bench.start()
    health = bench.frontend.status()
    assert health.state is HealthState.TROUBLED
    assert health.error == "Discord does not know this bot token."
    assert "HUB_DISCORD_TOKEN" in health.hint


async def test_a_refused_connection_is_told_with_what_helps(bench: Bench) -> None:
    bench.fake.gateway.closes_with = 4014
    await bench.start()
    health = bench.frontend.status()
    assert (health.state, "not allowed" in health.error) == (HealthState.TROUBLED, True)
    bench.fake.gateway.closes_with = 0
    await bench.until_state(HealthState.OK)


async def test_a_server_without_the_bot_is_told_with_the_link_that_invites_it(
    bench: Bench,
) -> None:
    bench.fake.state.in_server = False
    await bench.start()
    await bench.until_state(HealthState.TROUBLED)
    health = bench.frontend.status()
    assert health.error.startswith("The bot is not in the Discord server 88")
    assert "https://discord.com/oauth2/authorize?client_id=99" in health.hint
    # Whoever writes to it directly is heard all the same.
    await bench.fake.say(ANNA, "/help")
    await bench.hears(1)


async def test_an_outage_does_not_keep_it_from_starting(bench: Bench) -> None:
    bench.fake.go_down()
    await bench.start()
    assert bench.frontend.status().state is HealthState.TROUBLED
    with pytest.raises(Unavailable) as caught:
        await bench.show(View(text="Hello."))
    assert caught.value.retryable
    bench.fake.come_back()
    await bench.until_state(HealthState.OK)
    assert bench.arrived == [bench.of(bench.home)]


async def test_no_log_holds_the_token_or_what_cannot_be_read(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await bench.start()
    await bench.fake.gateway.dispatch("MESSAGE_CREATE", {"id": "1", "content": "my secret plan"})
    bench.fake.plan(Refused(400, 50035, f"Invalid {TOKEN}"), method="POST", part="messages")
    with pytest.raises(Exception, match="refused"):
        await bench.show(View(text="Hello."))
    await bench.fake.choose(ANNA, "models")
    await bench.hears(1)
    await bench.frontend.stop()
    told = "\n".join(r.getMessage() for r in caplog.records if r.name != "asyncio")
    assert TOKEN not in told
    assert "my secret plan" not in caplog.text
    assert "aW50" not in told
    assert "cannot be read and is left out" in told
