"""The chat over a real socket, from a person's words to a worker and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Origin

from hub.core.view import Tone
from hub.frontends.console_client import open_chat
from shared.errors import AppError, ErrorBody
from shared.ids import QuestionId, short
from shared.questions import Asking, Choice, QuestionKind
from tests.hub.frontends.world import World, open_world, until

QUESTION = QuestionId("019aa000-0000-7000-8000-000000000003")
SECOND_QUESTION = QuestionId("019aa000-0000-7000-8000-000000000004")
WHICH_FILE = Asking(
    key="file",
    kind=QuestionKind.CLARIFICATION,
    text="Which file?",
    choices=(Choice(value="/d/a.csv", label="a.csv"), Choice(value="/d/b.csv", label="b.csv")),
)
FAILURE = ErrorBody(code="one_column", message="It has 1 column.", hint="Add one.")


async def test_a_sentence_goes_through_hub_and_worker_and_comes_back(world: World) -> None:
    worker = await world.pair()
    async with world.chat() as chat, worker.online():
        assert await chat.say("/train") == []
        grant = await worker.any_grant()
        await worker.starts(grant)
        await worker.asks(grant, WHICH_FILE, QUESTION)
        question = await chat.view(lambda view: view.tone is Tone.ASKING)
        assert [button.label for button in question.buttons] == ["a.csv", "b.csv"]

        assert await chat.say("b") == []
        answered = await chat.view(lambda view: view.tone is Tone.DONE)
        assert answered.text == "Which file?\nAnswered by you on the console: b.csv"
        assert answered.subject == question.subject

        await worker.succeeds(grant, {"headline": "Model ready.", "notes": ["Strongest: x."]})
        final = await chat.view(lambda view: view.final)
        assert final.text == "Model ready.\nStrongest: x."


async def test_a_question_and_its_answer_are_one_message(world: World) -> None:
    worker = await world.pair()
    async with world.chat() as chat, worker.online():
        await chat.say("/train")
        grant = await worker.any_grant()
        await worker.asks(grant, WHICH_FILE, QUESTION)
        await chat.view(lambda view: view.tone is Tone.ASKING)
        await chat.say("1")
        await chat.view(lambda view: view.tone is Tone.DONE)
        refs = [ref for ref, view in chat.shown if view.subject == f"question:{QUESTION}"]
        assert len(refs) == 2
        assert len(set(refs)) == 1


async def test_an_answer_that_fits_nothing_is_told_what_would(world: World) -> None:
    worker = await world.pair()
    async with world.chat() as chat, worker.online():
        await chat.say("/train")
        await worker.asks(await worker.any_grant(), WHICH_FILE, QUESTION)
        await chat.view(lambda view: view.tone is Tone.ASKING)
        [refused] = await chat.say("purple")
        assert refused.text == (
            "⚠ 'purple' is none of the answers to this question. Answer with one of: a.csv, b.csv."
        )


async def test_with_two_questions_open_words_are_asked_which_and_a_number_means_the_newest(
    world: World,
) -> None:
    worker = await world.pair()
    async with world.chat() as chat, worker.online():
        await chat.say("/train")
        first = await worker.any_grant()
        await worker.asks(first, WHICH_FILE, QUESTION)
        await chat.view(lambda view: view.question_id == QUESTION)
        await chat.say("/describe")
        await until(lambda: len(worker.grants) == 2)
        await worker.asks(list(worker.grants.values())[1], WHICH_FILE, SECOND_QUESTION)
        second = await chat.view(lambda view: view.question_id == SECOND_QUESTION)
        assert "asks: Which file?" in second.text

        [which] = await chat.say("a.csv")
        assert which.text.startswith("2 questions are open. Which one does this answer?")
        assert which.buttons[1].says == f"/answer {SECOND_QUESTION} a.csv"
        await chat.say("1")
        newest = await chat.view(lambda view: view.tone is Tone.DONE)
        assert newest.question_id == SECOND_QUESTION
        await chat.say(f"#{short(first.job_id)} b.csv")
        other = await chat.view(lambda view: view.tone is Tone.DONE)
        assert other.question_id == QUESTION


async def test_a_failure_is_one_last_word_with_a_way_on(world: World) -> None:
    worker = await world.pair()
    async with world.chat() as chat, worker.online():
        await chat.say("/train a.csv y")
        grant = await worker.any_grant()
        await worker.starts(grant)
        await worker.fails(grant, FAILURE)
        final = await chat.view(lambda view: view.final)
        assert final.text == "⚠ Training on anna-pc failed. It has 1 column. Add one."
        assert [button.label for button in final.buttons] == ["Try again"]


async def test_cancel_says_so_once_the_worker_has_stopped(world: World) -> None:
    worker = await world.pair()
    async with world.chat() as chat, worker.online():
        await chat.say("/train a.csv y")
        grant = await worker.any_grant()
        await worker.starts(grant)
        assert await chat.say(f"/cancel {short(grant.job_id)}") == []
        await until(lambda: bool(worker.cancels))
        assert chat.finals == []
        await worker.stops(grant)
        final = await chat.view(lambda view: view.final)
        assert final.text.startswith("Cancelled: ")


async def test_a_waiting_job_can_be_cancelled_at_once(world: World) -> None:
    await world.pair()
    async with world.chat() as chat:
        await chat.say("/models")
        waiting = await chat.view(lambda view: view.tone is Tone.WAITING)
        assert "anna-pc is asleep or offline (last seen " in waiting.text
        assert waiting.text.endswith("). Queued; starts when it is back.")
        await chat.say(waiting.buttons[0].says)
        final = await chat.view(lambda view: view.final)
        assert final.text.startswith("Cancelled: ")


async def test_progress_edits_one_message_and_the_last_word_settles_it(world: World) -> None:
    worker = await world.pair()
    async with world.chat() as chat, worker.online():
        await chat.say("/train a.csv y")
        grant = await worker.any_grant()
        await worker.starts(grant)
        await chat.view(lambda view: view.tone is Tone.RUNNING)
        await worker.tells(grant, 3, 5)
        progress = await chat.view(lambda view: view.progress is not None)
        assert progress.text == "Training on anna-pc ▓▓▓░░ 3 of 5 models"
        await worker.succeeds(grant, {"headline": "Model ready."})
        await chat.view(lambda view: view.final)
        statuses = {ref for ref, view in chat.shown if view.is_status}
        assert len(statuses) == 1
        assert chat.shown[-2][1].text == "✓ Training on anna-pc took 1 s."
        assert chat.shown[-1][0] not in statuses


async def test_fifty_steps_of_progress_are_a_few_messages(world: World) -> None:
    worker = await world.pair()
    async with world.chat() as chat, worker.online():
        await chat.say("/train a.csv y")
        grant = await worker.any_grant()
        await worker.starts(grant)
        await chat.view(lambda view: view.tone is Tone.RUNNING)
        for step in range(50):
            await worker.tells(grant, step, 50)
        await chat.view(lambda view: view.progress is not None and view.progress.done == 49)
        await worker.succeeds(grant, {"headline": "Model ready."})
        await chat.view(lambda view: view.final)
        assert len([view for _, view in chat.shown if view.progress]) <= 3


async def test_what_happened_while_nobody_watched_is_shown_on_return(world: World) -> None:
    worker = await world.pair()
    async with worker.online():
        async with world.chat() as chat:
            await chat.say("/train a.csv y")
            grant = await worker.any_grant()
        await worker.succeeds(grant, {"headline": "Model ready."})
        async with world.chat() as later:
            final = await later.view(lambda view: view.final)
            assert final.text == "Model ready."


async def test_a_terminal_that_dies_before_it_says_seen_has_not_seen(world: World) -> None:
    worker = await world.pair()
    url = world.url.replace("http", "ws", 1) + "/api/v1/chat/ws"
    headers = {"Authorization": f"Bearer {world.admin_key}"}
    async with worker.online():
        async with connect(url, additional_headers=headers, proxy=None) as dying:
            await dying.send(json.dumps({"type": "say", "id": "1", "text": "/models"}))
            await worker.succeeds(await worker.any_grant(), {"headline": "No models."})
            while "No models." not in str(await dying.recv()):
                pass
        async with world.chat() as chat:
            final = await chat.view(lambda view: view.final)
            assert final.text == "No models."


async def test_two_terminals_of_one_person_show_the_same(world: World) -> None:
    worker = await world.pair()
    async with world.chat() as left, world.chat() as right, worker.online():
        await left.say("/train a.csv y")
        await worker.succeeds(await worker.any_grant(), {"headline": "Model ready."})
        await left.view(lambda view: view.final)
        await right.view(lambda view: view.final)
        assert [v.text for v in left.finals] == [v.text for v in right.finals] == ["Model ready."]


async def test_the_same_words_twice_make_one_job(world: World) -> None:
    worker = await world.pair()
    async with world.chat() as chat, worker.online():
        await chat.say("/train a.csv y", "update 7")
        await chat.say("/train a.csv y", "update 7")
        await worker.any_grant()
        jobs = (await world.rest.get("/jobs")).json()["jobs"]
        assert len(jobs) == 1


async def test_a_person_sees_nothing_of_another_person(world: World) -> None:
    made = (await world.rest.post("/people", json={"name": "Ben"})).json()
    worker = await world.pair()
    async with world.chat() as owner, world.chat(made["key"]) as ben, worker.online():
        await owner.say("/train a.csv y")
        grant = await worker.any_grant()
        [start] = await ben.say("/start")
        assert "No computer is connected yet." in start.text
        [jobs] = await ben.say("/jobs")
        assert jobs.text == "No jobs yet. /train makes the first one."
        [refused] = await ben.say(f"/cancel {grant.job_id}")
        assert refused.tone is Tone.FAILED
        await worker.succeeds(grant, {"headline": "Model ready."})
        await owner.view(lambda view: view.final)
        assert ben.finals == []


async def test_a_hub_that_stops_and_starts_again_shows_each_last_word_once(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        worker = await world.pair()
        async with worker.online():
            async with world.chat() as chat:
                await chat.say("/models")
                await worker.succeeds(await worker.any_grant(), {"headline": "First."})
                await chat.view(lambda view: view.final)
                worker.grants.clear()
                await chat.say("/models")
                grant = await worker.any_grant()
            await worker.succeeds(grant, {"headline": "Second."})
            await until(lambda: worker.acked == len(worker.log))
    async with open_world(tmp_path) as again, again.chat() as chat:
        final = await chat.view(lambda view: view.final)
        assert final.text == "Second."
        await chat.say("/help")
        assert len(chat.finals) == 1


@pytest.mark.parametrize(
    ("key", "code"),
    [("", "key_missing"), ("nonsense", "key_invalid"), ("dh_admin_x_y", "key_invalid")],
)
async def test_without_a_good_key_the_chat_says_why_it_is_closed(
    world: World, key: str, code: str
) -> None:
    with pytest.raises(AppError) as caught:
        async with open_chat(world.url, key):
            pass
    assert caught.value.code == code
    assert caught.value.hint


async def test_a_workers_token_does_not_open_the_chat(world: World) -> None:
    worker = await world.pair()
    with pytest.raises(AppError) as caught:
        async with open_chat(world.url, worker.token):
            pass
    assert caught.value.code == "key_scope"


@pytest.mark.parametrize(
    "frame",
    ["", "{", "[]", '{"type":"say"}', '{"type":"shout","id":"1","text":"x"}', b"\x00",
     json.dumps({"type": "say", "id": "1", "text": "x" * 100_000}),
     "[" * 10_000],
)  # fmt: skip
async def test_a_broken_frame_is_told_so_and_the_chat_goes_on(
    world: World, frame: str | bytes
) -> None:
    url = world.url.replace("http", "ws", 1) + "/api/v1/chat/ws"
    headers = {"Authorization": f"Bearer {world.admin_key}"}
    async with connect(url, additional_headers=headers, proxy=None) as socket:
        await socket.recv()
        await socket.send(frame)
        told = json.loads(await socket.recv())
        assert told["type"] == "error"
        assert told["error"]["code"] in ("frame_invalid", "frame_too_large")
        await socket.send(json.dumps({"type": "say", "id": "2", "text": "/help"}))
        assert json.loads(await socket.recv())["type"] == "message"


async def test_a_web_page_does_not_open_the_chat(world: World) -> None:
    url = world.url.replace("http", "ws", 1) + "/api/v1/chat/ws"
    headers = {"Authorization": f"Bearer {world.admin_key}"}
    async with connect(
        url, additional_headers=headers, origin=Origin("https://evil.example"), proxy=None
    ) as socket:
        told = json.loads(await socket.recv())
    assert told["error"]["code"] == "origin_not_allowed"
