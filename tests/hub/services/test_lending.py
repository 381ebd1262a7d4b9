"""Parts that other workers run: queued like any job, and their end is told once it stands."""

from __future__ import annotations

import uuid

import pytest

from hub.core.fact import Fact
from hub.services import lending
from hub.store import lineage, queue
from shared.capabilities import Capability
from shared.events import (
    JobQueued,
    JobStarted,
    PartSettled,
    QuestionAsked,
    RequestRefused,
    TaskRequested,
    WorkerOffers,
)
from shared.ids import JobId, TaskId
from shared.jobs import NO_SESSION, JobSpec, JobState, Origin, Priority
from shared.messages import EpochBefore, Grant
from tests.hub.reports import asked, failed, started, succeeded
from tests.hub.worlds import Desk, World
from tests.makers import LASTING, PASSING, PUSH

LONG_SECONDS = 3600.0
PLANNER = (Capability(kind="plan"),)
OTHERS = (Capability(kind=PUSH.name), Capability(kind="probe.run"))


async def a_plan(world: World, origin: Origin = Origin.CHAT) -> tuple[Desk, Desk, Grant]:
    """A worker that runs a plan and nothing else, and one that runs the rest."""
    anna = await world.person()
    pc = await world.desk(anna, "anna-pc", PLANNER)
    lab = await world.desk(anna, "lab", OTHERS)
    await world.request(anna, "plan", origin=origin, priority=Priority.HIGH)
    grant = await pc.take()
    await pc.report(started(grant))
    return pc, lab, grant


async def step_of(
    world: World, grant: Grant, kind: str = "probe.run", **fields: object
) -> TaskRequested:
    task_id = (await world.job(grant.job_id)).task_id
    return TaskRequested.model_validate(
        {"task_id": task_id, "job_id": str(uuid.uuid4()), "kind": kind, "title": "Push it",
         "part_of": grant.job_id, "step": 1, **fields}
    )  # fmt: skip


async def facts(world: World, entity: str = "") -> list[Fact]:
    return [f for f in await world.services.feed.after(0, 1000) if entity in ("", f.entity)]


async def settled(world: World) -> list[PartSettled]:
    return [f.body for f in await facts(world) if isinstance(f.body, PartSettled)]


async def state(world: World, job_id: JobId) -> JobState:
    return (await world.job(job_id)).life.state


async def test_a_lent_part_is_an_ordinary_job_without_its_owners_rights(world: World) -> None:
    pc, lab, grant = await a_plan(world, Origin.LOCAL)
    step = await step_of(world, grant)
    await pc.report(step)
    job = await world.job(step.job_id)
    assert (job.part_of, job.is_lent, job.priority) == (grant.job_id, True, Priority.HIGH)
    assert (await world.services.views.job(pc.person_id, step.job_id)).origin is Origin.CHAT
    assert (await world.job(grant.job_id)).pinned_to == pc.worker_id

    [offer] = await lab.offers()
    assert offer.job.session_id == NO_SESSION
    given = await lab.accept(offer)
    assert isinstance(given, Grant)
    assert (await world.job(step.job_id)).session_id is None
    await lab.report(started(given), succeeded(given))
    [told] = await settled(world)
    assert (told.job_id, told.part_of, told.state) == (step.job_id, grant.job_id, "succeeded")
    assert all(f.is_of_part for f in await facts(world, step.job_id)), "its maker's news is told"


async def test_what_a_part_asks_is_told_as_any_question_is(world: World) -> None:
    pc, lab, grant = await a_plan(world)
    step = await step_of(world, grant)
    await pc.report(step)
    given = await lab.take()
    await lab.report(started(given), asked(given))
    [question] = [f for f in await facts(world) if isinstance(f.body, QuestionAsked)]
    assert not question.is_of_part
    [waiting] = await world.services.views.open_questions(pc.person_id)
    await world.services.intake.answer(
        pc.person_id, waiting.question_id, "/data/sales.csv", "anna on the web"
    )
    [answered] = [f for f in await facts(world) if f.type == "question_answered"]
    assert not answered.is_of_part


@pytest.mark.parametrize("what", ["over", "another's", "unplanned", "unknown", "no plan"])
async def test_parts_are_lent_only_for_plans_in_a_workers_hands(world: World, what: str) -> None:
    pc, lab, grant = await a_plan(world)
    teller, step = pc, await step_of(world, grant)
    match what:
        case "over":
            await world.services.intake.cancel(pc.person_id, grant.job_id, "anna")
        case "another's":
            teller = lab
        case "unplanned":
            step = await step_of(world, grant, "plan")
        case "unknown":
            step = await step_of(world, grant, "no.such")
        case _:
            await pc.report(await step_of(world, grant))
            other = await lab.take()
            teller, step = lab, await step_of(world, other)
    await teller.report(step)
    refused = [f.body for f in await facts(world) if isinstance(f.body, RequestRefused)]
    assert [body.job_id for body in refused] == [step.job_id]


async def test_a_lent_part_is_tried_again_and_settled_once_it_is_given_up(world: World) -> None:
    pc, lab, grant = await a_plan(world)
    step = await step_of(world, grant)
    await pc.report(step)
    for _ in range(3):
        assert await settled(world) == []
        given = await lab.take()
        await lab.report(started(given), failed(given, PASSING))
        world.clock.advance(LONG_SECONDS)
    [told] = await settled(world)
    assert (told.state, told.error) == (JobState.DEAD, PASSING)
    reasons = [f.body.reason for f in await facts(world) if isinstance(f.body, JobQueued)]
    assert reasons.count("retry") == 2


async def test_a_failure_that_no_retry_mends_settles_a_lent_part(world: World) -> None:
    pc, lab, grant = await a_plan(world)
    await pc.report(await step_of(world, grant))
    given = await lab.take()
    await lab.report(started(given), failed(given, LASTING))
    [told] = await settled(world)
    assert (told.state, told.error) == (JobState.FAILED, LASTING)


@pytest.mark.parametrize("kind", ["probe.run", PUSH.name])
async def test_a_lent_part_that_is_lost_asks_nobody(world: World, kind: str) -> None:
    pc, lab, grant = await a_plan(world)
    step = await step_of(world, grant, kind)
    await pc.report(step)
    await lab.report(started(await lab.take()))
    lab.go()
    await lab.come()  # without it
    assert not await world.services.views.open_questions(pc.person_id)
    if kind == PUSH.name:
        [told] = await settled(world)
        assert told.error is not None
        assert (told.state, told.error.code) == (JobState.FAILED, "interrupted")
    else:
        assert await state(world, step.job_id) is JobState.QUEUED


async def test_a_kept_part_that_is_lost_and_may_not_run_twice_fails(world: World) -> None:
    pc, _, grant = await a_plan(world)
    kept = await step_of(world, grant, PUSH.name, is_kept=True, worker_id=pc.worker_id)
    await pc.report(kept)
    pc.go()
    await pc.come()
    card = await world.services.views.job(pc.person_id, kept.job_id)
    assert card.error is not None
    assert (card.state, card.error.code) == (JobState.FAILED, "interrupted")


async def test_lent_parts_end_with_their_maker(world: World) -> None:
    pc, lab, grant = await a_plan(world)
    waiting, running = await step_of(world, grant), await step_of(world, grant, PUSH.name)
    await pc.report(running)
    given = await lab.take()
    await lab.report(started(given))
    lab.go()
    await pc.report(waiting)
    await world.services.intake.cancel(pc.person_id, grant.job_id, "anna")
    assert await state(world, waiting.job_id) is JobState.CANCELLED
    assert (await world.job(running.job_id)).life.cancel_by, "its holder is asked to stop"


async def test_lent_parts_end_when_their_maker_has_ended_well(world: World) -> None:
    pc, lab, grant = await a_plan(world)
    step = await step_of(world, grant)
    await pc.report(step)
    lab.go()
    done = succeeded(grant)
    result = {"headline": "Done.", "goal": "It"}
    await pc.report(done.model_copy(update={"result": result}))
    assert await state(world, grant.job_id) is JobState.SUCCEEDED
    assert await state(world, step.job_id) is JobState.CANCELLED


async def test_a_restored_hub_takes_a_part_back_that_it_knew_as_no_part(world: World) -> None:
    pc, lab, grant = await a_plan(world)
    step = await step_of(world, grant)
    spec = JobSpec(
        job_id=step.job_id, task_id=TaskId(step.task_id), kind="probe.run", title="Push it",
        origin=Origin.CHAT,
    )  # fmt: skip
    adopted = Grant(job_id=step.job_id, attempt=1, fence=1)
    begun = JobStarted.model_validate(
        {"job_id": step.job_id, "attempt": 1, "fence": 1, "job": spec}
    )
    await lab.report(begun, succeeded(adopted))
    assert await settled(world) == []
    await pc.report(step)
    [told] = await settled(world)
    assert (told.job_id, told.state) == (step.job_id, JobState.SUCCEEDED)
    assert (await world.job(step.job_id)).part_of == grant.job_id
    await pc.report(step.model_copy(update={"task_id": step.task_id}))
    assert len(await settled(world)) == 1, "claimed once"


@pytest.mark.parametrize("kind", ["probe.run", PUSH.name])
async def test_a_restored_hub_runs_nothing_twice_that_it_is_asked_for_again(
    world: World, kind: str
) -> None:
    pc, _, grant = await a_plan(world)
    [told] = pc.events(await step_of(world, grant, kind))
    world.clock.advance(60)
    lost = EpochBefore(hub_epoch="before", upto=1)
    await world.ledger.write(lambda e: lineage.add(e.connection, [lost], e.now))
    await pc.push((told,))
    ended = [(body.state, body.error and body.error.code) for body in await settled(world)]
    assert ended == ([(JobState.FAILED, "interrupted")] if kind == PUSH.name else [])


async def test_lent_parts_survive_a_restart_of_the_hub(world: World) -> None:
    pc, lab, grant = await a_plan(world)
    step = await step_of(world, grant)
    await pc.report(step)
    await world.restart()
    await lab.come()
    given = await lab.take()
    assert given.job_id == step.job_id


async def test_no_more_than_so_many_are_lent_at_once(world: World) -> None:
    pc, _, grant = await a_plan(world)
    await pc.report(*[await step_of(world, grant) for _ in range(lending.OPEN_MAX + 2)])
    open_ones = await world.ledger.write(lambda entry: queue.lent(entry, grant.job_id))
    assert len(open_ones) == lending.OPEN_MAX


async def test_what_workers_offer_is_told_when_it_has_changed(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna, "anna-pc", PLANNER)
    pc.go()
    await pc.come()
    pc.capabilities = (*PLANNER, *OTHERS)
    await pc.come()
    told = [f.body.kinds for f in await facts(world) if isinstance(f.body, WorkerOffers)]
    assert told == [("plan",), (PUSH.name, "plan", "probe.run")]
