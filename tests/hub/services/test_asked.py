"""What a person asks for at their own computer is done once, or told why not."""

from __future__ import annotations

import uuid

import pytest

from shared.events import (
    AnswerGiven,
    AnswerSuperseded,
    CancelAsked,
    RequestRefused,
    RetryAsked,
    TaskRequested,
)
from shared.ids import JobId, QuestionId, TaskId, WorkerId
from shared.jobs import JobState, Origin
from tests.hub.reports import asked, started
from tests.hub.worlds import World


def new_request(worker_id: WorkerId | None = None, kind: str = "data.describe") -> TaskRequested:
    return TaskRequested(
        task_id=TaskId(str(uuid.uuid4())),
        job_id=JobId(str(uuid.uuid4())),
        kind=kind,
        text="look at it",
        worker_id=worker_id,
    )


async def refusals(world: World) -> list[RequestRefused]:
    facts = await world.services.feed.after(0, 1000)
    return [fact.body for fact in facts if isinstance(fact.body, RequestRefused)]


async def test_a_task_asked_for_at_a_computer_keeps_the_ids_made_there(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    body = new_request()
    await pc.report(body)
    card = await world.job(body.job_id)
    assert (card.job_id, card.task_id) == (body.job_id, body.task_id)
    assert (await pc.take()).job_id == body.job_id


async def test_a_request_that_comes_again_makes_no_second_job(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    body = new_request()
    await pc.report(body)
    pc.epoch, pc.seq = 2, 0
    await pc.report(body)
    assert len(await world.services.views.jobs(anna.person_id)) == 1
    assert not await refusals(world)


@pytest.mark.parametrize("is_here", [True, False])
async def test_the_owners_rights_are_asked_for_on_the_machine_itself_alone(
    world: World, *, is_here: bool
) -> None:
    anna = await world.person()
    pc, mac = await world.desk(anna), await world.desk(anna, "studio-mac")
    body = new_request(pc.worker_id if is_here else mac.worker_id)
    await pc.report(body)
    card = await world.services.views.job(anna.person_id, body.job_id)
    assert card.origin is (Origin.LOCAL if is_here else Origin.CHAT)
    assert card.job.pinned_to == body.worker_id


async def test_what_cannot_be_done_is_told_back_and_the_log_goes_on(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    odd = new_request(kind="no.such")
    recorded = await pc.report(odd)
    assert recorded.acked_seq == 1
    (refused,) = await refusals(world)
    assert (refused.job_id, refused.error.code) == (odd.job_id, "kind_unknown")
    assert (refused.request, refused.by) == ("task_requested", pc.worker_id)
    good = new_request()
    await pc.report(good)
    assert (await world.job(good.job_id)).life.state is JobState.QUEUED


async def test_another_persons_job_is_neither_answered_nor_stopped(world: World) -> None:
    anna, bert = await world.person(), await world.person("bert")
    pc, evil = await world.desk(anna), await world.desk(bert, "evil")
    await world.request(anna)
    grant = await pc.take()
    await pc.report(started(grant))
    question = asked(grant)
    await pc.report(question)
    for body in (
        CancelAsked(job_id=grant.job_id),
        RetryAsked(job_id=grant.job_id),
        AnswerGiven(question_id=question.question_id, job_id=grant.job_id, value="yes"),
        TaskRequested(task_id=TaskId(str(uuid.uuid4())), job_id=grant.job_id, kind="data.describe"),
    ):
        await evil.report(body)
    assert [r.error.code for r in await refusals(world)] == [
        "job_unknown",
        "job_unknown",
        "question_unknown",
        "job_id_taken",
    ]
    job = await world.job(grant.job_id)
    assert (job.life.state, job.life.cancel_by) == (JobState.ASKING, "")


async def test_an_answer_of_a_computer_counts_and_names_it(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    await world.request(anna)
    grant = await pc.take()
    await pc.report(started(grant))
    question = asked(grant)
    await pc.report(question)
    choice = question.asking.choices[0].value if question.asking.choices else "flights.csv"
    given = AnswerGiven(question_id=question.question_id, job_id=grant.job_id, value=choice)
    await pc.report(given)
    settled = await world.services.views.question(QuestionId(question.question_id))
    assert settled is not None
    assert settled.answer is not None
    assert (settled.answer.value, settled.answer.by) == (choice, "anna on anna-pc")
    await pc.report(given)
    other = given.model_copy(update={"value": question.asking.choices[1].value})
    await pc.report(other)
    assert not await refusals(world)
    facts = await world.services.feed.after(0, 1000)
    (second,) = [fact.body for fact in facts if isinstance(fact.body, AnswerSuperseded)]
    assert (second.value, second.counted) == (other.value, settled.answer)


async def test_stop_and_try_again_from_a_computer(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna, slots=0)
    body = new_request()
    await pc.report(body)
    await pc.report(CancelAsked(job_id=body.job_id))
    assert (await world.job(body.job_id)).life.state is JobState.CANCELLED
    await pc.report(RetryAsked(job_id=body.job_id))
    (refused,) = await refusals(world)
    assert (refused.request, refused.error.code) == ("retry_asked", "job_cancelled")


async def test_a_locked_person_starts_nothing_from_a_computer_either(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    await world.services.registry.lock(anna.person_id, "anna on Telegram")
    await pc.report(new_request())
    (refused,) = await refusals(world)
    assert refused.error.code == "account_locked"


async def test_an_id_that_is_none_is_refused(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    await pc.report(new_request().model_copy(update={"job_id": JobId("../x")}))
    (refused,) = await refusals(world)
    assert refused.error.code == "job_id_invalid"
