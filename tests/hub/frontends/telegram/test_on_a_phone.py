"""What a person with a phone meets on bad days: a whole hub behind the bot, Telegram before it."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hub.core.view import Sender
from hub.ports import HealthState
from shared.environment import Environment
from shared.ids import JobId, QuestionId
from shared.questions import Asking, Choice, QuestionKind
from tests.conformance.doors import bubble, open_door, open_hub
from tests.hub.frontends.world import HastyClock, PuppetWorker, World, open_world, until

if TYPE_CHECKING:
    from tests.conformance.telegram_door import TelegramDoor
    from tests.fakes.bot_api import FakeBotApi
    from tests.fakes.bot_api_state import Shown

QUESTION = QuestionId("019aa000-0000-7000-8000-000000000003")
WHICH_FILE = Asking(
    key="file",
    kind=QuestionKind.CLARIFICATION,
    text="Which file?",
    choices=(Choice(value="/d/a.csv", label="a.csv"), Choice(value="/d/b.csv", label="b.csv")),
    allow_text=True,
)


@pytest.fixture(scope="module", autouse=True)
def _telegram() -> None:
    """Seconds of import, before there is a loop that they would hold up."""
    importlib.import_module("tests.conformance.telegram_door")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_hub("telegram", tmp_path) as opened:
        yield opened


@pytest.fixture
async def phone(world: World) -> AsyncIterator[TelegramDoor]:
    from tests.conformance.telegram_door import TelegramDoor

    async with open_door("telegram", world) as door:
        assert isinstance(door, TelegramDoor)
        yield door


@pytest.fixture
async def worker(world: World) -> AsyncIterator[PuppetWorker]:
    paired = await world.pair()
    async with paired.online():
        yield paired


def hasty() -> Environment:
    return Environment(clock=HastyClock())


async def finishes(worker: PuppetWorker, job_id: JobId, headline: str) -> None:
    await worker.succeeds(worker.grants[job_id], {"headline": headline})


async def start_jobs(phone: TelegramDoor, worker: PuppetWorker, count: int) -> list[JobId]:
    """Ask for jobs one after the other; their ids in that order."""
    for number in range(count):
        await phone.say("/models")
        await until(lambda number=number: len(worker.grants) > number)  # type: ignore[misc]
    return list(worker.grants)


def last_words(phone: TelegramDoor) -> list[str]:
    return [b.text for b in phone.bubbles if b.is_final]


async def test_an_outage_of_telegram_loses_nothing_and_keeps_the_order(
    phone: TelegramDoor, worker: PuppetWorker
) -> None:
    jobs = await start_jobs(phone, worker, 2)
    phone.fake.go_down()
    # Said meanwhile, and done meanwhile: Telegram has the one, the hub the other.
    known = len(phone.fake.state.all_updates)
    phone.fake.say(phone.anna, "/help start")
    for number, job_id in enumerate(jobs):
        await finishes(worker, job_id, f"Done {number}.")
    await until(lambda: worker.acked == len(worker.log))
    await until(lambda: phone.frontend.status().state is HealthState.TROUBLED)
    assert last_words(phone) == []
    phone.fake.come_back()
    await phone.heard(known)
    await until(lambda: len(last_words(phone)) == 2)
    assert last_words(phone) == ["Done 0.", "Done 1."]
    assert [m.text.splitlines()[0] for m in phone.messages if m.text.startswith("What ")] != []
    assert phone.frontend.status().state is HealthState.OK


@pytest.mark.parametrize(("lost", "times_shown"), [("before", 1), ("after", 2)])
async def test_a_last_word_whose_sending_breaks_is_never_missing(
    phone: TelegramDoor, worker: PuppetWorker, lost: str, times_shown: int
) -> None:
    """What we promise, and what we do not.

    Telegram has no key by which it knows a message again. When the connection breaks, the hub
    cannot tell whether the message arrived: it is sent again. So a last word is never lost; it is
    shown once unless Telegram had stored it and only its answer was lost, and then it is shown
    twice.
    """
    from tests.fakes.bot_api import Drop

    [job_id] = await start_jobs(phone, worker, 1)
    phone.fake.plan(Drop(lost), method="sendMessage")
    await finishes(worker, job_id, "Model ready.")

    def shown() -> list[Shown]:
        return [m for m in phone.messages if m.text == "Model ready."]

    await phone.fake.until(lambda: len(shown()) == times_shown)
    await phone.say("/help start")
    assert len(shown()) == times_shown


async def test_a_wait_that_telegram_asks_for_is_kept(
    phone: TelegramDoor, worker: PuppetWorker
) -> None:
    from tests.fakes.bot_api_schema import Refused

    [job_id] = await start_jobs(phone, worker, 1)
    refusal = Refused(429, "Too Many Requests: retry after 1", retry_after=1)
    phone.fake.plan(refusal, method="sendMessage")
    await finishes(worker, job_id, "Model ready.")
    await bubble(phone, lambda b: b.text == "Model ready.")
    refused, sent = [c for c in phone.fake.calls if "Model ready" in str(c.parameters)]
    assert (refused.code, sent.code) == (429, 200)
    assert sent.at - refused.at >= 1.0


async def test_what_a_blocked_bot_had_to_say_waits_for_the_unblocking(
    phone: TelegramDoor, worker: PuppetWorker
) -> None:
    [job_id] = await start_jobs(phone, worker, 1)
    phone.fake.block(phone.anna)
    await finishes(worker, job_id, "Model ready.")
    await phone.fake.until(lambda: bool(phone.fake.refusals(403)))
    assert phone.frontend.status().state is HealthState.OK
    phone.fake.unblock(phone.anna)
    await until(lambda: last_words(phone) == ["Model ready."])
    # Asked once: who has blocked the bot is left in peace.
    assert len(phone.fake.refusals(403)) == 1


async def ask_in_group(
    phone: TelegramDoor, world: World, worker: PuppetWorker, fake: FakeBotApi
) -> tuple[int, Shown]:
    """Bring it about that Anna is asked something in a group; the group and the message."""
    from tests.conformance.telegram_door import GROUP_ID

    group = fake.group(GROUP_ID, "Team", phone.anna)
    fake.say(phone.anna, "/train", chat=group)
    await worker.asks(await worker.any_grant(), WHICH_FILE, QUESTION)
    return group, await fake.shown(group, lambda m: "Which file?" in m.text)


async def is_answered(world: World) -> bool:
    question = await world.hub.services.views.question(QUESTION)
    return question is not None and question.answer is not None


async def test_a_button_pressed_by_somebody_else_answers_nothing(
    phone: TelegramDoor, world: World, worker: PuppetWorker
) -> None:
    fake = phone.fake
    group, shown = await ask_in_group(phone, world, worker, fake)
    ben = fake.user(7002, "Ben")
    known = await world.hub.services.registry.add_person("ben")
    await world.hub.services.registry.link(
        known.person_id, Sender(frontend="telegram", external_id="7002", name="Ben")
    )
    eve = fake.user(7003, "Eve")
    toasts = []
    for user in (ben, eve):
        tap = fake.tap(user, shown, "b.csv")
        await fake.until(lambda tap=tap: tap.is_answered)  # type: ignore[misc]
        toasts.append(tap.toast)
    assert toasts[0] == "⚠ This question is for me."
    assert toasts[1].startswith("This hub does not know you")
    assert not await is_answered(world)
    # Nobody else in the group had to read any of this.
    assert len(fake.of_bot(group)) == 1
    tap = fake.tap(phone.anna, shown, "b.csv")
    await fake.until(lambda: tap.is_answered)
    await fake.shown(group, lambda m: "Answered by" in m.text)


async def test_in_a_group_a_reply_to_the_question_answers_it(
    phone: TelegramDoor, world: World, worker: PuppetWorker
) -> None:
    fake = phone.fake
    group, shown = await ask_in_group(phone, world, worker, fake)
    # Not one of the choices: as words among people it would be for people.
    fake.say(phone.anna, "the newest", chat=group, reply_to=shown)
    changed = await fake.shown(group, lambda m: "Answered by" in m.text)
    assert changed.message_id == shown.message_id
    assert changed.labels == []


async def test_a_stranger_is_told_fixed_words_and_makes_nothing_happen(
    phone: TelegramDoor, world: World
) -> None:
    eve = phone.fake.user(7003, "<b>Eve</b>")
    phone.fake.say(eve, "/train /etc/passwd")
    told = await phone.fake.shown(eve.user_id, lambda m: True)
    assert told.text.startswith("This hub does not know you")
    assert (await world.rest.get("/jobs")).json()["jobs"] == []


async def test_what_was_shown_before_a_restart_is_answered_after_it(tmp_path: Path) -> None:
    from tests.conformance.telegram_door import open_telegram_door, settings
    from tests.fakes.bot_api import open_bot_api

    async with open_bot_api() as fake:
        async with open_world(tmp_path, hasty(), **settings(fake)) as world:
            [me] = await world.hub.services.registry.people()
            worker = await world.pair()
            async with worker.online(), open_telegram_door(world, fake, me.person_id) as phone:
                await phone.say("/train")
                await worker.asks(await worker.any_grant(), WHICH_FILE, QUESTION)
                await bubble(phone, lambda b: b.text == "Which file?")
                shown = phone.messages[-1]
        # Nobody is there to take it; Telegram keeps it.
        tap = fake.tap(phone.anna, shown, "b.csv")
        async with open_world(tmp_path, hasty(), **settings(fake)) as world:
            await fake.until(lambda: tap.is_answered)
            await fake.until(lambda: "Answered by you" in fake.of_bot(phone.anna)[-1].text)
            assert len(fake.of_bot(phone.anna)) == 1
