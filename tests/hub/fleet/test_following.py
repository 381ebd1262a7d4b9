"""A job in the fleet's hands is cancelled, asks, tells how far it is; nodes drain."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.store.database import STORE_NAME
from shared.api.queue import NewProgress
from shared.errors import Conflict, NotFound
from shared.events import JobCancelled, JobParked, JobResumed, QuestionAsked
from shared.fleet import queue_of
from shared.ids import JobId, QuestionId
from shared.jobs import JobState, Priority
from tests.brokers.redis import RedisServer
from tests.hub.fleet.world import RUN, WRITE, FleetWorld, Node, fleet_world
from tests.makers import make_asking

DEFAULT = queue_of(RUN.name, Priority.DEFAULT)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[FleetWorld]:
    async with (
        RedisServer(tmp_path / "redis") as server,
        fleet_world(tmp_path / "hub", server.url) as opened,
    ):
        await opened.until_up()
        yield opened


async def test_a_job_that_no_node_has_begun_is_cancelled_at_once(world: FleetWorld) -> None:
    card = await world.ask()
    node = world.node()
    ticket = await node.take(DEFAULT)
    await world.rest.post(f"/jobs/{card.job_id}/cancel")
    await world.becomes(card.job_id, JobState.CANCELLED)
    with pytest.raises(Conflict):
        await node.start(ticket)


async def test_a_cancel_that_came_as_the_hub_ended_is_confirmed_by_the_next(
    tmp_path: Path,
) -> None:
    async with RedisServer(tmp_path / "redis") as server:
        async with fleet_world(tmp_path / "hub", server.url) as world:
            card = await world.ask()
            await world.becomes(card.job_id, JobState.GRANTED)
        with contextlib.closing(sqlite3.connect(tmp_path / "hub" / STORE_NAME)) as store, store:
            store.execute("UPDATE jobs SET cancel_by = 'anna' WHERE job_id = ?", (card.job_id,))
        async with fleet_world(tmp_path / "hub", server.url) as world:
            await world.becomes(card.job_id, JobState.CANCELLED)


async def test_a_node_hears_of_a_cancel_at_its_next_beat(world: FleetWorld) -> None:
    card = await world.ask()
    node = world.node()
    ticket = await node.take(DEFAULT)
    _, delivery = await node.start(ticket)
    await world.rest.post(f"/jobs/{card.job_id}/cancel")
    assert await world.state(card.job_id) is JobState.RUNNING

    heard = await node.beat(ticket)
    assert [(stop.job_id, stop.attempt) for stop in heard.stops] == [(card.job_id, 1)]
    assert "Cancelled by" in heard.stops[0].reason
    progress = NewProgress(attempt=1, fence=1, stage="", done=1, total=2)
    told = await asyncio.to_thread(node.client.tell_attempt_progress, card.job_id, progress)
    assert told.stop == heard.stops[0].reason
    await node.tell(delivery, JobCancelled(job_id=card.job_id, attempt=1, fence=1))
    assert await world.state(card.job_id) is JobState.CANCELLED


async def test_a_question_is_asked_and_answered(world: FleetWorld) -> None:
    card = await world.ask()
    node = world.node()
    ticket = await node.take(DEFAULT)
    _, delivery = await node.start(ticket)
    question_id = await asked(node, delivery, card.job_id)
    assert await world.state(card.job_id) is JobState.ASKING
    assert (await node.beat(ticket)).stops == ()

    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(answer_of(node, question_id, 15.0))
        replied = await world.rest.post(
            f"/questions/{question_id}/answer", json={"reply": "/data/sales.csv"}
        )
        assert replied.status_code == 200, replied.text
    assert waiting.result() == ("answered", "/data/sales.csv")
    resumed = JobResumed(job_id=card.job_id, attempt=1, fence=1, question_id=question_id)
    await node.tell(delivery, resumed)
    assert await world.state(card.job_id) is JobState.RUNNING
    await node.succeed(ticket, delivery)


async def test_a_job_that_was_parked_is_handed_over_again_with_its_answer(
    world: FleetWorld,
) -> None:
    card = await world.ask()
    node = world.node()
    ticket = await node.take(DEFAULT)
    _, delivery = await node.start(ticket)
    question_id = await asked(node, delivery, card.job_id)
    parked = JobParked(job_id=card.job_id, attempt=1, fence=1, question_id=question_id)
    await node.tell(delivery, parked)
    await world.rest.post(f"/questions/{question_id}/answer", json={"reply": "/data/churn.csv"})

    again = await node.take(DEFAULT)
    assert (again.job_id, again.fence) == (card.job_id, 2)
    started, _ = await node.start(again)
    assert started.spec.answers == {"file": "/data/churn.csv"}


async def test_what_the_fleet_has_not_asked_is_not_there_for_it(world: FleetWorld) -> None:
    with pytest.raises(NotFound):
        await answer_of(world.node(), QuestionId(str(uuid.uuid4())), 0.0)


async def test_a_question_is_named_by_a_uuid(world: FleetWorld) -> None:
    card = await world.ask()
    node = world.node()
    _, delivery = await node.start(await node.take(DEFAULT))
    event = QuestionAsked(
        job_id=card.job_id,
        attempt=1,
        fence=1,
        question_id=QuestionId("x yes"),
        asking=make_asking(),
    )
    with pytest.raises(Exception, match="UUID"):
        await node.tell(delivery, event)


async def test_the_fleet_shows_what_waits_and_what_runs_apart(world: FleetWorld) -> None:
    node = world.node()
    await world.ask()
    ticket = await node.take(DEFAULT)
    _, delivery = await node.start(ticket)
    for _ in range(2):
        await world.ask()
    await world.ask(WRITE.name, priority=Priority.LOW)
    await node.beat(ticket)
    world.pass_time(7)

    seen = await asyncio.to_thread(node.client.get_fleet)

    counts = {(q.kind, q.priority): (q.waiting, q.running) for q in seen.queues}
    assert counts[RUN.name, Priority.DEFAULT] == (2, 1)
    assert counts[WRITE.name, Priority.LOW] == (1, 0)
    assert counts[RUN.name, Priority.HIGH] == (0, 0)
    assert (seen.is_configured, seen.is_broker_up) == (True, True)
    assert [q.oldest_wait_seconds >= 7 for q in seen.queues if q.waiting] == [True, True]
    [shown] = seen.nodes
    assert (shown.node, shown.slots, shown.held, shown.idle_since) == ("node-1", 2, 1, None)
    await node.succeed(ticket, delivery)
    await node.beat()
    [shown] = (await asyncio.to_thread(node.client.get_fleet)).nodes
    assert (shown.held, shown.idle_since is not None) == (0, True)


async def test_a_node_that_is_to_drain_hears_of_it(world: FleetWorld) -> None:
    node = world.node()
    assert (await node.beat()).must_drain is False
    told = await world.rest.post("/fleet/nodes/node-1/drain")
    assert (told.status_code, told.json()["is_draining"]) == (200, True)
    assert (await node.beat()).must_drain is True
    unknown = await world.rest.post("/fleet/nodes/nobody/drain")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "fleet_node_unknown")


async def asked(node: Node, delivery: str, job_id: JobId) -> QuestionId:
    question_id = QuestionId(str(uuid.uuid4()))
    event = QuestionAsked(
        job_id=job_id,
        attempt=1,
        fence=1,
        question_id=question_id,
        asking=make_asking(),
    )
    await node.tell(delivery, event)
    return question_id


async def answer_of(node: Node, question_id: str, wait_seconds: float) -> tuple[str, str]:
    def ask() -> tuple[str, str]:
        told = node.client.get_fleet_answer(question_id, wait_seconds=wait_seconds)
        return told.state, told.answer.value if told.answer else ""

    return await asyncio.to_thread(ask)
