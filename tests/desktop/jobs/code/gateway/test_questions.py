"""An agent's questions: one question however often it is asked, an answer whenever it comes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from desktop.jobs.code.gateway.questions import ASKED_MAX, OPEN_MAX
from tests.desktop.jobs.code.gateway.stand import Job, Stand, endpoint_at, stand

NOWHERE = endpoint_at("http://127.0.0.1:9", local=True)


async def ask(here: Stand, question: str, **more: object) -> list[dict[str, object]]:
    reply = await here.client.post("/deskhand/ask", json={"question": question, **more})
    assert reply.status_code == 200, reply.text
    return [json.loads(line) for line in reply.text.splitlines()]


async def test_an_answer_comes_back_after_signs_of_life(tmp_path: Path) -> None:
    async with stand(tmp_path, NOWHERE) as here:
        asked = {"question": "Which one?"}
        async with here.client.stream("POST", "/deskhand/ask", json=asked) as reply:
            lines = reply.aiter_lines()
            assert "waiting" in json.loads(await anext(lines))
            assert "waiting" in json.loads(await anext(lines))
            here.job.answer("Which one?", "the red one")
            rest = [json.loads(line) async for line in lines]
    assert rest[-1] == {"answer": "the red one"}


async def test_options_a_default_and_a_reason_reach_the_person(tmp_path: Path) -> None:
    async with stand(tmp_path, NOWHERE, job=Job(answers={"Red?": "no"})) as here:
        await ask(here, "Red?", options=["yes", "no"], default="yes", why="It matters.")
    asking = here.job.asked[0]
    assert [choice.label for choice in asking.choices] == ["yes", "no"]
    assert asking.default == "yes"
    assert asking.allow_text
    assert "It matters." in asking.text


async def test_who_cannot_wait_is_told_to_go_on_and_finds_the_answer_later(tmp_path: Path) -> None:
    async with stand(tmp_path, NOWHERE, ask_seconds_max=0.05) as here:
        first = await ask(here, "Which one?")
        (unheard,) = here.gateway.unheard()
        assert unheard.is_open
        here.job.answer("Which", "the red one")
        assert await unheard.task == "the red one"
        again = await ask(here, "which  ONE?")
        assert here.gateway.unheard() == ()
    assert "end your turn" in str(first[-1]["later"])
    assert again == [{"answer": "the red one"}]
    assert len(here.job.asked) == 1


async def test_the_same_question_asked_by_many_is_one(tmp_path: Path) -> None:
    async with stand(tmp_path, NOWHERE) as here, asyncio.TaskGroup() as tasks:
        asks = [tasks.create_task(ask(here, "Which one?")) for _ in range(8)]
        await here.job.was_asked.wait()
        here.job.answer("Which", "the red one")
    assert [one.result()[-1] for one in asks] == [{"answer": "the red one"}] * 8
    assert len(here.job.asked) == 1


async def test_who_hangs_up_leaves_the_question_open(tmp_path: Path) -> None:
    async with stand(tmp_path, NOWHERE) as here:
        asked = {"question": "Which one?"}
        async with here.client.stream("POST", "/deskhand/ask", json=asked) as reply:
            await anext(reply.aiter_lines())
        here.job.answer("Which", "the red one")
        assert await ask(here, "Which one?") == [{"answer": "the red one"}]
    assert len(here.job.asked) == 1


async def test_no_working_time_passes_while_a_person_is_asked(tmp_path: Path) -> None:
    async with stand(tmp_path, NOWHERE, ask_seconds_max=0.5) as here:
        before = here.gateway.spent.seconds
        await ask(here, "Which one?")
        assert here.gateway.spent.seconds - before < 0.4


async def test_only_so_many_questions_are_open_at_a_time(tmp_path: Path) -> None:
    async with stand(tmp_path, NOWHERE, ask_seconds_max=0.01) as here:
        for number in range(OPEN_MAX):
            assert "later" in (await ask(here, f"Number {number}?"))[-1]
        told = await ask(here, "One more?")
        assert "Decide by yourself" in str(told[-1]["later"])
        here.job.answer("Number", "yes")
        await here.gateway.unheard()[-1].task
        await asyncio.gather(*(one.task for one in here.gateway.unheard()))
        here.job.answer("One more?", "yes")
        assert (await ask(here, "One more?"))[-1] == {"answer": "yes"}


async def test_only_so_many_questions_are_asked_in_a_job(tmp_path: Path) -> None:
    async with stand(tmp_path, NOWHERE, job=Job(answers={"Number": "yes"})) as here:
        for number in range(ASKED_MAX):
            assert (await ask(here, f"Number {number}?"))[-1] == {"answer": "yes"}
        assert "Decide by yourself" in str((await ask(here, "Number x?"))[-1]["later"])
        assert (await ask(here, "Number 0?"))[-1] == {"answer": "yes"}
    assert len(here.job.asked) == ASKED_MAX


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{}", '{"question": 5}', '{"question": ""}', '{"question": "a", "options": 5}'],
)
async def test_what_is_no_question_is_told(body: str, tmp_path: Path) -> None:
    async with stand(tmp_path, NOWHERE) as here:
        reply = await here.client.post("/deskhand/ask", content=body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "question_invalid")
    assert here.job.asked == []


async def test_words_that_act_come_to_the_person_as_text(tmp_path: Path) -> None:
    job = Job(answers={"": "yes"})
    async with stand(tmp_path, NOWHERE, job=job) as here:
        await ask(here, "Red\x1b[2J\u202e?", options=["a\nb", "a\nb", " ", "x" * 5000] * 10)
    asking = job.asked[0]
    assert "\x1b" not in asking.text
    assert "\u202e" not in asking.text
    assert [choice.label for choice in asking.choices] == ["a b", "x" * 200]
