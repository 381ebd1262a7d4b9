"""Text messages: who may bring them, what is sent, who wants none."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.core.view import Inbound, View
from hub.frontends.sms import make
from hub.frontends.sms.frontend import SmsFrontend
from hub.ports import FrontendSetup, HealthState
from hub.services.taps import TapNames
from shared.environment import Environment
from shared.errors import AppError, BadInput, Unavailable
from shared.ids import ConversationId, JobId, QuestionId
from tests.fakes.served import served
from tests.fakes.sms_provider import PATH, FakeProvider, open_provider
from tests.hub.frontends.shelf import Shelf
from tests.hub.worlds import World

ANNA = "+491701234567"
HOME = ConversationId(f"sms:{ANNA}")
JOB = JobId("019aa000-0000-7000-8000-000000000001")
QUESTION = QuestionId("019aa000-0000-7000-8000-000000000002")


@dataclass(slots=True)
class Bench:
    """The frontend between a fake provider and an inbox of the test."""

    fake: FakeProvider
    setup: FrontendSetup
    frontend: SmsFrontend
    heard: list[Inbound] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    arrived: list[ConversationId] = field(default_factory=list)

    async def inbox(self, inbound: Inbound) -> tuple[View, ...]:
        if self.faults:
            raise self.faults.pop(0)
        self.heard.append(inbound)
        return ()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.database.close()


@pytest.fixture
async def bench(store: World, tmp_path: Path) -> AsyncIterator[Bench]:
    arrived: list[ConversationId] = []
    async with contextlib.AsyncExitStack() as stack:
        fake = await stack.enter_async_context(open_provider())
        told = {k.removeprefix("sms_"): v for k, v in fake.settings().items()}
        setup = FrontendSetup(
            environment=Environment(entropy=bytes),
            hub_name="hub.example",
            hub_url=told.pop("public_url"),
            settings=told,
            folder=tmp_path / "frontend",
            taps=TapNames(store.database, store.environment, b"pepper"),
            files=Shelf(tmp_path),
            arrived=arrived.append,
        )
        made = make(setup)
        assert isinstance(made, SmsFrontend)
        fake.hub_url = await stack.enter_async_context(served(made.asgi[PATH]))
        bench = Bench(fake, setup, made, arrived=arrived)
        await made.start(bench.inbox)
        yield bench
        await made.stop()


async def test_what_somebody_writes_is_heard(bench: Bench) -> None:
    answer = await bench.fake.bring(ANNA, "/models", sid="SM1")
    assert answer.text.endswith("<Response></Response>")
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    [heard] = bench.heard
    assert (heard.text, heard.dedupe, heard.conversation) == ("/models", "SM1", HOME)
    assert heard.sender.external_id == ANNA


async def test_a_picture_is_noted(bench: Bench) -> None:
    await bench.fake.bring(ANNA, "", NumMedia="1", MediaUrl0="https://x.example/1")
    assert bench.heard[0].has_file


@pytest.mark.parametrize("signature", ["", "forged", "ZGVza2hhbmQgZGVza2hhbmQgZGVza2g="])
async def test_what_is_not_signed_is_refused(bench: Bench, signature: str) -> None:
    answer = await bench.fake.bring(ANNA, "/models", signature=signature)
    assert (answer.status_code, answer.text) == (403, "")
    assert bench.heard == []


async def test_what_was_signed_for_another_account_is_refused(bench: Bench) -> None:
    assert (await bench.fake.bring(ANNA, "/models", AccountSid="ACother")).status_code == 400
    assert bench.heard == []


async def test_what_is_too_large_is_refused(bench: Bench) -> None:
    assert (await bench.fake.bring(ANNA, "x" * 70_000)).status_code == 413


async def test_what_cannot_be_written_down_is_told_at_once(bench: Bench) -> None:
    bench.faults.append(Unavailable("disk_full", "Full.", retryable=True))
    answer = await bench.fake.bring(ANNA, "/models")
    assert "<Message>The hub cannot take that in now." in answer.text


async def test_a_long_text_is_shortened_and_says_where_the_rest_is(bench: Bench) -> None:
    await bench.frontend.render(HOME, View(text="word " * 500, job_id=JOB, final=True), None)
    [sent] = bench.fake.on(ANNA)
    assert sent.text.endswith(f" …\nAll of it: https://hub.example/jobs/{JOB}")
    assert len(sent.text) < 800


async def test_a_question_keeps_all_its_answers(bench: Bench) -> None:
    lines = "\n".join(f"{n}. a file called number {n}.csv" for n in range(1, 30))
    view = View(text=f"Which file?\n{lines}", question_id=QUESTION)
    await bench.frontend.render(HOME, view, None)
    assert bench.fake.on(ANNA)[0].text.endswith("29. a file called number 29.csv")


@pytest.mark.parametrize("word", ["STOP", "stop.", "Unsubscribe", "opt out"])
async def test_who_says_stop_gets_nothing_until_they_say_start(bench: Bench, word: str) -> None:
    answer = await bench.fake.bring(ANNA, word)
    assert answer.text.endswith("<Response></Response>")
    assert bench.heard == []
    with pytest.raises(Unavailable) as caught:
        await bench.frontend.render(HOME, View(text="Done."), None)
    assert caught.value.code == "chat_blocked"
    assert bench.fake.sent == []
    # Also after a restart.
    again = make(bench.setup)
    assert isinstance(again, SmsFrontend)
    with pytest.raises(Unavailable):
        await again.render(HOME, View(text="Done."), None)
    await bench.fake.bring(ANNA, "START")
    assert bench.arrived == [HOME]
    await bench.frontend.render(HOME, View(text="Done."), None)
    assert [sent.text for sent in bench.fake.on(ANNA)] == ["Done."]


async def test_yes_is_an_answer_for_who_never_said_stop(bench: Bench) -> None:
    await bench.fake.bring(ANNA, "yes")
    assert [heard.text for heard in bench.heard] == ["yes"]


async def test_who_said_stop_to_the_provider_is_left_alone(bench: Bench) -> None:
    bench.fake.unsubscribed.add(ANNA)
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            await bench.frontend.render(HOME, View(text="Done."), None)
        assert caught.value.code == "chat_blocked"


@pytest.mark.parametrize(
    ("answer", "code", "wait"),
    [
        ((429, 20429), "sms_busy", 5.0),
        ((500, 0), "sms_unreachable", None),
        ((401, 20003), "sms_token_wrong", None),
        ((400, 21617), "sms_refused", None),
    ],
    ids=["busy", "broken", "token", "refused"],
)
async def test_a_refusal_is_told_as_what_it_is(
    bench: Bench, answer: tuple[int, int], code: str, wait: float | None
) -> None:
    bench.fake.answers_with = answer
    with pytest.raises(AppError) as caught:
        await bench.frontend.render(HOME, View(text="Done."), None)
    assert (caught.value.code, caught.value.retry_after_seconds) == (code, wait)


async def test_an_outage_is_told_and_waited_out(bench: Bench) -> None:
    bench.fake.is_down = True
    await bench.frontend.stop()
    await bench.frontend.start(bench.inbox)
    health = bench.frontend.status()
    assert (health.state, bool(health.hint)) == (HealthState.TROUBLED, True)
    bench.fake.is_down = False
    await bench.frontend.render(HOME, View(text="Done."), None)
    assert bench.frontend.status().state is HealthState.OK


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"account": "a/b"}, "sms_account_invalid"),
        ({"number": "0170"}, "sms_number_invalid"),
    ],
)
async def test_settings_that_cannot_work_are_told(
    bench: Bench, settings: dict[str, str], code: str
) -> None:
    from dataclasses import replace

    with pytest.raises(BadInput) as caught:
        make(replace(bench.setup, settings={**bench.setup.settings, **settings}))
    assert caught.value.code == code
