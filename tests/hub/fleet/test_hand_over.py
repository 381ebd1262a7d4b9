"""A granted attempt goes to the broker without words, and begins for exactly one node."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.errors import Conflict, ErrorBody, NotFound
from shared.events import JobFailed, JobLogged
from shared.fleet import queue_of
from shared.jobs import JobState, Priority
from tests.brokers.rabbitmq import RabbitServer
from tests.brokers.redis import RedisServer
from tests.hub.fleet.world import RUN, WRITE, FleetWorld, done, fleet_world, taken

HIGH = queue_of(RUN.name, Priority.HIGH)
DEFAULT = queue_of(RUN.name, Priority.DEFAULT)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[FleetWorld]:
    async with (
        RedisServer(tmp_path / "redis") as server,
        fleet_world(tmp_path / "hub", server.url) as opened,
    ):
        await opened.until_up()
        yield opened


async def test_a_job_goes_round_by_way_of_redis(world: FleetWorld) -> None:
    await goes_round(world)


async def test_a_job_goes_round_by_way_of_rabbitmq(tmp_path: Path, rabbitmq: RabbitServer) -> None:
    await to_thread(taken, rabbitmq.url, DEFAULT, 0.2, 1000)  # what another test has left over
    async with fleet_world(tmp_path / "hub", rabbitmq.url) as world:
        await world.until_up()
        await goes_round(world)


async def goes_round(world: FleetWorld) -> None:
    card = await world.ask(text="look at the moon")
    node = world.node()

    ticket = await node.take(DEFAULT)
    assert (ticket.job_id, ticket.attempt, ticket.fence) == (card.job_id, 1, 1)
    assert await world.state(card.job_id) is JobState.GRANTED

    started, delivery = await node.start(ticket)
    assert (started.spec.job_id, started.spec.kind) == (card.job_id, RUN.name)
    assert await world.state(card.job_id) is JobState.RUNNING

    said = JobLogged(job_id=ticket.job_id, attempt=1, fence=1, lines=("reading",))
    assert (await node.tell(delivery, said)).stop == ""
    await node.succeed(ticket, delivery)

    ended = await world.card(card.job_id)
    assert (ended.state, ended.result) == (JobState.SUCCEEDED, {"headline": "Done."})
    facts = await world.hub.services.views.history(world.owner.person_id, card.job_id)
    types = [fact.type for fact in facts]
    assert types[types.index("job_granted") :] == [
        "job_granted",
        "job_started",
        "job_logged",
        "job_succeeded",
    ]


@pytest.mark.parametrize("kind", [RUN.name, WRITE.name])
@pytest.mark.parametrize("priority", list(Priority))
async def test_each_kind_and_priority_has_its_queue(
    world: FleetWorld, kind: str, priority: Priority
) -> None:
    card = await world.ask(kind, priority=priority)
    ticket = await world.node().take(queue_of(kind, priority))
    assert (ticket.job_id, ticket.kind, ticket.priority) == (card.job_id, kind, priority)


async def test_only_one_of_several_deliveries_begins(world: FleetWorld) -> None:
    await world.ask()
    node, other = world.node(), world.node("node-2")
    ticket = await node.take(DEFAULT)
    _, delivery = await node.start(ticket)

    for late in (node, other):
        with pytest.raises(Conflict) as caught:
            await late.start(ticket)
        assert caught.value.code == "fence_stale"
    with pytest.raises(Conflict):
        await other.tell("another-delivery", done(ticket), 1)
    assert await world.state(ticket.job_id) is JobState.RUNNING
    await node.succeed(ticket, delivery)


async def test_a_start_whose_answer_was_lost_is_asked_again(world: FleetWorld) -> None:
    await world.ask()
    node = world.node()
    ticket = await node.take(DEFAULT)
    first, delivery = await node.start(ticket)
    again, _ = await node.start(ticket, delivery)
    assert first == again
    facts = await world.hub.services.views.history(world.owner.person_id, ticket.job_id)
    assert [fact.type for fact in facts].count("job_started") == 1


async def test_a_report_that_is_repeated_counts_once(world: FleetWorld) -> None:
    await world.ask()
    node = world.node()
    ticket = await node.take(DEFAULT)
    _, delivery = await node.start(ticket)
    said = JobLogged(job_id=ticket.job_id, attempt=1, fence=1, lines=("once",))
    for _ in range(3):
        await node.tell(delivery, said, 1)
    for _ in range(3):
        await node.tell(delivery, done(ticket), 2)
    facts = await world.hub.services.views.history(world.owner.person_id, ticket.job_id)
    assert [fact.type for fact in facts].count("job_logged") == 1
    assert [fact.type for fact in facts].count("job_succeeded") == 1


async def test_nothing_is_told_before_the_start(world: FleetWorld) -> None:
    await world.ask()
    node = world.node()
    ticket = await node.take(DEFAULT)
    with pytest.raises(Conflict):
        await node.succeed(ticket, "never-began")
    assert await world.state(ticket.job_id) is JobState.GRANTED


async def test_a_retryable_failure_is_queued_again_by_the_hub_alone(world: FleetWorld) -> None:
    await world.ask()
    node = world.node()
    ticket = await node.take(DEFAULT)
    _, delivery = await node.start(ticket)
    error = ErrorBody(code="model_busy", message="The model is busy.", retryable=True)
    await node.tell(delivery, JobFailed(job_id=ticket.job_id, attempt=1, fence=1, error=error))
    assert await world.state(ticket.job_id) is JobState.QUEUED
    world.pass_time(3600)
    again = await node.take(DEFAULT)
    assert (again.job_id, again.fence) == (ticket.job_id, 2)
    with pytest.raises(Conflict):
        await node.start(ticket)


async def test_a_job_that_the_fleet_never_had_is_unknown(world: FleetWorld) -> None:
    await world.ask()
    node = world.node()
    ticket = await node.take(DEFAULT)
    foreign = ticket.model_copy(update={"job_id": "01900000-0000-7000-8000-00000000dead"})
    with pytest.raises(NotFound):
        await node.succeed(foreign, "some-delivery")


async def test_many_jobs_are_handed_over_once_each(world: FleetWorld) -> None:
    cards = [await world.ask() for _ in range(120)]
    tickets = await to_thread(taken, world.broker, DEFAULT, 5.0, len(cards))
    assert sorted(t.job_id for t in tickets) == sorted(card.job_id for card in cards)
    assert await to_thread(taken, world.broker, DEFAULT, 0.2, 1) == []
