"""Workers that go away, come back, or do not: what becomes of the jobs they held."""

from __future__ import annotations

from datetime import timedelta

from shared.events import (
    JobInterrupted,
)
from shared.jobs import JobState
from shared.messages import Decision, Grant, HeldState
from tests.hub.reports import asked, facts, failed, started, succeeded
from tests.hub.worlds import World, held


async def test_idempotent_work_of_a_closed_socket_moves_after_five_seconds(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    mac = await world.desk(anna, "studio-mac", slots=0)
    card = await world.request(anna)
    grant = await pc.take()
    await pc.report(started(grant))
    pc.go()
    world.clock.advance(4)
    await world.rescue()
    assert (await world.job(card.job_id)).life.state is JobState.RUNNING
    world.clock.advance(2)
    await world.rescue()
    assert (await world.job(card.job_id)).life.state is JobState.QUEUED
    mac.slots = 1
    await mac.come()
    second = await mac.take()
    assert second.fence == grant.fence + 1
    # The first holder finished meanwhile: its result is kept, and not applied.
    [verdict] = await pc.come(held(grant, HeldState.ENDED))
    assert verdict.decision is Decision.KEEP
    await pc.report(succeeded(grant))
    assert (await world.job(card.job_id)).life.state is JobState.GRANTED
    assert (await world.types_of(card))[-1] == "late_result"
    await mac.report(started(second), succeeded(second))
    assert (await world.job(card.job_id)).life.state is JobState.SUCCEEDED


async def test_a_worker_that_is_back_before_a_new_grant_goes_on(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    grant = await pc.take()
    await pc.report(started(grant))
    pc.go()
    world.clock.advance(60)
    await world.rescue()
    assert (await world.job(card.job_id)).life.state is JobState.QUEUED
    [verdict] = await pc.come(held(grant, HeldState.RUNNING))
    assert verdict.decision is Decision.KEEP
    assert await pc.offers() == []
    told = (await world.types_of(card))[-2:]
    assert told == ["job_queued", "job_granted"], "who saw it queued sees that it goes on"
    await pc.report(succeeded(grant))
    life = (await world.job(card.job_id)).life
    assert (life.state, life.losses) == (JobState.SUCCEEDED, 0)


async def test_a_result_made_while_away_counts_when_nobody_else_began(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    grant = await pc.take()
    await pc.report(started(grant))
    pc.go()
    world.clock.advance(60)
    await world.rescue()
    await pc.come(held(grant, HeldState.ENDED), outbox_seq=pc.seq + 1)
    assert await pc.offers() == []
    await pc.report(succeeded(grant))
    assert (await world.job(card.job_id)).life.state is JobState.SUCCEEDED


async def test_a_grant_lost_on_the_way_is_told_again(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    await world.request(anna, "code.push")
    grant = await pc.take()
    pc.go()
    lost = held(grant, HeldState.ACCEPTED).model_copy(update={"fence": 0})
    [verdict] = await pc.come(lost)
    assert (verdict.decision, verdict.fence) == (Decision.GRANT, grant.fence)


async def test_what_a_worker_does_not_hold_any_more_is_lost(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    training = await world.request(anna)
    pushing = await world.request(anna, "code.push")
    for offer in await pc.offers():
        await pc.accept(offer)
    pc.go()
    await pc.come()
    assert (await world.job(training.job_id)).life.state is JobState.QUEUED
    assert (await world.job(pushing.job_id)).life.state is JobState.INTERRUPTED
    [question] = await world.services.views.open_questions(anna.person_id)
    assert question.job_id == pushing.job_id
    assert question.is_hubs


async def test_what_the_backlog_may_still_tell_is_not_lost_yet(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna, "code.push")
    grant = await pc.take()
    pc.go()
    await pc.come(outbox_seq=2)
    assert (await world.job(card.job_id)).life.state is JobState.GRANTED
    await pc.report(started(grant), succeeded(grant))
    await world.rescue()
    assert (await world.job(card.job_id)).life.state is JobState.SUCCEEDED


async def test_a_backlog_that_does_not_tell_leaves_it_lost(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna, "code.push")
    grant = await pc.take()
    pc.go()
    await pc.come(outbox_seq=1)
    await pc.report(started(grant))
    await world.rescue()
    assert (await world.job(card.job_id)).life.state is JobState.INTERRUPTED


async def test_a_hub_restart_starts_nothing_twice(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    running = await world.request(anna)
    waiting = await world.request(anna, "code.push")
    [first] = [o for o in await pc.offers() if o.job.job_id == running.job_id]
    grant = await pc.accept(first)
    assert isinstance(grant, Grant)
    await pc.report(started(grant))
    await world.restart()
    world.clock.advance(30)
    await world.rescue()
    [verdict] = await pc.come(held(grant, HeldState.RUNNING))
    assert verdict.decision is Decision.KEEP
    [offer] = await pc.offers()
    assert offer.job.job_id == waiting.job_id


async def test_an_asking_job_of_a_sleeping_laptop_keeps_its_question(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    grant = await pc.take()
    await pc.report(started(grant), asked(grant))
    pc.go()
    world.clock.advance(60)
    await world.rescue()
    assert (await world.job(card.job_id)).life.state is JobState.ASKING
    assert len(await world.services.views.open_questions(anna.person_id)) == 1


async def test_an_interrupted_effect_is_a_persons_to_judge(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    for reply, state in (
        ("Run again", JobState.QUEUED),
        ("Mark done", JobState.SUCCEEDED),
        ("Give up", JobState.CANCELLED),
    ):
        card = await world.request(anna, "code.push")
        [offer] = [o for o in await pc.offers() if o.job.job_id == card.job_id]
        grant = await pc.accept(offer)
        assert isinstance(grant, Grant)
        told = {**facts(grant), "reason": "It was stopped.", "touched": ("Pushed a branch.",)}
        await pc.report(started(grant), JobInterrupted.model_validate(told))
        assert (await world.job(card.job_id)).life.state is JobState.INTERRUPTED
        [question] = await world.services.views.open_questions(anna.person_id)
        assert "Pushed a branch." in question.asking.text
        intake = world.services.intake
        await intake.answer(anna.person_id, question.question_id, reply, "anna")
        assert (await world.job(card.job_id)).life.state is state
        if state is JobState.QUEUED:
            await intake.cancel(anna.person_id, card.job_id, "anna")


async def test_a_job_that_always_takes_its_worker_down_ends_as_dead_letter(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    for _ in range(5):
        grant = await pc.take()
        told = {**facts(grant), "reason": "The program ended."}
        await pc.report(started(grant), JobInterrupted.model_validate(told))
    [dead] = await world.services.views.dead_letters(anna.person_id)
    assert dead.job_id == card.job_id
    assert dead.error is not None
    assert dead.error.code == "lost_too_often"


async def test_a_revoked_workers_jobs_go_elsewhere_or_ask(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    training = await world.request(anna)
    pushing = await world.request(anna, "code.push")
    for offer in await pc.offers():
        await pc.accept(offer)
    await world.services.registry.revoke(anna.person_id, pc.worker_id, "anna on Telegram")
    await world.rescue()
    assert (await world.job(training.job_id)).life.state is JobState.QUEUED
    assert (await world.job(pushing.job_id)).life.state is JobState.INTERRUPTED


async def test_a_hub_that_starts_with_a_clock_of_long_ago_makes_no_retry_wait_longer(
    world: World,
) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    grant = await pc.take()
    await pc.report(started(grant), failed(grant))
    assert (await world.job(card.job_id)).life.not_before is not None
    world.clock.wall -= timedelta(days=3652)
    await world.restart()
    await pc.come()
    assert await pc.offers() == []
    world.clock.advance(10)
    assert [offer.job.job_id for offer in await pc.offers()] == [card.job_id]


async def test_an_end_whose_acknowledgement_was_lost_takes_no_waiting_job_back(
    world: World,
) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    first = await pc.take()
    await pc.report(started(first))
    pc.go()
    world.clock.advance(6)
    await world.rescue()
    await pc.come()
    second = await pc.take()
    await pc.report(started(second), failed(second))
    assert (await world.job(card.job_id)).life.state is JobState.QUEUED
    await pc.come(held(second, HeldState.ENDED))
    assert (await world.job(card.job_id)).life.state is JobState.QUEUED
