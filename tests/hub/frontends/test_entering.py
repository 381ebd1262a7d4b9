"""Who comes in, as people see it in their chats: computers, accounts, strangers, guessers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.core.pairing import TRIES_PER_MINUTE_MAX
from hub.core.view import Inbound, Sender, View
from hub.services.requests import Request
from shared.capabilities import Capability
from shared.errors import AppError
from shared.ids import ConversationId, WorkerId, short
from shared.messages import Progress
from shared.pairing import Purpose
from tests.hub.frontends.test_outbox import Scene, open_scene
from tests.hub.frontends.world import Chat, World
from tests.pairing import Computer

ABLE = (Capability(kind="ml.train"), Capability(kind="ml.predict"))
OTHER = ConversationId("stage:2")


def asks(view: View) -> bool:
    return view.subject.startswith("join:") and bool(view.buttons)


async def come(world: World, chat: Chat, computer: Computer) -> View:
    """/connect, the code on the computer, and the question that comes back."""
    [told] = await chat.say("/connect")
    code = told.text.partition("Your code: ")[2][:9]
    await computer.ask(world.hub.services, code)
    return await chat.view(asks)


async def test_a_computer_is_let_in_by_a_tap(world: World) -> None:
    pc = Computer("anna-pc", platform="Windows 11", capabilities=ABLE)
    async with world.chat() as chat:
        [told] = await chat.say("/connect")
        code = told.text.partition("Your code: ")[2][:9]
        asked = await pc.ask(world.hub.services, code)
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(pc.token(world.hub.services, asked))
            question = await chat.view(asks)
            assert question.text.startswith(
                "anna-pc (Windows 11; can train, predict) wants to join. Check words: "
            )
            assert [button.label for button in question.buttons] == ["Approve", "Reject"]
            await chat.say(question.buttons[0].says)
        assert waiting.result().worker_name == "anna-pc"
        settled = await chat.view(lambda v: v.subject == question.subject and not v.buttons)
        assert settled.text == "✓ anna-pc was let in by you on the console."
        ready = await chat.view(lambda v: v.subject.startswith("worker:"))
        assert ready.text.startswith("✓ anna-pc is ready. Say what you want in your own words")
        # One message, which turned from the question into what became of it.
        assert len({ref for ref, view in chat.shown if view.subject == question.subject}) == 1


async def test_a_second_tap_is_told_whose_the_first_was(world: World) -> None:
    async with world.chat() as one, world.chat() as two:
        question = await come(world, one, Computer())
        await two.view(asks)
        await one.say(question.buttons[1].says)
        await two.say(question.buttons[0].says)
        late = await two.view(lambda v: v.text.startswith("⚠ "))
        assert late.text == (
            "⚠ anna-pc was turned away before, by me on the console. The first decision counts. "
            "/workers lists your computers."
        )


async def test_a_computer_is_decided_on_by_its_four_characters(world: World) -> None:
    async with world.chat() as chat:
        question = await come(world, chat, Computer())
        name = short(question.subject.removeprefix("join:"))
        await chat.say(f"/reject {name.lower()}")
        settled = await chat.view(lambda v: v.subject == question.subject and not v.buttons)
        assert settled.text == "anna-pc was turned away by you on the console."
        await chat.say("/approve 0000")
        await chat.view(lambda v: v.text.startswith("⚠ Nobody of that id waits to join."))


async def test_the_code_a_computer_shows_is_sent_by_its_person(world: World) -> None:
    pc = Computer()
    asked = await pc.ask(world.hub.services, None)
    async with world.chat() as chat:
        await chat.say(f"/pair {asked.user_code}")
        question = await chat.view(asks)
        await chat.say(question.buttons[0].says)
    assert (await pc.token(world.hub.services, asked)).person_name == "me"
    async with world.chat() as chat:
        await chat.say(f"/pair {asked.user_code}")
        await chat.view(lambda v: v.text.startswith("⚠ That code is wrong, used or expired."))


async def test_guessing_is_told_to_the_owner_once(world: World) -> None:
    async with world.chat() as chat:
        await chat.say("/help start")
        for number in range(TRIES_PER_MINUTE_MAX + 3):
            with pytest.raises(AppError):
                await Computer().ask(world.hub.services, "BBBB-BBBB", f"203.0.113.{number}")
        await chat.view(lambda v: "tries pairing codes" in v.text)
        await chat.say("/help start")
        assert sum("tries pairing codes" in text for text in chat.texts) == 1


async def test_a_worker_that_is_shown_out_is_told_with_who_did_it(world: World) -> None:
    worker = await world.pair("studio-mac")
    async with world.chat() as chat:
        await chat.say("/worker studio-mac revoke")
        told = await chat.view(lambda v: "shown out" in v.text)
        assert told.text == (
            "studio-mac was shown out by you on the console. /connect pairs it anew."
        )
    assert worker.worker_id


async def test_what_becomes_of_the_job_of_a_worker_that_is_shown_out_is_told(world: World) -> None:
    worker = await world.pair("studio-mac")
    async with world.chat() as chat, worker.online():
        await chat.say("/train a.csv y")
        await worker.starts(await worker.any_grant())
        await chat.say("/worker studio-mac revoke")
        told = await chat.view(lambda v: "starts again" in v.text)
        assert told.text == (
            "studio-mac was disconnected. Training starts again from the beginning (it changes "
            "nothing else). No computer is connected. Queued; starts when one is. "
            "/connect pairs one."
        )


# Accounts, on a frontend whose people the hub has to learn.


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    opened = await open_scene(tmp_path)
    yield opened
    opened.hub.database.close()


async def say(
    scene: Scene, text: str, *, account: str = "4711", name: str = "Boris", in_group: bool = False
) -> list[str]:
    """Say something as an account; what is answered."""
    scene.clock.ahead_seconds += 0.001
    conversation = ConversationId("stage:group:1" if in_group else f"stage:{account}")
    inbound = Inbound(
        conversation=conversation,
        sender=Sender(frontend="stage", external_id=account, name=name),
        text=text,
        dedupe=str(scene.clock.ahead_seconds),
        in_group=in_group,
    )
    return [view.text for view in await scene.hub.inbox(inbound)]


async def waiting(scene: Scene) -> list[str]:
    requests = await scene.hub.services.admissions.requests(None)
    return [r.join_id for r in requests if r.state == "waiting"]


ASKED = ["This hub does not know you. Its owner was asked to let you in."]
REFUSED = ["This hub does not know you. Ask its owner for an invitation."]


async def decide(scene: Scene, *, is_approved: bool) -> None:
    owner = (await scene.hub.services.registry.people())[0]
    [join_id] = await waiting(scene)
    await scene.hub.services.admissions.decide(
        owner.person_id, join_id, is_approved=is_approved, by="me on the console"
    )


async def test_the_owner_is_asked_about_a_stranger_once_an_hour(scene: Scene) -> None:
    assert await say(scene, "hello") == ASKED
    assert await say(scene, "hello") == REFUSED
    scene.clock.ahead_seconds += 3600
    # Still waiting: the owner is not asked again.
    assert await say(scene, "hello") == REFUSED
    assert len(await waiting(scene)) == 1


async def test_what_was_asked_before_its_owner_had_a_chat_is_shown_at_the_first_start(
    scene: Scene,
) -> None:
    await say(scene, "hello", account="666", name="Eve")
    linked, greeting, asked = await say(scene, f"/start {await account_code(scene)}", name="Anna")
    assert asked == "Eve (666 on Stage) wants to use this hub."
    assert linked
    assert greeting


async def test_at_most_three_strangers_wait(scene: Scene) -> None:
    answers = [await say(scene, "/start", account=str(number)) for number in range(5)]
    assert answers == [ASKED] * 3 + [REFUSED] * 2


async def test_a_stranger_who_is_let_in_is_a_person_of_their_own(scene: Scene) -> None:
    await say(scene, "hello", name="Bo\u202eris\n<b>")
    await decide(scene, is_approved=True)
    people = await scene.hub.services.registry.people()
    assert [person.name for person in people][1:] == ["Bo ris <b>"]
    await scene.outbox.word_once()
    await scene.show_all(ConversationId("stage:4711"))
    [(_, told, _)] = scene.stage.shown
    assert told.text == "You were let in. /start says what this is, /connect adds a computer."
    [greeting] = await say(scene, "/start")
    assert greeting.startswith("Deskhand runs work on your own computers.")
    [jobs] = await say(scene, "/jobs")
    assert jobs == "No jobs yet. /train makes the first one."


async def test_a_no_is_final_for_a_day(scene: Scene) -> None:
    await say(scene, "hello")
    await decide(scene, is_approved=False)
    for hours in (0, 2, 20):
        scene.clock.ahead_seconds += hours * 3600
        assert await say(scene, "hello") == REFUSED
    scene.clock.ahead_seconds += 3 * 3600
    assert await say(scene, "hello") == ASKED


async def test_nobody_is_let_in_from_a_group(scene: Scene) -> None:
    assert await say(scene, "hello", in_group=True) == []
    assert await say(scene, "/start", in_group=True) == REFUSED
    assert await waiting(scene) == []


async def account_code(scene: Scene) -> str:
    owner = (await scene.hub.services.registry.people())[0]
    invitation = await scene.hub.services.pairing.invite(owner.person_id, Purpose.ACCOUNT)
    return invitation.code


async def test_a_code_lets_an_account_speak_and_undo_silences_it(scene: Scene) -> None:
    code = await account_code(scene)
    linked, greeting = await say(scene, f"/start {code}", name="Anna")
    assert linked == "You speak for anna here now."
    assert greeting.startswith("Deskhand runs work")
    # A second account with the same code is a stranger.
    [wrong] = await say(scene, f"/start {code}", account="666")
    assert wrong.startswith("⚠ That code is wrong, used or expired.")
    [gone] = await say(scene, "/unlink stage 4711")
    assert gone == "Anna does not speak for you on Stage any more."
    assert await scene.deliveries.conversations_of(scene.person_id) == ()
    assert await say(scene, "/jobs", account="4711") in (ASKED, REFUSED)


async def test_a_chat_that_was_undone_hears_nothing_more_of_what_was_asked_for_there(
    scene: Scene,
) -> None:
    await say(scene, f"/start {await account_code(scene)}", name="Anna")
    await say(scene, f"/start {await account_code(scene)}", account="5", name="Anna's tablet")
    gone, left = ConversationId("stage:4711"), ConversationId("stage:5")
    intake, person_id = scene.hub.services.intake, scene.person_id
    asked = Request(person_id=person_id, kind="ml.train", conversation=gone)
    job_id = (await intake.request(asked)).card.job_id
    await scene.outbox.word_once()
    await scene.show_all(gone)
    scene.stage.shown.clear()
    await say(scene, "/unlink stage 4711", account="5")
    running = "UPDATE jobs SET state = 'running' WHERE job_id = ?"
    await scene.hub.database.write(lambda c: c.execute(running, (job_id,)))
    progress = Progress(job_id=job_id, attempt=1, stage="training", done=1, total=4)
    scene.outbox.note_progress(job_id, WorkerId("x"), progress)
    await scene.show_all(gone)
    await intake.cancel(person_id, job_id, "anna on Stage")
    await scene.outbox.word_once()
    await scene.show_all(gone)
    await scene.show_all(left)
    assert {where for where, _, _ in scene.stage.shown} == {left}
    assert len(scene.finals) == 1


async def test_other_chats_of_a_person_are_told_of_a_new_account(scene: Scene) -> None:
    await say(scene, f"/start {await account_code(scene)}", name="Anna")
    await say(scene, f"/start {await account_code(scene)}", account="5", name="Anna's tablet")
    await scene.outbox.word_once()
    for conversation in ("stage:4711", "stage:5"):
        await scene.show_all(ConversationId(conversation))
    told = {(where, v.text): v for where, v, _ in scene.stage.shown if "speaks for you" in v.text}
    view = told["stage:4711", "Anna's tablet now speaks for you on Stage."]
    assert [button.says for button in view.buttons] == ["/unlink stage 5"]
    assert ("stage:5", "Anna's tablet now speaks for you on Stage.") not in told


async def test_a_known_account_cannot_change_its_person_by_a_code(scene: Scene) -> None:
    await say(scene, f"/start {await account_code(scene)}", name="Anna")
    bert = await scene.hub.services.registry.add_person("bert")
    invitation = await scene.hub.services.pairing.invite(bert.person_id, Purpose.ACCOUNT)
    [refused] = await say(scene, f"/start {invitation.code}", name="Anna")
    assert refused.startswith("⚠ This stage account speaks for anna already.")


async def test_guesses_in_the_chat_count_in_the_same_throttle(scene: Scene) -> None:
    answers = [await say(scene, "/start BBBB-BBBB", account="666") for _ in range(6)]
    assert all("wrong, used or expired" in text for [text] in answers[:4])
    assert all("Too many tries; pairing is paused for 15 minutes." in t for [t] in answers[4:])
    code = await account_code(scene)
    [paused] = await say(scene, f"/start {code}", account="666")
    assert "pairing is paused" in paused
    assert len(await say(scene, f"/start {code}", account="7")) == 2


async def test_codes_and_decisions_are_not_for_a_group(scene: Scene) -> None:
    await say(scene, f"/start {await account_code(scene)}", name="Anna")
    for text in ("/connect", "/pair BCDF-GHJK", "/approve K7Q2", "/reject K7Q2", "/unlink a b"):
        [refused] = await say(scene, text, in_group=True)
        assert "is not for a group" in refused
    # A code that is said in a group links nothing, and is not spent.
    code = await account_code(scene)
    await say(scene, f"/start {code}", in_group=True)
    assert len(await say(scene, f"/start {code}", account="5")) == 2
