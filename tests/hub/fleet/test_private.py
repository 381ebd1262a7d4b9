"""What goes to the fleet, for whom; and what never does."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis

from hub.core.access import Role
from hub.core.placement import WaitingReason
from shared.fleet import queue_of
from shared.jobs import JobState, Priority
from tests.brokers.redis import RedisServer
from tests.hub.fleet.world import RUN, FleetWorld, fleet_world

DEFAULT = queue_of(RUN.name, Priority.DEFAULT)
SECRET_WORDS = ("Mondscheinsonate", "Schneewittchen", "Rumpelstilzchen")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RedisServer]:
    async with RedisServer(tmp_path / "redis") as opened:
        yield opened


@pytest.fixture
async def world(tmp_path: Path, server: RedisServer) -> AsyncIterator[FleetWorld]:
    async with fleet_world(tmp_path / "hub", server.url, people="Bert, me") as opened:
        await opened.until_up()
        yield opened


def everything_in(url: str) -> str:
    """All that a Redis holds, names and values, as text."""
    told = []
    with redis.Redis.from_url(url) as line:
        for key in line.scan_iter():
            kind = line.type(key).decode()
            match kind:
                case "list":
                    held: object = line.lrange(key, 0, -1)
                case "set":
                    held = line.smembers(key)
                case "hash":
                    held = line.hgetall(key)
                case _:
                    held = line.dump(key)
            told.append(repr((key, held)))
    return "\n".join(told)


async def test_no_word_of_anybody_lies_in_the_broker(
    world: FleetWorld, server: RedisServer
) -> None:
    moon, snow, name = SECRET_WORDS
    await world.hub.services.registry.rename(world.owner.person_id, "me")
    card = await world.ask(text=f"about {moon}", title=f"about {snow}", kind="code.push")
    await world.becomes(card.job_id, JobState.GRANTED)
    engine = world.hub.fleet
    assert engine is not None
    await world.waits(lambda: bool(engine.published))

    held = everything_in(server.url)

    assert card.job_id in held
    bodies = [
        base64.b64decode(json.loads(raw)["body"]).decode()
        for raw in redis.Redis.from_url(server.url).lrange(
            queue_of("code.push", Priority.DEFAULT), 0, -1
        )
    ]
    assert len(bodies) == 1
    for word in (moon, snow, name, 'me"'):
        assert word not in held
        assert word not in bodies[0]
    assert json.loads(bodies[0])[1].keys() == {
        "job_id",
        "attempt",
        "fence",
        "kind",
        "priority",
        "traceparent",
    }


async def test_a_member_without_permission_never_gets_the_fleet(world: FleetWorld) -> None:
    carl = await world.hub.services.registry.add_person("Carl")
    bert = await world.hub.services.registry.add_person("Bert")
    world.pass_time(6)
    theirs = await world.ask(person_id=carl.person_id)
    allowed = await world.ask(person_id=bert.person_id)

    ticket = await world.node().take(DEFAULT)

    assert ticket.job_id == allowed.job_id
    assert await world.fleet(carl.person_id) is None
    waiting = await world.hub.services.views.why_waiting(theirs.job_id)
    assert waiting is not None
    assert waiting.reason is WaitingReason.NO_WORKER


async def test_owners_alone_use_it_when_nobody_is_named(
    tmp_path: Path, server: RedisServer
) -> None:
    async with fleet_world(tmp_path / "hub-2", server.url) as world:
        carl = await world.hub.services.registry.add_person("Carl")
        world.pass_time(6)
        await world.until_up()
        assert await world.fleet() is not None
        assert await world.fleet(carl.person_id) is None
        await world.hub.services.registry.set_role(carl.person_id, Role.OWNER, "me")
        world.pass_time(6)
        card = await world.ask(person_id=carl.person_id)
        assert (await world.node().take(DEFAULT)).job_id == card.job_id


async def test_what_is_to_stay_local_stays_queued_and_says_why(world: FleetWorld) -> None:
    card = await world.ask("llm.ask", inputs={"text": "hello", "local": True})
    named = await world.ask(RUN.name, inputs={"branch": "main"})
    free = await world.ask()
    assert (await world.node().take(DEFAULT)).job_id == free.job_id

    assert await world.state(card.job_id) is JobState.QUEUED
    assert await world.state(named.job_id) is JobState.QUEUED
    waiting = await world.hub.services.views.why_waiting(named.job_id)
    assert waiting is not None
    assert waiting.reason is WaitingReason.DECLINED
    assert waiting.detail == "What it works on stays on your own computers."


async def test_a_kind_that_the_owner_did_not_name_waits_for_a_computer(world: FleetWorld) -> None:
    card = await world.ask("ml.models")
    waiting = await world.hub.services.views.why_waiting(card.job_id)
    assert waiting is not None
    assert waiting.reason is WaitingReason.NO_WORKER


async def test_a_fleet_that_is_switched_off_gives_its_jobs_back(
    tmp_path: Path, server: RedisServer
) -> None:
    async with fleet_world(tmp_path / "hub-2", server.url) as world:
        await world.until_up()
        card = await world.ask()
        await world.becomes(card.job_id, JobState.GRANTED)
    async with fleet_world(tmp_path / "hub-2", "", kinds="") as world:
        await world.becomes(card.job_id, JobState.QUEUED)
        assert await world.fleet() is None
        look = (await world.rest.get("/fleet")).json()
        assert look["is_configured"] is False
