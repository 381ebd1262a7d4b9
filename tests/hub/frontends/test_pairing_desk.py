"""The pairing desk over real HTTP: lines that are held open, and what ends them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx

from tests.hub.frontends.test_api import problem
from tests.hub.frontends.world import World, open_world
from tests.pairing import Computer

AT_ONCE_SECONDS = 5.0
"""Far less than a line is held open."""


async def noted_of(world: World, computer: Computer) -> dict[str, Any]:
    """Let a computer ask with a new code."""
    code = (await world.rest.post("/invitations", json={})).json()["code"]
    asked = await world.rest.post("/pairings", json={"code": code, **computer.body})
    assert asked.status_code == 202
    noted: dict[str, Any] = asked.json()
    assert (noted["person_name"], noted["user_code"]) == ("me", "")
    return noted


async def wants_token(world: World, computer: Computer, noted: dict[str, Any]) -> httpx.Response:
    signed = {"signature": computer.signature(noted)}
    return await world.rest.post(f"/pairings/{noted['pairing_id']}/token", json=signed, timeout=30)


async def on_the_line(world: World, noted: dict[str, Any]) -> None:
    """Return once a computer waits for its token."""
    lines = world.hub.services.pairing._lines._bells
    async with asyncio.timeout(AT_ONCE_SECONDS):
        while not lines.get(noted["pairing_id"]):  # noqa: ASYNC110 - no bell rings for this
            await asyncio.sleep(0.005)


async def test_a_yes_is_told_at_once_to_a_computer_that_waits(world: World) -> None:
    pc = Computer()
    noted = await noted_of(world, pc)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(wants_token(world, pc, noted))
        await on_the_line(world, noted)
        began = time.monotonic()
        await world.rest.post(f"/pairings/{noted['pairing_id']}/approve")
    assert time.monotonic() - began < AT_ONCE_SECONDS
    assert waiting.result().status_code == 200
    assert waiting.result().json()["token"].startswith("dh_worker_")


async def test_a_no_is_told_at_once_too(world: World) -> None:
    pc = Computer()
    noted = await noted_of(world, pc)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(wants_token(world, pc, noted))
        await on_the_line(world, noted)
        await world.rest.post(f"/pairings/{noted['pairing_id']}/reject")
    problem(waiting.result(), 403, "pairing_rejected")


async def test_a_hub_that_stops_holds_no_line(world: World) -> None:
    pc = Computer()
    noted = await noted_of(world, pc)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(wants_token(world, pc, noted))
        await on_the_line(world, noted)
        world.hub.services.pairing.close()
    problem(waiting.result(), 409, "pairing_waiting")
    problem(await wants_token(world, pc, noted), 409, "pairing_waiting")


async def test_few_lines_are_held_for_one_computer(world: World) -> None:
    pc = Computer()
    noted = await noted_of(world, pc)
    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(wants_token(world, pc, noted)) for _ in range(6)]
        async with asyncio.timeout(AT_ONCE_SECONDS):
            while sum(answer.done() for answer in waiting) < 3:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.005)
        done = [answer for answer in waiting if answer.done()]
        held = [answer for answer in waiting if not answer.done()]
        assert len(held) == 3
        await world.rest.post(f"/pairings/{noted['pairing_id']}/approve")
    assert {answer.result().status_code for answer in done} == {409}
    # Each of them has a token; the last one holds.
    assert {answer.result().status_code for answer in held} == {200}


async def test_wrong_signatures_and_expiry_have_their_codes(tmp_path: Any) -> None:
    from shared.environment import Environment
    from tests.hub.frontends.world import HastyClock

    clock = HastyClock()
    async with open_world(tmp_path, Environment(clock=clock)) as world:
        pc, thief = Computer(), Computer()
        noted = await noted_of(world, pc)
        problem(await wants_token(world, thief, noted), 401, "pairing_signature_wrong")
        clock.ahead_seconds = 601
        problem(await wants_token(world, pc, noted), 410, "pairing_expired")
        late = await world.rest.post(f"/pairings/{noted['pairing_id']}/approve")
        problem(late, 409, "join_expired")


async def test_a_computer_without_a_code_is_given_one_to_show(world: World) -> None:
    asked = await world.rest.post("/pairings", json=Computer().body)
    noted = asked.json()
    assert (asked.status_code, len(noted["user_code"]), noted["person_name"]) == (202, 9, "")
    # Nobody's computer is nobody's to decide on.
    assert (await world.rest.get("/pairings")).json()["pairings"] == []
    approve = await world.rest.post(f"/pairings/{noted['pairing_id']}/approve")
    problem(approve, 404, "join_unknown")


async def test_what_a_stranger_says_of_a_computer_is_short(world: World) -> None:
    tools = ["x" * 1000] * 20
    capabilities = [{"kind": "ml.train", "version": 1, "tools": tools, "specializations": []}]
    body = {**Computer().body, "capabilities": capabilities}
    problem(await world.rest.post("/pairings", json=body), 422, "request_invalid")
    body["capabilities"] = [{**capabilities[0], "tools": tools[:10]}]
    assert (await world.rest.post("/pairings", json=body)).status_code == 202


async def test_each_sees_and_decides_on_their_own_requests(world: World) -> None:
    made = (await world.rest.post("/people", json={"name": "Ben"})).json()
    noted = await noted_of(world, Computer())
    headers = {"Authorization": f"Bearer {made['key']}"}
    base = f"{world.url}/api/v1"
    async with httpx.AsyncClient(
        base_url=base, headers=headers, trust_env=False, verify=False
    ) as ben:
        assert (await ben.get("/pairings")).json()["pairings"] == []
        for verb in ("approve", "reject"):
            denied = await ben.post(f"/pairings/{noted['pairing_id']}/{verb}")
            problem(denied, 404, "join_unknown")
