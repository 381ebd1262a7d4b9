"""Idempotency-Key: the same request under the same key makes nothing twice, and is answered."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.core.answer import KEPT, Answer
from shared.environment import Environment
from shared.errors import AppError, Conflict
from shared.ids import PersonId
from tests.hub.frontends.test_api import problem
from tests.hub.frontends.world import HastyClock, World, open_world
from tests.hub.worlds import World as Workshop

ANNA = PersonId("anna")
ANSWER = Answer(status=201, headers=(("location", "/x"),), body=b'{"a": 1}')


async def person(world: World, key: str, name: str = "Ben", **headers: str) -> httpx.Response:
    return await world.rest.post(
        "/people", json={"name": name}, headers={"Idempotency-Key": key, **headers}
    )


def contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.iterdir() if path.is_file()]


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    workshop = Workshop(tmp_path)
    yield workshop
    workshop.database.close()


async def names(world: World) -> list[str]:
    people = (await world.rest.get("/people")).json()["people"]
    return sorted(one["name"] for one in people)


async def test_the_same_request_under_the_same_key_gets_the_first_answer(world: World) -> None:
    first, again = await person(world, "k"), await person(world, "k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["content-type"] == "application/json"
    assert await names(world) == ["Ben", "me"]
    assert (await person(world, "other")).json() != first.json()


async def test_another_request_under_the_same_key_is_refused(world: World) -> None:
    await person(world, "k")
    problem(await person(world, "k", "Ada"), 422, "dedupe_reused")
    elsewhere = await world.rest.post(
        "/invitations", json={"name": "Ben"}, headers={"Idempotency-Key": "k"}
    )
    problem(elsewhere, 422, "dedupe_reused")
    assert await names(world) == ["Ben", "me"]


async def test_what_was_refused_may_come_again(world: World) -> None:
    problem(await person(world, "k", ""), 422, "request_invalid")
    assert (await person(world, "k")).status_code == 201


async def test_keys_of_two_people_are_two(world: World) -> None:
    key = (await person(world, "k")).json()["key"]
    as_ben = {"Authorization": f"Bearer {key}"}
    mine = await world.rest.post("/invitations", json={}, headers={"Idempotency-Key": "i"})
    bens = await world.rest.post(
        "/invitations", json={}, headers={"Idempotency-Key": "i", **as_ben}
    )
    assert mine.json()["code"] != bens.json()["code"]
    problem(await person(world, "k", Authorization="Bearer nonsense"), 401, "key_invalid")


@pytest.mark.parametrize("key", ["", "x" * 201], ids=["empty", "long"])
async def test_a_key_that_is_none_is_refused(world: World, key: str) -> None:
    problem(await person(world, key), 422, "dedupe_invalid")


async def test_a_task_under_the_same_key_with_other_words_is_refused(world: World) -> None:
    once = {"Idempotency-Key": "t"}
    body: dict[str, Any] = {"kind": "ml.models", "text": "Which models?"}
    first = await world.rest.post("/tasks", json=body, headers=once)
    again = await world.rest.post("/tasks", json=body, headers=once)
    assert first.json()["task_id"] == again.json()["task_id"]
    for other in ({"text": "x"}, {"title": "x"}, {"priority": "high"}):
        refused = await world.rest.post("/tasks", json={**body, **other}, headers=once)
        problem(refused, 422, "dedupe_reused")


async def test_twenty_at_once_make_one(world: World) -> None:
    answers = await asyncio.gather(*(person(world, "k") for _ in range(20)))
    made = [a for a in answers if a.status_code == 201]
    assert {a.json()["person_id"] for a in made} == {made[0].json()["person_id"]}
    for refused in (a for a in answers if a.status_code != 201):
        problem(refused, 409, "dedupe_running")
        assert refused.headers["retry-after"] == "1"
    assert await names(world) == ["Ben", "me"]


async def test_answers_are_kept_for_a_day(tmp_path: Path) -> None:
    clock = HastyClock()
    async with open_world(tmp_path, Environment(clock=clock)) as world:
        first = await person(world, "k")
        clock.ahead_seconds = KEPT.total_seconds() - 60
        assert (await person(world, "k")).json() == first.json()
        clock.ahead_seconds = KEPT.total_seconds() + 60
        assert (await person(world, "k")).json() != first.json()


async def test_no_secret_of_an_answer_can_be_read_in_the_store(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        told = (await person(world, "a-key-of-mine")).json()
    secret = told["key"].split("_", 3)[3]
    assert not any(secret.encode() in content for content in contents(tmp_path))
    with sqlite3.connect(tmp_path / "hub.sqlite3") as connection:
        [(name, sealed)] = connection.execute("SELECT name, sealed FROM answers").fetchall()
    connection.close()
    assert "a-key-of-mine" not in name
    assert sealed


async def test_a_hub_that_was_killed_in_the_middle_says_so(workshop: Workshop) -> None:
    assert await workshop.services.once.begin(ANNA, "k", "d") is None
    with pytest.raises(Conflict) as running:
        await workshop.services.once.begin(ANNA, "k", "d")
    assert running.value.code == "dedupe_running"
    await workshop.restart()
    with pytest.raises(AppError) as unfinished:
        await workshop.services.once.begin(ANNA, "k", "d")
    assert unfinished.value.code == "dedupe_unfinished"


async def test_an_answer_outlives_the_hub(workshop: Workshop) -> None:
    assert await workshop.services.once.begin(ANNA, "k", "d") is None
    await workshop.services.once.finish(ANNA, "k", ANSWER)
    await workshop.restart()
    assert await workshop.services.once.begin(ANNA, "k", "d") == ANSWER
