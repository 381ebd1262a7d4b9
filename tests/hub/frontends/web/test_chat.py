"""Conversations over HTTP: threads of tasks, words that are kept, and the talk with the hub."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hub.core.access import Scope
from hub.core.view import View
from hub.frontends.webchat import conversation_of
from shared.errors import ErrorBody
from shared.events import PurgeAsked
from shared.ids import JobId, QuestionId, TaskId
from shared.questions import Asking, Choice, QuestionKind
from tests.hub.frontends.web.browsing import Guest, open_guest
from tests.hub.frontends.world import PuppetWorker, World, open_world, until

QUESTION = QuestionId("019aa000-0000-7000-8000-000000000003")
ZONE = Asking(
    key="zone",
    kind=QuestionKind.CLARIFICATION,
    text="UTC or local time?",
    choices=(Choice(value="utc", label="UTC"), Choice(value="local", label="Local time")),
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


async def begun(world: World, worker: PuppetWorker) -> tuple[TaskId, JobId]:
    """A task whose job runs."""
    made = (await world.rest.post("/tasks", json={"kind": "ml.train", "inputs": {}})).json()
    grant = await worker.grant_of(JobId(made["job_id"]))
    await worker.starts(grant)
    await settled(worker)
    return TaskId(made["task_id"]), grant.job_id


async def settled(worker: PuppetWorker) -> None:
    await until(lambda: worker.acked == len(worker.log))


async def say(guest: Guest, path: str, text: str, words_id: str = "w1") -> str:
    return await guest.send(path, text=text, words_id=words_id)


async def test_no_task_no_thread_but_what_threads_are(guest: Guest) -> None:
    assert "Each task gets a conversation" in await guest.look("/chat")


async def test_a_thread_tells_what_was_asked_what_runs_and_what_came_out(
    world: World, guest: Guest, worker: PuppetWorker
) -> None:
    task_id, job_id = await begun(world, worker)
    told = await guest.look(f"/chat/{task_id}")
    assert "Started on anna-pc" in told
    assert "anna-pc is working." in told
    await worker.succeeds(await worker.grant_of(job_id), {"headline": "Model <b>ready</b>."})
    await settled(worker)
    told = await guest.look(f"/chat/{task_id}")
    assert "Model &lt;b&gt;ready&lt;/b&gt;." in told
    assert "is working" not in told


async def test_nobody_is_said_to_work_who_is_away(world: World, guest: Guest) -> None:
    worker = await world.pair()
    async with worker.online():
        task_id, _ = await begun(world, worker)
    await until(lambda: not world.hub.engine.connected())
    told = await guest.look(f"/chat/{task_id}")
    assert "is working" not in told
    assert 'class="dots"' not in told
    assert "anna-pc is asleep or offline" in told


async def test_words_in_a_thread_answer_its_open_question(
    world: World, guest: Guest, worker: PuppetWorker
) -> None:
    task_id, job_id = await begun(world, worker)
    await worker.asks(await worker.grant_of(job_id), ZONE, QUESTION)
    await settled(worker)
    assert "Local time" in await guest.look(f"/chat/{task_id}")
    told = await say(guest, f"/chat/{task_id}", "local time")
    assert "You on the web" in told
    question = await world.hub.services.views.question(QUESTION)
    assert question is not None
    assert question.answer is not None
    assert (question.answer.value, question.answer.by) == ("local", "me on the web")


async def test_words_that_ask_for_nothing_are_kept_and_count_once(
    world: World, guest: Guest, worker: PuppetWorker
) -> None:
    task_id, _ = await begun(world, worker)
    await say(guest, f"/chat/{task_id}", "Mind the <i>umlauts</i>.")
    told = await say(guest, f"/chat/{task_id}", "Mind the <i>umlauts</i>.")
    assert told.count("Mind the &lt;i&gt;umlauts&lt;/i&gt;.") == 1


async def test_what_nobody_can_do_is_told_beside_the_words(
    world: World, guest: Guest, worker: PuppetWorker
) -> None:
    task_id, _ = await begun(world, worker)
    told = await say(guest, f"/chat/{task_id}", "/trian it")
    assert told.index("/trian it") < told.index("There is no command /trian.")


async def test_a_command_in_a_thread_makes_a_job_of_the_same_task(
    world: World, guest: Guest, worker: PuppetWorker
) -> None:
    task_id, _ = await begun(world, worker)
    told = await say(guest, f"/chat/{task_id}", "/models")
    assert "Asked for: " in told
    cards = await world.hub.services.views.jobs_of_task(task_id)
    assert sorted(card.kind for card in cards) == ["ml.models", "ml.train"]


async def test_a_failure_can_be_tried_again_from_its_last_word(
    world: World, guest: Guest, worker: PuppetWorker
) -> None:
    task_id, job_id = await begun(world, worker)
    error = ErrorBody(code="x", message="It has 1 column.", hint="Add one.")
    await worker.fails(await worker.grant_of(job_id), error)
    await settled(worker)
    assert f"/retry {job_id}" in await guest.look(f"/chat/{task_id}")
    told = await say(guest, f"/chat/{task_id}", f"/retry {job_id}")
    assert f'value="/retry {job_id}"' not in told
    assert "Queued again by hand" in told


async def test_what_was_not_read_comes_first_and_is_counted(
    world: World, guest: Guest, worker: PuppetWorker
) -> None:
    await guest.look("/chat")
    first, job_id = await begun(world, worker)
    await worker.succeeds(await worker.grant_of(job_id), {"headline": "Ready."})
    await settled(worker)
    second, _ = await begun(world, worker)
    told = await guest.look("/chat")
    assert told.index(f"/chat/{first}") < told.index(f"/chat/{second}")
    assert 'class="badge">1<' in told
    await guest.look(f"/chat/{first}")
    told = await guest.look("/chat")
    assert told.index(f"/chat/{second}") < told.index(f"/chat/{first}")


async def test_threads_of_others_do_not_exist(
    world: World, guest: Guest, worker: PuppetWorker
) -> None:
    task_id, _ = await begun(world, worker)
    boris = await world.hub.services.registry.add_person("boris")
    async with open_guest(world, boris.person_id) as other:
        assert task_id not in await other.look("/chat")
        seen = await other.http.get(f"/chat/{task_id}")
        said = await other.post(f"/chat/{task_id}", text="hello", words_id="w")
        assert (seen.status_code, said.status_code) == (httpx.codes.NOT_FOUND,) * 2


async def test_the_owner_may_read_the_threads_of_others_but_not_speak_for_them(
    world: World, worker: PuppetWorker
) -> None:
    boris = await world.hub.services.registry.add_person("boris")
    key = await world.hub.services.keys.issue(boris.person_id, Scope.PERSON)
    headers = {"Authorization": f"Bearer {key}"}
    made = await world.rest.post("/tasks", json={"kind": "ml.train", "inputs": {}}, headers=headers)
    path = f"/chat/{made.json()['task_id']}"
    async with open_guest(world) as owner:
        told = await owner.look(f"{path}?who=everyone")
        assert 'id="words"' not in told
        said = await owner.post(f"{path}?who=everyone", text="hello", words_id="w")
        assert said.status_code == httpx.codes.UNPROCESSABLE_ENTITY


async def test_the_talk_with_the_hub_keeps_both_sides(guest: Guest) -> None:
    told = await say(guest, "/chat/desk", "/start")
    assert told.index("/start") < told.index("Deskhand runs work on your own computers.")


async def test_a_purged_task_leaves_no_words(
    world: World, guest: Guest, worker: PuppetWorker
) -> None:
    task_id, job_id = await begun(world, worker)
    await say(guest, f"/chat/{task_id}", "/trian it")
    await say(guest, f"/chat/{task_id}", "a secret word", "w2")
    await worker.succeeds(await worker.grant_of(job_id), {"headline": "Ready."})
    await settled(worker)
    before = await world.hub.database.read(
        lambda c: c.execute("SELECT count(*) FROM chat_messages").fetchone()[0]
    )
    assert before
    await worker.says(PurgeAsked(task_id=task_id))
    await settled(worker)
    left = await world.hub.database.read(
        lambda c: c.execute(
            "SELECT count(*) FROM chat_messages WHERE task_id = ? OR job_id = ?",
            (task_id, job_id),
        ).fetchone()[0]
    )
    assert left == 0
    # A message may have been on its way.
    owner = (await world.hub.services.registry.people())[0]
    chats, conversation = world.hub.services.chats, conversation_of(owner.person_id)
    late = View(text="a secret word", job_id=job_id)
    assert not await chats.show(conversation, late, "late")
    assert not await chats.said(conversation, "a secret word", "l", by="anna", task_id=task_id)
