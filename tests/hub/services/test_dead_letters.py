"""Dead letters: queued again, taken back in time, forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.core.access import Person
from hub.core.dead_letter import DeadFilter
from hub.core.job import JobCard
from hub.store import workers
from hub.store.ledger import Entry
from shared.capabilities import Capability
from shared.errors import AppError
from shared.events import JobFailed, JobSucceeded
from shared.fleet import FLEET_PLATFORM
from shared.jobs import ATTEMPTS_MAX, JobState
from tests.hub.worlds import Desk, World
from tests.makers import PASSING

BY = "anna on the web"
OTHER_KIND = "ml.models"


async def a_dead_letter(world: World, anna: Person, pc: Desk, kind: str = "probe.run") -> JobCard:
    card = await world.request(anna, kind)
    for _ in range(ATTEMPTS_MAX):
        grant = await pc.take()
        body = JobFailed(
            job_id=grant.job_id, attempt=grant.attempt, fence=grant.fence, error=PASSING
        )
        await world.services.recorder.record(pc.worker_id, anna.person_id, (pc.event(body),))
        world.clock.advance(3600)
    return await world.services.views.job(anna.person_id, card.job_id)


async def test_a_requeue_that_is_taken_back_leaves_the_dead_letter_with_its_reasons(
    world: World,
) -> None:
    anna = await world.person()
    dead = await a_dead_letter(world, anna, await world.desk(anna))
    assert dead.state is JobState.DEAD
    intake = world.services.intake
    assert (await intake.retry(anna.person_id, dead.job_id, BY)).state is JobState.QUEUED
    again = await intake.unrequeue(anna.person_id, dead.job_id, BY)
    assert (again.state, again.error) == (JobState.DEAD, dead.error)
    assert again.job.life.failures == ATTEMPTS_MAX
    assert world.board.ready_of(dead.job_id) is None
    before = world.board.contents()
    await world.restart()
    assert world.board.contents() == before


async def test_what_a_worker_has_taken_is_not_taken_back(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    dead = await a_dead_letter(world, anna, pc)
    intake = world.services.intake
    await intake.retry(anna.person_id, dead.job_id, BY)
    grant = await pc.take()
    with pytest.raises(AppError) as caught:
        await intake.unrequeue(anna.person_id, dead.job_id, BY)
    assert caught.value.code == "job_moved_on"
    done = JobSucceeded(
        job_id=grant.job_id,
        attempt=grant.attempt,
        fence=grant.fence,
        result={"headline": "Done."},
        running_seconds=1,
    )
    await world.services.recorder.record(pc.worker_id, anna.person_id, (pc.event(done),))
    card = await world.services.views.job(anna.person_id, dead.job_id)
    assert card.state is JobState.SUCCEEDED


async def test_an_offer_that_is_out_is_void_when_the_requeue_is_taken_back(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    dead = await a_dead_letter(world, anna, pc)
    intake = world.services.intake
    await intake.retry(anna.person_id, dead.job_id, BY)
    [offer] = await pc.offers()
    await intake.unrequeue(anna.person_id, dead.job_id, BY)
    answer = await pc.accept(offer)
    assert answer.type == "cancel"
    assert (await world.job(dead.job_id)).life.state is JobState.DEAD


async def test_a_new_job_or_one_that_is_tried_again_is_no_requeue(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    intake = world.services.intake
    for _ in range(2):
        with pytest.raises(AppError) as caught:
            await intake.unrequeue(anna.person_id, card.job_id, BY)
        assert caught.value.code == "job_moved_on"
        if (await world.job(card.job_id)).life.failures:
            break
        grant = await pc.take()
        body = JobFailed(
            job_id=grant.job_id, attempt=grant.attempt, fence=grant.fence, error=PASSING
        )
        await world.services.recorder.record(pc.worker_id, anna.person_id, (pc.event(body),))


async def test_dead_letters_are_forgotten_one_by_one_and_all_at_once(world: World) -> None:
    anna, bert = await world.person(), await world.person("bert")
    pc = await world.desk(anna)
    dead = [await a_dead_letter(world, anna, pc) for _ in range(3)]
    other = await a_dead_letter(world, bert, await world.desk(bert, "bert-pc"))
    waiting = await world.request(anna)
    intake, views = world.services.intake, world.services.views
    for card, code in ((other, "job_unknown"), (waiting, "job_not_dead")):
        with pytest.raises(AppError) as caught:
            await intake.purge_dead(anna.person_id, card.job_id, BY)
        assert caught.value.code == code
    await intake.purge_dead(anna.person_id, dead[0].job_id, BY)
    assert await intake.purge_all_dead(anna.person_id, BY) == 2
    assert await views.dead_letters(anna.person_id) == ()
    assert await views.dead_letters(bert.person_id) == (other,)
    assert [card.job_id for card in await views.jobs(anna.person_id)] == [waiting.job_id]


async def test_dead_letters_are_found_by_kind_by_worker_by_fleet_and_by_age(world: World) -> None:
    anna, bert = await world.person(), await world.person("bert")
    pc = await world.desk(anna, capabilities=(Capability(kind="probe.run"),))
    early = await a_dead_letter(world, anna, pc)
    between = world.clock.now()
    world.clock.advance(3600)
    fleet = await world.desk(anna, "fleet", (Capability(kind=OTHER_KIND),))
    await stand_for_the_fleet(world, fleet)
    late = await a_dead_letter(world, anna, fleet, OTHER_KIND)
    await a_dead_letter(world, bert, await world.desk(bert, "fleet"))
    for wanted, found in (
        (DeadFilter(), [late, early]),
        (DeadFilter(kind=OTHER_KIND), [late]),
        (DeadFilter(kind="ml.train"), []),
        (DeadFilter(worker="anna-pc"), [early]),
        (DeadFilter(worker=pc.worker_id), [early]),
        (DeadFilter(worker="fleet"), [late]),
        (DeadFilter(is_fleet=True), [late]),
        (DeadFilter(since=between), [late]),
        (DeadFilter(since=between, worker="anna-pc"), []),
        (DeadFilter(before=late.job_id), [early]),
    ):
        cards = await world.services.views.dead_letters(anna.person_id, wanted)
        assert [card.job_id for card in cards] == [card.job_id for card in found], wanted


async def test_a_dead_letter_tells_every_try_where_when_and_why(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    dead = await a_dead_letter(world, anna, pc)
    found = await world.services.views.dead_letter(anna.person_id, dead.job_id)
    assert found.card == dead
    attempts = [failure.attempt for failure in found.failures]
    assert attempts == sorted(attempts, reverse=True)
    assert len(attempts) == ATTEMPTS_MAX
    for failure in found.failures:
        assert (failure.worker_id, failure.node) == (pc.worker_id, "")
        assert failure.error == PASSING
    waiting = await world.request(anna)
    for person_id, job_id, code in (
        (anna.person_id, waiting.job_id, "job_not_dead"),
        ((await world.person("bert")).person_id, dead.job_id, "job_unknown"),
    ):
        with pytest.raises(AppError) as caught:
            await world.services.views.dead_letter(person_id, job_id)
        assert caught.value.code == code


async def stand_for_the_fleet(world: World, desk: Desk) -> None:
    def change(entry: Entry) -> None:
        worker = workers.load(entry.connection, desk.worker_id)
        assert worker is not None
        workers.update(entry, replace(worker, platform=FLEET_PLATFORM))

    await world.ledger.write(change)
