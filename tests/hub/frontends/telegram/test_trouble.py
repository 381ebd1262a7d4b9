"""Outages are waited out, mistakes of set-up are named, and the token is never told to anybody."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from aiohttp import web

from hub.core.view import View
from hub.frontends.telegram import make
from hub.ports import HealthState
from shared.errors import AppError, BadInput, Unavailable
from tests.hub.frontends.telegram.bench import HOME, Bench

OTHER = "4002:another-token-that-nobody-knows-here-1"


async def test_without_a_token_there_is_no_frontend(bench: Bench) -> None:
    assert make(replace(bench.setup, settings={"token": "", "api_url": ""})) is None


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"token": "no token at all"}, "telegram_token_invalid"),
        ({"token": "4001:abc/../x"}, "telegram_token_invalid"),
        ({"groups": "-1001, lab"}, "telegram_groups_invalid"),
        ({"api_url": "", "webhook": "true"}, "telegram_webhook_url"),
    ],
)
async def test_settings_that_cannot_work_are_named(
    bench: Bench, settings: dict[str, str], code: str
) -> None:
    setup = replace(bench.setup, hub_url="http://127.0.0.1:8765")
    with pytest.raises(BadInput) as refused:
        make(replace(setup, settings={**setup.settings, **settings}))
    assert refused.value.code == code
    assert refused.value.hint
    assert "abc" not in str(refused.value)


async def test_an_outage_at_the_start_is_waited_out(bench: Bench) -> None:
    bench.fake.go_down()
    await bench.start()
    health = bench.frontend.status()
    assert health.state is HealthState.TROUBLED
    assert health.error
    assert health.hint
    bench.fake.come_back()
    await bench.until_state(HealthState.OK)
    bench.fake.say(bench.anna(), "/jobs")
    await bench.until(lambda: bench.said == ["/jobs"])


async def test_the_end_of_an_outage_is_seen_at_once_though_nobody_says_a_word(
    bench: Bench,
) -> None:
    await bench.start()
    bench.fake.go_down()
    await bench.until_state(HealthState.TROUBLED)
    bench.fake.come_back()
    await bench.until_state(HealthState.OK)


async def test_an_outage_later_loses_nothing(bench: Bench) -> None:
    await bench.start()
    anna = bench.anna()
    bench.fake.go_down()
    await bench.until_state(HealthState.TROUBLED)
    since = bench.frontend.status().since
    bench.fake.say(anna, "/jobs")
    with pytest.raises(Unavailable) as refused:
        await bench.show(View(text="hello"))
    assert refused.value.retryable
    bench.fake.come_back()
    await bench.until_state(HealthState.OK)
    assert bench.frontend.status().since > since
    assert bench.said == ["/jobs"]
    assert bench.arrived == [HOME], "what could not be shown is tried at once"


async def test_a_wrong_token_is_named_with_what_helps(bench: Bench) -> None:
    bench.remake(token=OTHER)
    await bench.start()
    health = bench.frontend.status()
    assert health.state is HealthState.TROUBLED
    assert health.hint == "Check HUB_TELEGRAM_TOKEN (BotFather: /token)."


async def test_a_second_program_with_the_same_token_is_named(bench: Bench) -> None:
    from tests.fakes.bot_api import TOKEN

    await bench.start()
    await bench.fake.until(lambda: bench.fake.is_polled)
    async with httpx.AsyncClient(trust_env=False, verify=False) as thief:
        await thief.post(f"{bench.fake.url}/bot{TOKEN}/getUpdates", json={"timeout": 0})
    await bench.until_state(HealthState.TROUBLED)
    assert "Another program uses this bot's token." in bench.frontend.status().hint
    bench.fake.say(bench.anna(), "/jobs")
    await bench.until_state(HealthState.OK)
    assert bench.said == ["/jobs"]


async def test_a_webhook_of_before_does_not_keep_it_from_asking(bench: Bench) -> None:
    state = bench.fake.state
    state.webhook = {"url": "http://elsewhere.example", "secret": "", "error": ""}
    await bench.start()
    bench.fake.say(bench.anna(), "/jobs")
    await bench.until(lambda: bench.said == ["/jobs"])


async def test_stopping_is_idempotent_and_starting_again_works(bench: Bench) -> None:
    await bench.frontend.stop()
    await bench.start()
    await bench.frontend.stop()
    await bench.frontend.stop()
    assert bench.frontend.status().state is HealthState.STOPPED
    with pytest.raises(Unavailable):
        await bench.show(View(text="too late"))
    await bench.start()
    assert bench.frontend.status().state is HealthState.OK


async def test_who_unblocks_the_bot_can_be_reached_again(bench: Bench) -> None:
    await bench.start()
    anna = bench.anna()
    bench.fake.block(anna)
    bench.fake.unblock(anna)
    await bench.until(lambda: bench.arrived == [HOME])


async def test_a_fault_of_its_own_is_told_so_that_it_is_made_anew(bench: Bench) -> None:
    def break_down(conversation: object) -> None:
        raise RuntimeError(f"ours, at {conversation}")

    bench.setup = replace(bench.setup, arrived=break_down)
    bench.remake()
    await bench.start()
    bench.anna()
    bench.fake.go_down()
    with pytest.raises(Unavailable):
        await bench.show(View(text="hello"))
    await bench.until_state(HealthState.TROUBLED)
    bench.fake.come_back()
    await bench.until_state(HealthState.FAILED)
    assert bench.frontend.status().hint


# The token.


@pytest.fixture
async def parrot() -> AsyncIterator[str]:
    """A web server that is no Bot API and repeats the address it was asked for; its address."""

    async def repeat(request: web.Request) -> web.Response:
        status = 200 if "getMe" in request.path else 404
        return web.Response(text=f"<h1>{request.url} was not found</h1>", status=status)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", repeat)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_no_log_error_or_state_ever_holds_the_token(
    bench: Bench, parrot: str, caplog: pytest.LogCaptureFixture
) -> None:
    from tests.fakes.bot_api import TOKEN
    from tests.fakes.bot_api_schema import Refused

    caplog.set_level(logging.DEBUG)
    told: list[str] = []

    async def note(view: View) -> None:
        try:
            await bench.show(view)
        except AppError as error:
            told.extend((str(error), repr(error), *traceback.format_exception(error)))
        told.append(str(bench.frontend.status()))

    await bench.start()
    bench.anna()
    await note(View(text="all is well"))
    bench.fake.plan(Refused(400, f"Bad Request: wrong /bot{TOKEN}/x"), method="sendMessage")
    await note(View(text="refused"))
    bench.fake.plan(Refused(502, f"no way to /bot{TOKEN}/x"), method="sendMessage")
    await note(View(text="no way"))
    for api_url in (parrot, "http://127.0.0.1:1", "http://[broken", f"{bench.fake.url}/wrong"):
        await bench.frontend.stop()
        bench.remake(api_url=api_url)
        await bench.start()
        assert bench.frontend.status().state is HealthState.TROUBLED
        await note(View(text="hello"))
    await bench.frontend.stop()
    bench.remake(api_url=bench.fake.url, token=OTHER)
    await bench.start()
    await note(View(text="hello"))
    told += [caplog.text, repr(bench.setup), repr(bench.frontend)]
    told += [str(vars(record)) for record in caplog.records]
    for text in told:
        for token in (TOKEN, OTHER):
            assert token not in text
            assert token.partition(":")[2] not in text


def test_nothing_of_telegram_is_imported_without_a_token() -> None:
    import subprocess

    code = (
        "import sys, hub.app, hub.frontends.telegram;"
        "print([m for m in ('telegram', 'httpx', 'segno') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"
