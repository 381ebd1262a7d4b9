"""Questions through all services: asked, answered, run out, parked."""

from __future__ import annotations

from datetime import timedelta

from shared.events import (
    JobParked,
    JobResumed,
)
from shared.ids import QuestionId
from shared.jobs import JobState
from tests.hub.reports import asked, facts, started
from tests.hub.worlds import World


async def test_an_answer_reaches_the_job_and_the_first_one_wins(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    grant = await pc.take()
    await pc.report(started(grant), asked(grant))
    [question] = await world.services.views.open_questions(anna.person_id)
    intake = world.services.intake
    answered = await intake.answer(anna.person_id, question.question_id, "2", "anna on Telegram")
    assert answered.answer is not None
    assert answered.answer.value == "/data/churn.csv"
    assert (await world.types_of(card))[-1] == "question_answered"
    await pc.report(JobResumed.model_validate({**facts(grant), "question_id": "q"}))
    assert (await world.job(card.job_id)).life.state is JobState.RUNNING


async def test_a_question_without_default_parks_and_its_answer_starts_it_again(
    world: World,
) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    mac = await world.desk(anna, "studio-mac")
    card = await world.request(anna, worker_name="anna-pc")
    grant = await pc.take()
    await pc.report(started(grant), asked(grant))
    world.clock.advance(30 * 60)
    await world.rescue()
    assert (await world.types_of(card))[-1] == "question_parked"
    await pc.report(JobParked.model_validate({**facts(grant), "question_id": "q"}))
    life = (await world.job(card.job_id)).life
    assert (life.state, life.is_held) == (JobState.ASKING, False)
    await world.services.intake.answer(anna.person_id, QuestionId("q"), "sales.csv", "anna")
    assert await mac.offers() == []
    [offer] = pc.fetch()
    assert offer.type == "offer"
    assert offer.job.answers == {"file": "/data/sales.csv"}


async def test_an_answer_that_crosses_the_parking_starts_it_again(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    grant = await pc.take()
    await pc.report(started(grant), asked(grant))
    world.clock.advance(30 * 60)
    await world.rescue()
    await world.services.intake.answer(anna.person_id, QuestionId("q"), "1", "anna")
    await pc.report(JobParked.model_validate({**facts(grant), "question_id": "q"}))
    job = await world.job(card.job_id)
    assert job.life.state is JobState.QUEUED
    assert job.pinned_to == pc.worker_id


async def test_a_default_is_taken_when_nobody_answers(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    await world.request(anna)
    grant = await pc.take()
    await pc.report(started(grant), asked(grant, default="/data/sales.csv"))
    world.clock.advance(30 * 60)
    await world.rescue()
    question = await world.services.views.question(QuestionId("q"))
    assert question is not None
    assert question.answer is not None
    assert (question.answer.by, question.answer.value) == ("default", "/data/sales.csv")


async def test_a_wall_clock_that_jumps_lets_no_question_run_out(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    grant = await pc.take()
    await pc.report(started(grant), asked(grant))
    await world.rescue()
    world.clock.wall += timedelta(days=3)
    await world.rescue()
    assert (await world.types_of(card))[-1] == "question_asked"
    world.clock.wall -= timedelta(days=6)
    world.clock.advance(30 * 60)
    await world.rescue()
    assert (await world.types_of(card))[-1] == "question_parked"


async def test_a_wall_clock_that_jumps_before_anybody_looks_lets_no_question_run_out(
    world: World,
) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    await world.rescue()
    grant = await pc.take()
    await pc.report(started(grant), asked(grant, default="/data/sales.csv"))
    world.clock.wall += timedelta(days=3)
    await world.rescue()
    world.clock.advance(30 * 60 - 1)
    await world.rescue()
    assert (await world.types_of(card))[-1] == "question_asked"
    world.clock.advance(1)
    await world.rescue()
    assert (await world.types_of(card))[-1] == "question_answered"
