"""What the store keeps of the fleet: who stands for it, what grants write, what a restore asks."""

from __future__ import annotations

from datetime import timedelta

from hub.core.access import Person
from hub.core.fleet_rules import FleetRules
from hub.core.job import JobCard
from hub.core.worker import Worker
from hub.services.restored import Restored
from hub.store import fleet, sessions
from hub.store.ledger import begin_epoch
from shared.fleet import FLEET_PLATFORM
from shared.jobs import JobState
from shared.messages import Accept, Offer
from tests.hub.worlds import World
from tests.makers import KINDS, NOON

RULES = FleetRules(kinds=("probe.run", "code.push"))


async def admit(world: World, rules: FleetRules = RULES) -> Worker:
    """Let the hub's only person use the fleet, and the fleet be there."""
    [worker] = await world.services.fleet.settle(rules)
    world.engine.holes.setdefault(worker.worker_id, [])
    world.services.registry.arrive_fleet(worker)
    return worker


async def handed_over(world: World, anna: Person, worker: Worker, kind: str) -> JobCard:
    card = await world.request(anna, kind)
    await world.services.dispatcher.run_once()
    [offer] = [one for one in world.engine.holes[worker.worker_id] if isinstance(one, Offer)]
    world.engine.holes[worker.worker_id].clear()
    accept = Accept(job_id=offer.job.job_id, attempt=offer.attempt)
    world.services.dispatcher.accept(worker.worker_id, accept)
    await world.committed()
    return card


async def test_one_worker_stands_for_the_fleet_and_stays_the_same(world: World) -> None:
    await world.person()
    first = await admit(world)
    assert (first.name, first.platform, first.is_fleet) == ("fleet", FLEET_PLATFORM, True)
    assert await admit(world) == first
    await world.restart()
    assert await admit(world) == first


async def test_a_machine_called_fleet_keeps_its_name(world: World) -> None:
    anna = await world.person()
    await world.desk(anna, "Fleet")
    assert (await admit(world)).name == "fleet 2"


async def test_settling_what_is_settled_writes_nothing(world: World) -> None:
    await world.person()
    await admit(world)
    before = world.ledger.position
    await world.services.fleet.settle(RULES)
    assert world.ledger.position == before


async def test_a_hub_without_a_fleet_writes_nothing_about_it(world: World) -> None:
    await world.person()
    before = world.ledger.position
    assert await world.services.fleet.settle(FleetRules()) == ()
    assert world.ledger.position == before


async def test_the_grant_and_its_outbox_row_are_one_transaction(world: World) -> None:
    anna = await world.person()
    worker = await admit(world)
    card = await handed_over(world, anna, worker, "probe.run")
    [attempt] = await world.services.fleet.attempts()
    life = (await world.job(card.job_id)).life
    assert (attempt.job_id, attempt.fence) == (card.job_id, life.fence)
    assert (attempt.published_at, attempt.has_begun) == (None, False)
    assert await world.services.fleet.unpublished(10) == [attempt.ticket]
    await world.services.fleet.note_published([attempt.ticket])
    assert await world.services.fleet.unpublished(10) == []


async def test_what_the_fleet_runs_sits_in_no_session(world: World) -> None:
    anna = await world.person()
    worker = await admit(world)
    card = await handed_over(world, anna, worker, "probe.run")
    assert (await world.job(card.job_id)).session_id is None
    assert await world.ledger.read(lambda c: sessions.of_task(c, card.job.task_id)) == []


async def test_rows_of_what_is_over_are_swept(world: World) -> None:
    anna = await world.person()
    worker = await admit(world)
    card = await handed_over(world, anna, worker, "probe.run")
    await world.services.fleet.sweep()
    assert len(await world.services.fleet.attempts()) == 1
    await world.services.intake.cancel(anna.person_id, card.job_id, "anna")
    await world.services.fleet.cancel(card.job_id)
    assert await world.services.fleet.attempts() == []
    assert await world.ledger.write(fleet.sweep) == 1


async def test_nothing_is_lost_by_a_broker_that_is_away_also_after_a_restart(world: World) -> None:
    anna = await world.person()
    worker = await admit(world)
    card = await handed_over(world, anna, worker, "probe.run")
    world.services.registry.depart_fleet(worker.worker_id)
    world.clock.advance(3600)
    await world.rescue()
    assert (await world.job(card.job_id)).life.state is JobState.GRANTED
    await world.restart()
    world.clock.advance(3600)
    await world.rescue()
    assert (await world.job(card.job_id)).life.state is JobState.GRANTED


async def test_a_restored_hub_asks_about_what_the_fleet_may_have_run_since(world: World) -> None:
    anna = await world.person()
    worker = await admit(world)
    once = await handed_over(world, anna, worker, "code.push")
    often = await handed_over(world, anna, worker, "probe.run")
    made_at = NOON - timedelta(hours=2)
    await world.ledger.read(lambda c: begin_epoch(c, world.environment, backup_at=made_at))
    await world.restart()
    await Restored(world.ledger, KINDS).settle()
    assert (await world.job(once.job_id)).life.state is JobState.INTERRUPTED
    assert (await world.job(often.job_id)).life.state is JobState.GRANTED
    assert [one.job_id for one in await world.services.fleet.attempts()] == [often.job_id]
