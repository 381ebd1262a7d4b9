"""Sessions over REST: opened, followed, listed, renewed and ended; only by whose they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.core.session import AGE_SECONDS, IDLE_SECONDS
from shared.environment import Environment
from tests.hub.frontends.test_api import NOBODY, problem
from tests.hub.frontends.world import HastyClock, PuppetWorker, World, open_world, until

Object = dict[str, Any]


class WallClock(HastyClock):
    """Only the clock on the wall is ahead: lines live by the other one."""

    def monotonic(self) -> float:
        return super().monotonic() - self.ahead_seconds


@pytest.fixture
def clock() -> WallClock:
    return WallClock()


@pytest.fixture
async def world(tmp_path: Path, clock: WallClock) -> AsyncIterator[World]:
    async with open_world(tmp_path, Environment(clock=clock)) as opened:
        yield opened


@pytest.fixture
async def worker(world: World) -> AsyncIterator[PuppetWorker]:
    paired = await world.pair()
    async with paired.online():
        yield paired


@pytest.fixture
async def bob(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody else, with a key of their own."""
    made = (await world.rest.post("/people", json={"name": "bob"})).json()
    headers = {"Authorization": f"Bearer {made['key']}"}
    url = f"{world.url}/api/v1"
    async with httpx.AsyncClient(
        base_url=url, headers=headers, trust_env=False, verify=False
    ) as rest:
        yield rest


async def run(world: World, worker: PuppetWorker) -> Object:
    """Run a job to its end; its session."""
    made = (await world.rest.post("/tasks", json={"kind": "ml.models"})).json()
    grant = await worker.grant_of(made["job_id"])
    await worker.starts(grant)
    await worker.succeeds(grant, {"headline": "No models.", "models": []})
    await until(lambda: worker.acked == len(worker.log))
    [session] = await sessions(world, task_id=made["task_id"])
    return session


async def sessions(world: World, **query: object) -> list[Object]:
    answer = await world.rest.get("/sessions", params=query)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    found: list[Object] = answer.json()["sessions"]
    return found


async def test_a_session_says_whose_where_and_how_long(
    world: World, worker: PuppetWorker, clock: WallClock
) -> None:
    session = await run(world, worker)
    assert (session["worker_name"], session["worker_id"]) == ("anna-pc", worker.worker_id)
    assert (session["is_open"], session["takes_follow_ups"], session["jobs"]) == (True, True, 1)
    same = (await world.rest.get(f"/sessions/{session['session_id']}")).json()
    assert same == session
    clock.ahead_seconds = IDLE_SECONDS + 5
    late = (await world.rest.get(f"/sessions/{session['session_id']}")).json()
    assert (late["is_open"], late["takes_follow_ups"]) == (True, False), "nobody swept it yet"
    await world.hub.services.sessions.run_once()
    over = (await world.rest.get(f"/sessions/{session['session_id']}")).json()
    assert (over["is_open"], over["reason"], over["lives_until"]) == (False, "idle", None)


async def test_a_follow_up_runs_in_the_session_of_its_task(
    world: World, worker: PuppetWorker, clock: WallClock
) -> None:
    session = await run(world, worker)
    path = f"/tasks/{session['task_id']}/jobs"
    made = await world.rest.post(path, json={"kind": "ml.models"})
    assert made.status_code == 201, made.text
    assert made.json()["session_id"] == session["session_id"]
    clock.ahead_seconds = AGE_SECONDS + 5
    await world.hub.services.sessions.run_once()
    body = {"kind": "ml.models", "session_id": session["session_id"]}
    problem(await world.rest.post(path, json=body), 409, "session_ended")


async def test_one_is_opened_by_hand_renewed_and_ended(
    world: World, worker: PuppetWorker, clock: WallClock
) -> None:
    task_id = (await run(world, worker))["task_id"]
    other = await world.pair("studio-mac")
    body = {"task_id": task_id, "worker": "Studio-Mac"}
    made = await world.rest.post("/sessions", json=body)
    assert made.status_code == 201
    session = made.json()
    assert made.headers["location"] == f"/api/v1/sessions/{session['session_id']}"
    assert (session["worker_id"], session["jobs"]) == (other.worker_id, 0)
    again = (await world.rest.post("/sessions", json=body)).json()
    assert again["session_id"] == session["session_id"]

    clock.ahead_seconds = IDLE_SECONDS - 60
    path = f"/sessions/{session['session_id']}"
    renewed = (await world.rest.post(f"{path}/heartbeat")).json()
    assert renewed["active_at"] > session["active_at"]
    assert renewed["opened_at"] == session["opened_at"]
    await world.rest.post(f"{path}/terminate")
    ended = (await world.rest.post(f"{path}/terminate")).json()
    assert (ended["is_open"], ended["reason"], ended["ended_by"]) == (
        False, "person", "me on the API",
    )  # fmt: skip
    problem(await world.rest.post(f"{path}/heartbeat"), 409, "session_ended")


async def test_lists_are_filtered_and_come_in_pages(world: World, worker: PuppetWorker) -> None:
    made = [(await run(world, worker))["session_id"] for _ in range(3)]
    await world.rest.post(f"/sessions/{made[0]}/terminate")
    assert [one["session_id"] for one in await sessions(world)] == made[::-1]
    assert [one["session_id"] for one in await sessions(world, is_open=True)] == made[:0:-1]
    assert [one["session_id"] for one in await sessions(world, is_open=False)] == made[:1]
    assert await sessions(world, worker_id=NOBODY) == []
    page = (await world.rest.get("/sessions", params={"limit": 2})).json()
    rest = (await world.rest.get("/sessions", params={"cursor": page["next_cursor"]})).json()
    assert [one["session_id"] for one in rest["sessions"]] == made[:1]
    assert rest["next_cursor"] is None


async def test_what_is_not_ones_own_does_not_exist(
    world: World, worker: PuppetWorker, bob: httpx.AsyncClient
) -> None:
    session = await run(world, worker)
    path = f"/sessions/{session['session_id']}"
    assert (await bob.get("/sessions")).json()["sessions"] == []
    for answer in (
        await bob.get(path),
        await bob.post(f"{path}/heartbeat"),
        await bob.post(f"{path}/terminate"),
    ):
        problem(answer, 404, "session_unknown")
    body = {"task_id": session["task_id"], "worker": "anna-pc"}
    problem(await bob.post("/sessions", json=body), 404, "task_unknown")
    follow = {"kind": "ml.models"}
    problem(await bob.post(f"/tasks/{session['task_id']}/jobs", json=follow), 404, "task_unknown")
    assert (await world.rest.get(path)).json()["is_open"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"task_id": "x", "worker": "anna-pc"}, "request_invalid"),
        ({"task_id": NOBODY}, "request_invalid"),
        ({"task_id": NOBODY, "worker": "anna-pc", "more": 1}, "request_invalid"),
    ],
    ids=["id", "no worker", "unknown field"],
)
async def test_bodies_are_strict(world: World, body: Object, code: str) -> None:
    problem(await world.rest.post("/sessions", json=body), 422, code)


async def test_what_is_unknown_is_said(world: World, worker: PuppetWorker) -> None:
    session = await run(world, worker)
    body = {"task_id": NOBODY, "worker": "anna-pc"}
    problem(await world.rest.post("/sessions", json=body), 404, "task_unknown")
    body = {"task_id": session["task_id"], "worker": "nobody"}
    problem(await world.rest.post("/sessions", json=body), 404, "worker_unknown")
    problem(await world.rest.get(f"/sessions/{NOBODY}"), 404, "session_unknown")
