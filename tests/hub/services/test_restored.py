"""After a restore: what may have run asks, what may run again waits, what is held stays."""

from __future__ import annotations

from datetime import timedelta

from hub.services.restored import HUB_RESTORED, Restored
from hub.store.ledger import begin_epoch
from shared.ids import JobId
from shared.jobs import JobState
from tests.hub.reports import started
from tests.hub.worlds import World
from tests.makers import KINDS, NOON


async def restore(world: World) -> None:
    """Begin a new life of the store, and let the hub start on it."""
    made_at = NOON - timedelta(hours=2)
    await world.ledger.read(lambda c: begin_epoch(c, world.environment, backup_at=made_at))
    await world.restart()
    await start(world)


async def start(world: World) -> None:
    await Restored(world.ledger, KINDS).settle()
    await world.services.dispatcher.rebuild()


async def state(world: World, job_id: JobId) -> JobState:
    return (await world.job(job_id)).life.state


async def test_what_waited_and_may_not_run_twice_asks_its_person(world: World) -> None:
    anna = await world.person()
    once, often = await world.request(anna, "code.push"), await world.request(anna, "probe.run")
    await restore(world)
    assert await state(world, once.job_id) is JobState.INTERRUPTED
    assert await state(world, often.job_id) is JobState.QUEUED
    [question] = await world.services.views.open_questions(anna.person_id)
    assert question.asking.text.startswith(
        "The hub was restored from a backup of 20 Nov 2026, 10:00 UTC; this may have run since."
    )
    card = await world.services.views.job(anna.person_id, once.job_id)
    assert card.error is not None
    assert card.error.code == HUB_RESTORED
    # What may run again is offered; what asks is not.
    pc = await world.desk(anna)
    assert [offer.job.job_id for offer in await pc.offers()] == [often.job_id]


async def test_it_asks_once_and_not_at_every_start(world: World) -> None:
    anna = await world.person()
    await world.request(anna, "code.push")
    await restore(world)
    [question] = await world.services.views.open_questions(anna.person_id)
    await world.services.intake.answer(anna.person_id, question.question_id, "Run again", "anna")
    await world.restart()
    await start(world)
    assert not await world.services.views.open_questions(anna.person_id)


async def test_what_a_worker_holds_stays_its_own(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna, "code.push")
    await pc.report(started(await pc.take()))
    await restore(world)
    life = (await world.job(card.job_id)).life
    assert life.is_held
    assert life.state is JobState.RUNNING
    assert not await world.services.views.open_questions(anna.person_id)


async def test_a_question_about_an_interruption_is_asked_anew_with_what_is_known(
    world: World,
) -> None:
    """It may have been answered since, and the job have run again."""
    anna = await world.person()
    await world.request(anna, "code.push")
    await restore(world)
    [before] = await world.services.views.open_questions(anna.person_id)
    await restore(world)
    [question] = await world.services.views.open_questions(anna.person_id)
    assert question.question_id != before.question_id


async def test_a_start_without_a_restore_asks_nothing(world: World) -> None:
    anna = await world.person()
    card = await world.request(anna, "code.push")
    await world.restart()
    await start(world)
    assert await state(world, card.job_id) is JobState.QUEUED
