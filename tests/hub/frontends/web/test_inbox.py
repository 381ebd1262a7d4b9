"""The question inbox over HTTP: what waits for a person, answering it, and coming second."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from shared.ids import JobId, QuestionId
from shared.questions import Asking, Choice, QuestionKind
from tests.hub.frontends.web.browsing import Guest, open_guest
from tests.hub.frontends.world import PuppetWorker, World, open_world, until
from tests.pairing import Computer

QUESTION = QuestionId("019aa000-0000-7000-8000-000000000003")
ZONE = Asking(
    key="zone",
    kind=QuestionKind.CLARIFICATION,
    text="The test expects UTC but the config says local time. <b>Which one</b>?",
    choices=(Choice(value="utc", label="UTC"), Choice(value="local", label="Local time")),
    allow_text=True,
    default="utc",
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


@pytest.fixture
async def guest(world: World) -> AsyncIterator[Guest]:
    async with open_guest(world) as opened:
        yield opened


@pytest.fixture
async def worker(world: World) -> AsyncIterator[PuppetWorker]:
    paired = await world.pair()
    async with paired.online():
        yield paired


async def asks(world: World, worker: PuppetWorker, asking: Asking = ZONE) -> JobId:
    made = await world.rest.post("/tasks", json={"kind": "ml.train", "inputs": {}})
    job_id = JobId(made.json()["job_id"])
    grant = await worker.grant_of(job_id)
    await worker.starts(grant)
    await worker.asks(grant, asking, QUESTION)
    await until(lambda: worker.acked == len(worker.log))
    return job_id


async def test_an_empty_inbox_says_what_comes_here(guest: Guest) -> None:
    told = await guest.look("/inbox")
    assert "Nothing waits for you." in told
    assert "<title>Questions" in told


async def test_a_question_shows_its_choices_its_computer_and_its_default(
    world: World, guest: Guest, worker: PuppetWorker
) -> None:
    await asks(world, worker)
    told = await guest.look("/inbox")
    assert "<title>(1) Questions" in told
    assert "on anna-pc" in told
    assert "&lt;b&gt;Which one&lt;/b&gt;?" in told
    assert 'value="local"' in told
    assert "it takes UTC." in told


async def test_an_answer_settles_it_and_says_so(
    world: World, guest: Guest, worker: PuppetWorker
) -> None:
    await asks(world, worker)
    said = await guest.send(f"/questions/{QUESTION}/answer", reply="local", back="/inbox")
    assert "Answered: Local time" in said
    assert "Answered by you on the web: Local time" in said
    question = await world.hub.services.views.question(QUESTION)
    assert question is not None
    assert question.answer is not None
    assert (question.answer.value, question.answer.by) == ("local", "me on the web")


async def test_whoever_comes_second_is_told_who_was_first(
    world: World, guest: Guest, worker: PuppetWorker
) -> None:
    await asks(world, worker)
    await world.rest.post(f"/questions/{QUESTION}/answer", json={"reply": "utc"})
    said = await guest.send(f"/questions/{QUESTION}/answer", reply="local", back="/inbox")
    assert "Answered first by you on the API: UTC" in said


async def test_words_that_fit_no_answer_are_told_what_does(
    world: World, guest: Guest, worker: PuppetWorker
) -> None:
    await asks(world, worker, ZONE.model_copy(update={"allow_text": False}))
    said = await guest.send(f"/questions/{QUESTION}/answer", reply="purple", back="/inbox")
    assert "is none of the answers to this question" in said
    assert "<textarea" not in said


async def test_free_words_answer_where_they_are_welcome(
    world: World, guest: Guest, worker: PuppetWorker
) -> None:
    await asks(world, worker)
    await guest.send(f"/questions/{QUESTION}/answer", reply="Mars time", back="/inbox")
    question = await world.hub.services.views.question(QUESTION)
    assert question is not None
    assert question.answer is not None
    assert question.answer.value == "Mars time"


async def test_an_answer_leads_nowhere_else(
    world: World, guest: Guest, worker: PuppetWorker
) -> None:
    await asks(world, worker)
    sent = await guest.post(
        f"/questions/{QUESTION}/answer", reply="utc", back="//elsewhere.example/x"
    )
    assert sent.headers["location"] == "/inbox"


async def test_the_questions_of_others_do_not_exist(
    world: World, guest: Guest, worker: PuppetWorker
) -> None:
    await asks(world, worker)
    boris = await world.hub.services.registry.add_person("boris")
    async with open_guest(world, boris.person_id) as other:
        assert "Which one" not in await other.look("/inbox")
        sent = await other.post(f"/questions/{QUESTION}/answer", reply="utc")
        assert sent.status_code == httpx.codes.NOT_FOUND
    question = await world.hub.services.views.question(QUESTION)
    assert question is not None
    assert question.answer is None


async def test_an_approval_has_no_default_and_no_first_choice(
    world: World, guest: Guest, worker: PuppetWorker
) -> None:
    push = Asking(
        key="push",
        kind=QuestionKind.APPROVAL,
        text="Push it?",
        choices=(Choice(value="yes", label="Push"), Choice(value="no", label="Discard")),
    )
    await asks(world, worker, push)
    told = await guest.look("/inbox")
    assert "Asks you to allow" in told
    assert "the job is put aside and waits for you" in told
    assert 'class="primary" name="reply"' not in told


async def test_a_computer_is_let_in_here_after_its_words_were_compared(
    world: World, guest: Guest
) -> None:
    owner = (await world.hub.services.registry.people())[0]
    invitation = await world.hub.services.pairing.invite(owner.person_id)
    computer = Computer("studio-mac", platform="macOS 15")
    asked = await computer.ask(world.hub.services, invitation.code)
    told = await guest.look("/inbox")
    assert "studio-mac (macOS 15) wants to join." in told
    [request] = await world.hub.services.admissions.requests(owner.person_id)
    assert f"<strong>{request.words}</strong>" in told
    said = await guest.send(f"/joins/{asked.join_id}", decision="approve")
    assert "studio-mac was let in." in said
    assert "wants to join" not in await guest.look("/inbox")
    assert (await computer.token(world.hub.services, asked)).worker_name == "studio-mac"
