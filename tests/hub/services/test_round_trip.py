"""Job lives through all services together: queue, grant, report, rescue."""

from __future__ import annotations

from shared.events import (
    JobCancelled,
    JobLogged,
)
from shared.jobs import JobState
from shared.messages import Cancel, Decision, Grant, HeldState
from tests.hub.reports import RESULT, asked, facts, failed, started, succeeded
from tests.hub.worlds import World, held
from tests.makers import LASTING, PASSING


async def test_a_job_is_offered_granted_and_done(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna, "code.push")
    grant = await pc.take()
    assert grant.fence == 1
    recorded = await pc.report(started(grant), succeeded(grant))
    assert recorded.acked_seq == 2
    done = await world.services.views.job(anna.person_id, card.job_id)
    assert done.state is JobState.SUCCEEDED
    assert done.result == RESULT
    assert await world.types_of(card) == [
        "job_queued",
        "job_granted",
        "job_started",
        "job_succeeded",
    ]


async def test_nobody_is_offered_more_than_their_slots_and_asking_frees_one(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna, slots=1)
    for _ in range(2):
        await world.request(anna, "code.push")
    grant = await pc.take()
    assert await pc.offers() == []
    await pc.report(started(grant), asked(grant))
    [second] = await pc.offers()
    assert second.job.job_id != grant.job_id


async def test_an_offer_that_runs_out_comes_again_and_its_late_yes_is_refused(
    world: World,
) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    await world.request(anna)
    [offer] = await pc.offers()
    world.clock.advance(30)
    [again] = await pc.offers()
    assert again.attempt == offer.attempt + 1
    assert isinstance(await pc.accept(offer), Cancel)
    assert isinstance(await pc.accept(again), Grant)


async def test_a_grant_never_runs_out(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna, "code.push")
    await pc.take()
    pc.go()
    world.clock.advance(7 * 24 * 3600)
    await world.rescue()
    assert (await world.job(card.job_id)).life.state is JobState.GRANTED


async def test_a_failure_that_may_pass_is_tried_three_times_then_dead(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    for failures in (1, 2):
        grant = await pc.take()
        await pc.report(started(grant), failed(grant))
        assert await pc.offers() == []
        life = (await world.job(card.job_id)).life
        assert (life.state, life.failures) == (JobState.QUEUED, failures)
        world.clock.advance(60)
    grant = await pc.take()
    await pc.report(started(grant), failed(grant))
    [dead] = await world.services.views.dead_letters(anna.person_id)
    assert dead.job_id == card.job_id
    assert dead.error == PASSING
    assert (await world.types_of(card))[-1] == "job_died"
    requeued = await world.services.intake.retry(anna.person_id, card.job_id, "anna")
    assert requeued.state is JobState.QUEUED
    again = await pc.take()
    assert again.fence == 4


async def test_a_failure_that_lasts_is_not_tried_again(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    grant = await pc.take()
    await pc.report(failed(grant, LASTING))
    assert (await world.job(card.job_id)).life.state is JobState.FAILED
    assert await pc.offers() == []


async def test_cancel_before_the_grant_never_starts(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    [offer] = await pc.offers()
    cancelled = await world.services.intake.cancel(anna.person_id, card.job_id, "anna")
    assert cancelled.state is JobState.CANCELLED
    assert isinstance(await pc.accept(offer), Cancel)
    assert await pc.offers() == []


async def test_cancel_after_the_grant_waits_for_the_workers_word(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    grant = await pc.take()
    await pc.report(started(grant))
    pending = await world.services.intake.cancel(anna.person_id, card.job_id, "anna")
    assert pending.state is JobState.RUNNING
    [cancel] = pc.fetch()
    assert isinstance(cancel, Cancel)
    await pc.report(JobCancelled.model_validate(facts(grant)))
    assert (await world.job(card.job_id)).life.state is JobState.CANCELLED


async def test_a_cancel_while_the_worker_is_away_is_its_first_verdict(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna, "code.push")
    grant = await pc.take()
    await pc.report(started(grant))
    pc.go()
    await world.services.intake.cancel(anna.person_id, card.job_id, "anna")
    [verdict] = await pc.come(held(grant, HeldState.RUNNING))
    assert verdict.decision is Decision.ABORT


async def test_a_result_beats_a_cancel_that_came_too_late(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    grant = await pc.take()
    await pc.report(started(grant))
    await world.services.intake.cancel(anna.person_id, card.job_id, "anna")
    await pc.report(succeeded(grant))
    assert (await world.job(card.job_id)).life.state is JobState.SUCCEEDED


async def test_a_failure_that_comes_before_the_cancel_is_done_is_told_as_cancelled(
    world: World,
) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    grant = await pc.take()
    await pc.report(started(grant))
    await world.services.intake.cancel(anna.person_id, card.job_id, "anna")
    await pc.report(failed(grant, PASSING))
    assert (await world.job(card.job_id)).life.state is JobState.CANCELLED
    assert (await world.types_of(card))[-1] == "job_cancelled", "or nobody hears that it is over"


async def test_log_lines_change_no_state_and_are_kept(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    grant = await pc.take()
    lines = JobLogged.model_validate({**facts(grant), "lines": ("Reading sales.csv",)})
    await pc.report(started(grant), lines)
    assert (await world.types_of(card))[-1] == "job_logged"
    assert (await world.job(card.job_id)).life.state is JobState.RUNNING
