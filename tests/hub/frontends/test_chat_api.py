"""Messages over REST: the thread of a task, the talk with the hub, and saying something once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hub.core.access import Scope
from shared.api.chat import MessagePage, MessageShown, Said
from shared.ids import JobId, QuestionId
from shared.questions import Asking, Choice, QuestionKind
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
async def worker(world: World) -> AsyncIterator[PuppetWorker]:
    paired = await world.pair()
    async with paired.online():
        yield paired


async def begun(world: World, worker: PuppetWorker) -> tuple[str, JobId]:
    made = (await world.rest.post("/tasks", json={"kind": "ml.train", "inputs": {}})).json()
    grant = await worker.grant_of(JobId(made["job_id"]))
    await worker.starts(grant)
    await until(lambda: worker.acked == len(worker.log))
    return made["task_id"], grant.job_id


async def page(world: World, path: str, **query: str | int) -> MessagePage:
    told = await world.rest.get(path, params=query)
    assert told.status_code == httpx.codes.OK, told.text
    return MessagePage.model_validate_json(told.content)


async def say(world: World, path: str, text: str, key: str = "") -> Said:
    headers = {"Idempotency-Key": key} if key else {}
    told = await world.rest.post(path, json={"text": text}, headers=headers)
    assert told.status_code == httpx.codes.OK, told.text
    return Said.model_validate_json(told.content)


def said(messages: tuple[MessageShown, ...]) -> list[tuple[str, str, str]]:
    return [(one.author, one.by, one.text) for one in messages if not one.is_note]


async def test_a_thread_is_told_with_names_and_without_you(
    world: World, worker: PuppetWorker
) -> None:
    task_id, job_id = await begun(world, worker)
    await worker.asks(await worker.grant_of(job_id), ZONE, QUESTION)
    await until(lambda: worker.acked == len(worker.log))
    assert (await say(world, f"/tasks/{task_id}/messages", "2")).answers == ()
    await say(world, f"/tasks/{task_id}/messages", "Thanks, that is it.")
    told = await page(world, f"/tasks/{task_id}/messages")
    assert said(told.messages) == [
        ("person", "me", "train"),
        ("worker", "anna-pc", "UTC or local time?"),
        ("person", "me on the API", "Local time"),
        ("person", "me on the API", "Thanks, that is it."),
    ]
    asked = next(one for one in told.messages if one.question_id)
    assert (asked.question_id, asked.tone) == (QUESTION, "asking")


async def test_a_thread_comes_in_pages_without_a_gap(world: World, worker: PuppetWorker) -> None:
    task_id, _ = await begun(world, worker)
    path = f"/tasks/{task_id}/messages"
    for number in range(7):
        await say(world, path, f"word {number}")
    whole = (await page(world, path)).messages
    collected: list[MessageShown] = []
    cursor = None
    while True:
        query: dict[str, str] = {"cursor": cursor} if cursor else {}
        told = await page(world, path, limit=3, **query)
        collected = [*told.messages, *collected]
        cursor = told.next_cursor
        if cursor is None:
            break
    assert [one.message_id for one in collected] == [one.message_id for one in whole]


async def test_the_same_message_under_one_key_is_said_once(
    world: World, worker: PuppetWorker
) -> None:
    task_id, _ = await begun(world, worker)
    path = f"/tasks/{task_id}/messages"
    await say(world, path, "once", key="k1")
    await say(world, path, "once", key="k1")
    assert [text for _, _, text in said((await page(world, path)).messages)].count("once") == 1


async def test_the_talk_with_the_hub_answers_at_once_and_is_kept(world: World) -> None:
    told = await say(world, "/chat/messages", "/start")
    assert told.answers[0].text.startswith("Deskhand runs work on your own computers.")
    kept = await page(world, "/chat/messages")
    assert said(kept.messages)[0] == ("person", "me on the API", "/start")
    assert said(kept.messages)[1][2] == told.answers[0].text
    first = await page(world, "/chat/messages", limit=1)
    assert first.next_cursor is not None
    older = await page(world, "/chat/messages", limit=1, cursor=first.next_cursor)
    assert said(older.messages) == [("person", "me on the API", "/start")]


async def test_threads_of_others_do_not_exist(world: World, worker: PuppetWorker) -> None:
    task_id, _ = await begun(world, worker)
    boris = await world.hub.services.registry.add_person("boris")
    key = await world.hub.services.keys.issue(boris.person_id, Scope.PERSON)
    headers = {"Authorization": f"Bearer {key}"}
    path = f"/tasks/{task_id}/messages"
    seen = await world.rest.get(path, headers=headers)
    told = await world.rest.post(path, json={"text": "hello"}, headers=headers)
    assert (seen.status_code, told.status_code) == (httpx.codes.NOT_FOUND,) * 2
    desk = await world.rest.get("/chat/messages", headers=headers)
    assert MessagePage.model_validate_json(desk.content).messages == ()


@pytest.mark.parametrize(
    "text",
    ["", "   ", "x" * 4001, "\ud800", None, 7],
    ids=["empty", "blank", "long", "half", "none", "number"],
)
async def test_what_is_no_message_is_refused(world: World, text: object) -> None:
    body = json.dumps({"text": text})
    told = await world.rest.post(
        "/chat/messages", content=body, headers={"Content-Type": "application/json"}
    )
    assert told.status_code == httpx.codes.UNPROCESSABLE_ENTITY, told.text
