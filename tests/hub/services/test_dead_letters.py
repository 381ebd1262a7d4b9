"""Dead letters: queued again, taken back in time, forgotten."""

from __future__ import annotations

import pytest

from hub.core.access import Person
from hub.core.job import JobCard
from shared.errors import AppError
from shared.events import JobFailed, JobSucceeded
from shared.jobs import ATTEMPTS_MAX, JobState
from tests.hub.worlds import Desk, World
from tests.makers import PASSING

BY = "anna on the web"


async def a_dead_letter(world: World, anna: Person, pc: Desk) -> JobCard:
    card = await world.request(anna)
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
