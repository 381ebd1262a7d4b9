"""An absence of a minute is told once, a nap never, and so is the return."""

from __future__ import annotations

from datetime import datetime

import pytest

from hub.core.access import Person
from hub.services.absences import LOST_SECONDS
from shared.events import EventBody, JobStarted, WorkerBack, WorkerLost
from tests.hub.worlds import Desk, World


async def told(world: World) -> list[EventBody]:
    """What was told of absences, in order."""
    facts = await world.services.feed.after(0, 1000)
    return [f.body for f in facts if isinstance(f.body, WorkerLost | WorkerBack)]


async def look(world: World, seconds: float = 0.0) -> list[EventBody]:
    world.clock.advance(seconds)
    await world.services.absences.run_once()
    return await told(world)


@pytest.fixture
async def anna(world: World) -> Person:
    return await world.person()


@pytest.fixture
async def desk(world: World, anna: Person) -> Desk:
    paired = await world.desk(anna)
    await look(world)
    return paired


async def lose(world: World, desk: Desk) -> WorkerLost:
    desk.go()
    await look(world)
    [lost] = await look(world, LOST_SECONDS)
    assert isinstance(lost, WorkerLost)
    return lost


async def test_a_loss_shorter_than_a_minute_is_told_to_nobody(world: World, desk: Desk) -> None:
    for _ in range(3):
        desk.go()
        await look(world)
        assert await look(world, LOST_SECONDS - 1) == []
        await desk.come()
        assert await look(world) == []
    assert await look(world, 10 * LOST_SECONDS) == []


async def test_a_longer_one_is_told_once_and_so_is_the_return(world: World, desk: Desk) -> None:
    left: datetime = world.clock.now()
    lost = await lose(world, desk)
    assert (lost.name, lost.since, lost.was_stopped, lost.jobs) == ("anna-pc", left, False, 0)
    assert await look(world, 10 * LOST_SECONDS) == [lost]
    await desk.come()
    assert await look(world) == [
        lost,
        WorkerBack(worker_id=desk.worker_id, name="anna-pc", since=left, until=world.clock.now()),
    ]
    assert len(await look(world, LOST_SECONDS)) == 2


async def test_a_second_loss_is_told_anew(world: World, desk: Desk) -> None:
    await lose(world, desk)
    await desk.come()
    await look(world)
    desk.go()
    await look(world)
    assert [type(body) for body in await look(world, LOST_SECONDS)] == [
        WorkerLost,
        WorkerBack,
        WorkerLost,
    ]


async def test_a_goodbye_is_told_as_one(world: World, desk: Desk) -> None:
    desk.go(was_stopped=True)
    await look(world)
    [lost] = await look(world, LOST_SECONDS)
    assert isinstance(lost, WorkerLost)
    assert lost.was_stopped
    await desk.come()
    await look(world)
    desk.go()
    await look(world)
    again = (await look(world, LOST_SECONDS))[-1]
    assert isinstance(again, WorkerLost)
    assert not again.was_stopped


async def test_a_job_that_stays_with_a_lost_worker_is_told(world: World, desk: Desk) -> None:
    await world.request(await world.services.registry.person(desk.person_id), "code.push")
    grant = await desk.take()
    await desk.report(JobStarted(job_id=grant.job_id, attempt=grant.attempt, fence=grant.fence))
    desk.go()
    await look(world)
    await world.rescue()
    [lost] = await look(world, LOST_SECONDS)
    assert isinstance(lost, WorkerLost)
    assert lost.jobs == 1


async def test_a_job_that_went_elsewhere_is_not_said_to_stay(world: World, desk: Desk) -> None:
    await world.request(await world.services.registry.person(desk.person_id), "probe.run")
    grant = await desk.take()
    await desk.report(JobStarted(job_id=grant.job_id, attempt=grant.attempt, fence=grant.fence))
    desk.go()
    await look(world, 30)
    await world.rescue()
    [lost] = await look(world, LOST_SECONDS)
    assert isinstance(lost, WorkerLost)
    assert lost.jobs == 0


async def test_of_a_paused_or_revoked_one_nothing_is_told(
    world: World, anna: Person, desk: Desk
) -> None:
    other = await world.desk(anna, "studio")
    here = await world.desk(anna, "paused-there", slots=0)
    await look(world)
    await world.services.registry.pause(anna.person_id, desk.worker_id, is_paused=True)
    desk.go()
    here.go()
    await world.services.registry.revoke(anna.person_id, other.worker_id, "anna")
    await look(world)
    assert await look(world, LOST_SECONDS) == []
    await desk.come()
    assert await look(world) == []


async def test_a_restart_of_the_hub_tells_nothing_of_those_who_come_back(
    world: World, desk: Desk
) -> None:
    world.clock.advance(10)
    await desk.come()
    await world.restart()
    assert await look(world, LOST_SECONDS - 1) == []
    await desk.come()
    assert await look(world) == []
    assert await look(world, 2 * LOST_SECONDS) == []


async def test_who_does_not_come_back_after_a_restart_was_last_seen_before_it(
    world: World, desk: Desk
) -> None:
    world.clock.advance(10)
    seen = world.clock.now()
    await desk.come()
    await world.restart()
    world.clock.advance(3600)
    await world.restart()
    assert await look(world, LOST_SECONDS - 1) == []
    [lost] = await look(world, 1)
    assert isinstance(lost, WorkerLost)
    assert lost.since == seen


async def test_what_was_told_is_not_told_again_after_a_restart_and_the_return_is(
    world: World, desk: Desk
) -> None:
    await lose(world, desk)
    await world.restart()
    assert len(await look(world, 10 * LOST_SECONDS)) == 1
    await desk.come()
    assert [type(body) for body in await look(world)] == [WorkerLost, WorkerBack]
    await world.restart()
    await desk.come()
    assert len(await look(world)) == 2


async def test_one_that_was_paired_and_never_came_is_not_lost(world: World, anna: Person) -> None:
    desk = await world.desk(anna)
    desk.go()
    await world.ledger.write(
        lambda entry: entry.connection.execute("UPDATE workers SET last_seen_ms = paired_ms")
    )
    await world.restart()
    assert await look(world, LOST_SECONDS) == []
