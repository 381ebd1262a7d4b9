"""What a person wants forgotten is gone from the hub, and is brought back by nobody."""

from __future__ import annotations

import uuid
from datetime import timedelta

from hub.core.fact import Fact
from hub.services.retention import Retention
from hub.store import events, purging
from shared.events import (
    JobLogged,
    JobStarted,
    JobSucceeded,
    PurgeAsked,
    RequestRefused,
    TaskPurged,
    TaskRequested,
)
from shared.ids import JobId, TaskId
from shared.jobs import JobSpec
from tests.hub.worlds import Desk, World

SECRET = "the-merger-with-acme"


def asked(pc: Desk, **fields: object) -> TaskRequested:
    return TaskRequested.model_validate(
        {"task_id": TaskId(str(uuid.uuid4())), "job_id": JobId(str(uuid.uuid4())),
         "kind": "probe.run", "text": SECRET, "title": SECRET, "worker_id": pc.worker_id,
         "is_kept": True, **fields}
    )  # fmt: skip


def whole_job(body: TaskRequested) -> tuple[JobStarted, JobLogged, JobSucceeded]:
    names = {"job_id": body.job_id, "attempt": 1, "fence": 1}
    spec = JobSpec(job_id=body.job_id, task_id=body.task_id, kind=body.kind, title=SECRET)
    return (
        JobStarted.model_validate({**names, "job": spec}),
        JobLogged.model_validate({**names, "lines": (SECRET,)}),
        JobSucceeded.model_validate(
            {**names, "result": {"headline": SECRET}, "running_seconds": 1}
        ),
    )


async def refusals(world: World) -> list[str]:
    facts = await world.services.feed.after(0, 1000)
    return [f.body.error.code for f in facts if isinstance(f.body, RequestRefused)]


async def test_what_a_forgotten_task_told_is_not_read_on_from_memory(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    body = asked(pc)
    await pc.report(body, *whole_job(body))
    assert SECRET in str(await world.services.feed.after(0, 1000))

    await pc.report(PurgeAsked(task_id=body.task_id))

    facts = await world.services.feed.after(0, 1000)
    assert SECRET not in str(facts)
    assert [fact.type for fact in facts][-1] == "task_purged"


async def test_nothing_that_a_forgotten_task_told_is_left_in_the_store(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    body = asked(pc)
    await pc.report(body, *whole_job(body))

    await pc.report(PurgeAsked(task_id=body.task_id))

    await world.restart()
    facts = await world.services.feed.after(0, 1000)
    [purged] = [fact.body for fact in facts if isinstance(fact.body, TaskPurged)]
    assert (purged.task_id, purged.job_ids, purged.by) == (
        body.task_id, (body.job_id,), "anna on anna-pc",
    )  # fmt: skip
    assert not await world.services.views.jobs(anna.person_id)
    world.database.close()  # which writes the log of pages back
    files = [path for path in world.folder.iterdir() if path.is_file()]
    left = [path.name for path in files if SECRET in path.read_text("latin1")]
    assert left == [], "the words are gone from the files, not only from the tables"


async def test_a_task_that_goes_on_is_not_forgotten(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    body = asked(pc)
    await pc.report(body, whole_job(body)[0])

    await pc.report(PurgeAsked(task_id=body.task_id))

    assert await refusals(world) == ["task_not_ended"]
    assert len(await world.services.views.jobs(anna.person_id)) == 1


async def test_nobody_forgets_for_somebody_else(world: World) -> None:
    anna, bert = await world.person(), await world.person("bert")
    pc, evil = await world.desk(anna), await world.desk(bert, "evil")
    body = asked(pc)
    await pc.report(body, *whole_job(body))

    await evil.report(PurgeAsked(task_id=body.task_id))

    assert await refusals(world) == ["task_unknown"]
    assert len(await world.services.views.jobs(anna.person_id)) == 1


async def test_a_computer_that_was_restored_does_not_bring_back_what_was_forgotten(
    world: World,
) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    body = asked(pc)
    await pc.report(body, *whole_job(body))
    await pc.report(PurgeAsked(task_id=body.task_id))
    pc.epoch, pc.seq = 2, 0

    await pc.report(body, *whole_job(body))

    assert not await world.services.views.jobs(anna.person_id)
    assert await refusals(world) == ["task_purged"]


async def test_old_lines_are_forgotten_and_what_became_of_their_jobs_is_not(
    world: World,
) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    old, after, recent = asked(pc), asked(pc), asked(pc)
    await pc.report(old, *whole_job(old))
    await pc.report(after)
    world.clock.advance(timedelta(days=91).total_seconds())
    await pc.report(recent, *whole_job(recent))
    retention = Retention(world.ledger, log_days=90)

    assert not await retention.run_once()

    facts = await world.services.feed.after(0, 1000)
    assert [f.entity for f in await stored(world) if f.type == "job_logged"] == [recent.job_id]
    assert len(facts) > 5
    assert len(await world.services.views.jobs(anna.person_id)) == 3
    card = await world.services.views.job(anna.person_id, old.job_id)
    assert card.result == {"headline": SECRET}


async def stored(world: World) -> list[Fact]:
    return await world.ledger.read(lambda c: events.after(c, 0, 1000))


async def test_a_log_is_gone_through_a_stretch_at_a_time(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    for _ in range(3):
        body = asked(pc)
        await pc.report(body, *whole_job(body))
    await pc.report(asked(pc))
    world.clock.advance(timedelta(days=91).total_seconds())
    before = world.clock.now() - timedelta(days=90)

    rounds = 0
    while await world.ledger.write(lambda entry: purging.forget_lines(entry, before)):
        rounds += 1

    assert rounds == 0, "three jobs are one stretch"
    assert not [f for f in await stored(world) if f.type == "job_logged"]
