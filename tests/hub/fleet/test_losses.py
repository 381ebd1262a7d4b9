"""Whatever a broker, a node or the hub loses in the middle: each job runs, and none twice."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.errors import Conflict
from shared.fleet import queue_of
from shared.jobs import JobState, Priority
from tests.brokers.redis import RedisServer
from tests.hub.fleet.world import RUN, WRITE, FleetWorld, fleet_world, taken

DEFAULT = queue_of(RUN.name, Priority.DEFAULT)
WRITES = queue_of(WRITE.name, Priority.DEFAULT)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RedisServer]:
    async with RedisServer(tmp_path / "redis") as opened:
        yield opened


@pytest.fixture
async def world(tmp_path: Path, server: RedisServer) -> AsyncIterator[FleetWorld]:
    async with fleet_world(tmp_path / "hub", server.url) as opened:
        await opened.until_up()
        yield opened


async def published(world: FleetWorld, count: int) -> None:
    """Return once the hub knows that the broker has so many tickets."""
    engine = world.hub.fleet
    assert engine is not None
    await world.waits(lambda: len(engine.published) == count)


async def test_what_a_broker_forgot_is_published_again_and_runs_once(
    world: FleetWorld, server: RedisServer
) -> None:
    cards = [await world.ask() for _ in range(3)]
    await published(world, 3)
    server.forget_all()
    world.pass_time(20)

    node = world.node()
    for _ in cards:
        ticket = await node.take(DEFAULT)
        _, delivery = await node.start(ticket)
        await node.succeed(ticket, delivery)
    assert {await world.state(card.job_id) for card in cards} == {JobState.SUCCEEDED}
    world.pass_time(20)
    assert await to_thread(taken, world.broker, DEFAULT, 2.0) == []


async def test_what_lies_in_its_queue_is_not_published_twice(world: FleetWorld) -> None:
    card = await world.ask()
    await published(world, 1)
    world.pass_time(20)
    for _ in range(2):
        # What is published later than the hub has looked into the queue.
        await world.ask(WRITE.name)
        await world.node().take(WRITES)
    tickets = await to_thread(taken, world.broker, DEFAULT, 1.0, 2)
    assert [ticket.job_id for ticket in tickets] == [card.job_id]


async def test_a_ticket_that_was_taken_and_published_again_begins_once(world: FleetWorld) -> None:
    """A node took it and was slow to ask: that counts as lost, and harms nothing."""
    await world.ask()
    slow, quick = world.node("slow"), world.node("quick")
    first = await slow.take(DEFAULT)
    await published(world, 1)
    world.pass_time(20)
    second = await quick.take(DEFAULT)
    assert first == second
    _, delivery = await quick.start(second)
    with pytest.raises(Conflict):
        await slow.start(first)
    await quick.succeed(second, delivery)


async def test_a_job_is_handed_over_once_its_broker_is_back(
    world: FleetWorld, server: RedisServer
) -> None:
    server.kill()
    world.pass_time(6)
    await world.until_up(is_up=False)
    card = await world.ask()
    assert await world.state(card.job_id) is JobState.QUEUED
    look = (await world.rest.get("/fleet")).json()
    assert (look["is_broker_up"], "127.0.0.1" in look["broker_error"]) == (False, True)

    await server.start()
    world.pass_time(60)
    await world.until_up()
    node = world.node()
    ticket = await node.take(DEFAULT)
    assert ticket.job_id == card.job_id
    _, delivery = await node.start(ticket)
    await node.succeed(ticket, delivery)


async def test_a_broker_that_is_away_for_long_keeps_no_job(
    world: FleetWorld, server: RedisServer
) -> None:
    card = await world.ask()
    await published(world, 1)
    server.kill()
    world.pass_time(6)
    await world.until_up(is_up=False)
    assert await world.state(card.job_id) is JobState.GRANTED
    world.pass_time(70)
    await world.becomes(card.job_id, JobState.QUEUED)

    await server.start()
    world.pass_time(60)
    await world.until_up()
    node = world.node()
    tickets = await to_thread(taken, world.broker, DEFAULT, 5.0, 2)
    *before, ticket = tickets  # what was published just before the kill may not be on its disk
    assert [one.fence for one in before] in ([], [1])
    assert ticket.fence == 2
    for one in before:
        with pytest.raises(Conflict):
            await node.start(one)
    await node.start(ticket)


async def test_what_a_silent_node_had_is_run_again_if_that_is_harmless(world: FleetWorld) -> None:
    harmless, other = await world.ask(), await world.ask(WRITE.name)
    node = world.node()
    tickets = [await node.take(DEFAULT), await node.take(WRITES)]
    for ticket in tickets:
        await node.start(ticket)
    await node.beat(*tickets)
    world.pass_time(50)

    await world.becomes(other.job_id, JobState.INTERRUPTED)
    again = await node.take(DEFAULT)
    assert (again.job_id, again.fence) == (harmless.job_id, 2)
    heard = await node.beat(*tickets)
    assert {stop.job_id for stop in heard.stops} == {harmless.job_id, other.job_id}


async def test_a_node_that_says_nothing_at_all_is_silent_too(world: FleetWorld) -> None:
    card = await world.ask()
    node = world.node("never-beats")
    await node.start(await node.take(DEFAULT))
    world.pass_time(50)
    again = await node.take(DEFAULT)
    assert (again.job_id, again.fence) == (card.job_id, 2)


async def test_a_job_is_lost_that_its_node_leaves_out_of_two_beats(world: FleetWorld) -> None:
    card = await world.ask()
    node = world.node()
    ticket = await node.take(DEFAULT)
    await node.start(ticket)
    await node.beat()
    assert await world.state(card.job_id) is JobState.RUNNING
    world.pass_time(4)
    await node.beat()
    again = await node.take(DEFAULT)
    assert (again.job_id, again.fence) == (card.job_id, 2)


async def test_the_late_result_of_a_lost_attempt_is_kept_and_not_applied(world: FleetWorld) -> None:
    card = await world.ask(WRITE.name)
    node = world.node()
    ticket = await node.take(WRITES)
    _, delivery = await node.start(ticket)
    world.pass_time(50)
    await world.becomes(card.job_id, JobState.INTERRUPTED)
    with pytest.raises(Conflict) as caught:
        await node.succeed(ticket, delivery)
    assert caught.value.code == "fence_stale"
    facts = await world.hub.services.views.history(world.owner.person_id, card.job_id)
    assert "late_result" in [fact.type for fact in facts]
    assert await world.state(card.job_id) is JobState.INTERRUPTED


async def test_a_hub_that_was_away_goes_on_with_its_nodes(
    tmp_path: Path, server: RedisServer
) -> None:
    async with fleet_world(tmp_path / "hub", server.url) as world:
        await world.until_up()
        running, waiting = await world.ask(), await world.ask()
        node = world.node()
        ticket = await node.take(DEFAULT)
        _, delivery = await node.start(ticket)
        await published(world, 1)
    async with fleet_world(tmp_path / "hub", server.url) as world:
        await world.until_up()
        node = world.node()
        first = next(card for card in (running, waiting) if card.job_id == ticket.job_id)
        assert await world.state(first.job_id) is JobState.RUNNING
        assert (await node.beat(ticket)).stops == ()
        await node.succeed(ticket, delivery)
        assert await world.state(first.job_id) is JobState.SUCCEEDED
        rest = await node.take(DEFAULT)
        assert {rest.job_id, first.job_id} == {running.job_id, waiting.job_id}
        _, delivery = await node.start(rest)
        await node.succeed(rest, delivery)


async def test_what_was_granted_and_not_published_is_published_after_a_restart(
    tmp_path: Path, server: RedisServer
) -> None:
    async with fleet_world(tmp_path / "hub", server.url) as world:
        await world.until_up()
        server.kill()
        card = await world.ask()
        await world.becomes(card.job_id, JobState.GRANTED)
    await server.start()
    async with fleet_world(tmp_path / "hub", server.url) as world:
        ticket = await world.node().take(DEFAULT)
        assert (ticket.job_id, ticket.fence) == (card.job_id, 1)
