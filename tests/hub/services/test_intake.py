"""What people ask for: checked, deduplicated, pinned, refused with reasons."""

from __future__ import annotations

import asyncio

import pytest

from hub.core.access import Person
from hub.core.placement import WaitingReason
from hub.services.requests import Request
from shared.errors import AppError
from shared.ids import ConversationId, JobId, QuestionId, WorkerId
from shared.jobs import JobState, Priority
from shared.kinds import JsonObject
from tests.hub.worlds import World
from tests.makers import make_asking

CHAT = ConversationId("console:me")


async def test_a_request_is_a_task_with_one_queued_job(world: World) -> None:
    anna = await world.person()
    card = await world.request(
        anna, "ml.train", inputs={"file": "sales.csv", "target": "Churn"}, text="/train sales.csv"
    )
    assert card == await world.services.views.job(anna.person_id, card.job_id)
    assert card.title == "train sales.csv Churn"
    assert card.inputs == {"file": "sales.csv", "target": "Churn"}
    [task] = await world.services.views.tasks(anna.person_id)
    assert task.text == "/train sales.csv"
    assert await world.services.views.jobs_of_task(task.task_id) == (card,)
    facts = await world.services.feed.after(0, 10)
    assert [fact.type for fact in facts] == ["task_created", "job_queued"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"kind": "ml.dance"}, "kind_unknown"),
        ({"kind": "ml.train", "inputs": {"budget_seconds": -1}}, "inputs_invalid"),
        ({"kind": "ml.train", "inputs": {"flie": "x"}}, "inputs_invalid"),
        ({"kind": "ml.train", "text": "x" * 20_000}, "text_too_long"),
        ({"kind": "ml.train", "dedupe": "x" * 201}, "dedupe_too_long"),
        ({"kind": "ml.train", "worker_name": "nobody"}, "worker_unknown"),
        ({"kind": "ml.train", "worker_id": WorkerId("x")}, "worker_unknown"),
    ],
)
async def test_a_bad_request_is_refused_with_a_hint_and_leaves_nothing(
    world: World, fields: dict[str, object], code: str
) -> None:
    anna = await world.person()
    with pytest.raises(AppError) as caught:
        await world.request(anna, **fields)  # type: ignore[arg-type]
    assert caught.value.code == code
    assert await world.services.views.tasks(anna.person_id) == ()


async def test_the_same_request_twice_is_one_job(world: World) -> None:
    anna = await world.person()
    request = Request(person_id=anna.person_id, kind="probe.run", dedupe="update 7")
    receipts = await asyncio.gather(*(world.services.intake.request(request) for _ in range(5)))
    assert len({receipt.card.job_id for receipt in receipts}) == 1
    assert sorted(receipt.is_repeat for receipt in receipts) == [False, True, True, True, True]


async def test_a_key_that_comes_back_with_another_wish_is_refused(world: World) -> None:
    anna = await world.person()
    bert = await world.person("bert")
    await world.request(anna, "probe.run", dedupe="k")
    with pytest.raises(AppError) as caught:
        await world.request(anna, "probe.run", dedupe="k", inputs={"branch": "x"})
    assert caught.value.code == "dedupe_reused"
    await world.request(bert, "probe.run", dedupe="k", inputs={"branch": "x"})


async def test_a_receipt_says_why_the_job_waits(world: World) -> None:
    anna = await world.person()
    request = Request(person_id=anna.person_id, kind="probe.run")
    alone = await world.services.intake.request(request)
    assert alone.waiting is not None
    assert alone.waiting.reason is WaitingReason.NO_WORKER
    pc = await world.desk(anna)
    assert (await world.services.intake.request(request)).waiting is None
    pc.go()
    away = await world.services.intake.request(request)
    assert away.waiting is not None
    assert (away.waiting.reason, away.waiting.worker) == (WaitingReason.WORKER_OFFLINE, "anna-pc")


async def test_a_name_in_any_case_pins_a_job(world: World) -> None:
    anna = await world.person()
    await world.desk(anna)
    mac = await world.desk(anna, "Studio-Mac")
    card = await world.request(anna, worker_name="studio-mac")
    assert card.job.pinned_to == mac.worker_id


async def test_a_prediction_goes_where_the_conversation_trained(world: World) -> None:
    anna = await world.person()
    await world.desk(anna, "studio-mac", slots=0)
    pc = await world.desk(anna)
    await world.request(anna, "ml.train", conversation=CHAT)
    grant = await pc.take()
    await world.ledger.write(
        lambda entry: entry.connection.execute(
            "UPDATE jobs SET state = 'succeeded', is_held = 0 WHERE job_id = ?", (grant.job_id,)
        )
    )
    here = await world.request(anna, "ml.predict", conversation=CHAT)
    elsewhere = await world.request(anna, "ml.predict", conversation=ConversationId("other"))
    assert here.job.pinned_to == pc.worker_id
    assert elsewhere.job.pinned_to is None


async def test_what_is_asked_of_a_run_goes_where_it_was_though_it_failed(world: World) -> None:
    anna, bert = await world.person(), await world.person("bert")
    await world.desk(anna, "studio-mac")
    pc = await world.desk(anna)
    run = await world.request(anna, "llm.run", worker_name="anna-pc")
    await world.ledger.write(
        lambda entry: entry.connection.execute(
            "UPDATE jobs SET state = 'failed', is_held = 0, worker_id = ? WHERE job_id = ?",
            (pc.worker_id, run.job_id),
        )
    )

    async def pinned(person: Person, kind: str, **inputs: str) -> WorkerId | None:
        return (await world.request(person, kind, inputs=inputs)).job.pinned_to

    assert await pinned(anna, "llm.run", again=run.job_id) == pc.worker_id
    assert await pinned(anna, "llm.stats", run=f"#{run.short}") == pc.worker_id
    assert await pinned(anna, "llm.transcript", run=run.short.lower()) == pc.worker_id
    assert await pinned(anna, "llm.run", definition="dilemmas.yaml") is None
    assert await pinned(anna, "llm.stats", run="1") is None
    assert await pinned(bert, "llm.stats", run=run.job_id) is None


async def test_nobody_touches_another_persons_things(world: World) -> None:
    anna = await world.person()
    bert = await world.person("bert")
    pc = await world.desk(anna)
    card = await world.request(anna)
    grant = await pc.take()
    names: JsonObject = {
        "job_id": grant.job_id,
        "attempt": 1,
        "fence": 1,
        "question_id": "q",
        "asking": make_asking().model_dump(mode="json"),
    }
    from shared.events import QuestionAsked

    await pc.report(QuestionAsked.model_validate(names))
    intake, views = world.services.intake, world.services.views
    for refused in (
        intake.cancel(bert.person_id, card.job_id, "bert"),
        intake.retry(bert.person_id, card.job_id, "bert"),
        intake.answer(bert.person_id, QuestionId("q"), "1", "bert"),
        views.job(bert.person_id, card.job_id),
        views.find_job(bert.person_id, card.short),
        views.history(bert.person_id, card.job_id),
        world.services.registry.revoke(bert.person_id, pc.worker_id, "bert"),
        world.services.registry.pause(bert.person_id, pc.worker_id, is_paused=True),
    ):
        with pytest.raises(AppError) as caught:
            await refused
        assert caught.value.code in ("job_unknown", "question_unknown", "worker_unknown")
    assert await views.jobs(bert.person_id) == ()
    assert await views.workers(bert.person_id) == ()
    assert await views.open_questions(bert.person_id) == ()


async def test_cancelling_twice_is_no_error_and_too_late_is(world: World) -> None:
    anna = await world.person()
    intake = world.services.intake
    card = await world.request(anna)
    for _ in range(2):
        again = await intake.cancel(anna.person_id, card.job_id, "anna")
        assert again.state is JobState.CANCELLED
    assert (await world.types_of(card)).count("job_cancelled") == 1
    with pytest.raises(AppError) as caught:
        await intake.retry(anna.person_id, card.job_id, "anna")
    assert caught.value.code == "job_cancelled"
    with pytest.raises(AppError) as caught:
        await intake.cancel(anna.person_id, JobId("nothing"), "anna")
    assert caught.value.code == "job_unknown"


async def test_a_thousand_at_once_are_all_there(world: World) -> None:
    anna = await world.person()
    await asyncio.gather(*(world.request(anna) for _ in range(1000)))
    status = await world.services.views.queue_status(anna.person_id)
    assert status.waiting == {Priority.HIGH: 0, Priority.DEFAULT: 1000, Priority.LOW: 0}
    assert world.board.ready_count(anna.person_id) == 1000


async def test_what_passed_the_door_before_a_lock_starts_nothing_behind_it(world: World) -> None:
    anna = await world.person()
    desk = await world.desk(anna)
    card = await world.request(anna)
    services, intake = world.services, world.services.intake
    await services.registry.lock(anna.person_id, "anna on Telegram")
    assert await intake.cancel_all(anna.person_id, "anna on Telegram") == 1
    late = (
        world.request(anna),
        intake.retry(anna.person_id, card.job_id, "eve"),
        intake.move(anna.person_id, card.job_id, desk.worker_id, "eve"),
        intake.answer(anna.person_id, QuestionId("any"), "yes", "eve"),
    )
    for doing in late:
        with pytest.raises(AppError) as caught:
            await doing
        assert caught.value.code == "account_locked"
    assert len(await services.views.jobs(anna.person_id)) == 1
