"""Jobs that a worker has without a grant of this hub are taken in as its own, and given to nobody.

A computer ran them while no hub was there, or the hub was restored and has forgotten them.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

from hub.store.ledger import begin_epoch
from shared.events import (
    AnswerGiven,
    AnswerSuperseded,
    CancelAsked,
    EventBody,
    JobCancelled,
    JobFailed,
    JobGranted,
    JobQueued,
    JobStarted,
    JobSucceeded,
    LateResult,
    QuestionAnswered,
    QuestionAsked,
    TaskCreated,
    TaskRequested,
)
from shared.ids import JobId, QuestionId, TaskId, WorkerId
from shared.jobs import JobSpec, JobState, Origin
from shared.messages import Decision, Grant, Held, HeldState
from tests.hub import reports
from tests.hub.worlds import Desk, World, held
from tests.makers import LASTING, PASSING, make_asking


def kept(worker_id: WorkerId, kind: str = "code.push", **fields: object) -> TaskRequested:
    return TaskRequested.model_validate(
        {"task_id": TaskId(str(uuid.uuid4())), "job_id": JobId(str(uuid.uuid4())), "kind": kind,
         "text": "push it", "worker_id": worker_id, "is_kept": True, **fields}
    )  # fmt: skip


def grant_of(body: TaskRequested) -> Grant:
    return Grant(job_id=body.job_id, attempt=1, fence=1)


def spec_of(body: TaskRequested) -> JobSpec:
    return JobSpec(
        job_id=body.job_id, task_id=body.task_id, kind=body.kind, title="push", origin=Origin.LOCAL
    )


def started(job: JobSpec, *, attempt: int = 1, fence: int = 1) -> JobStarted:
    return JobStarted(job_id=job.job_id, attempt=attempt, fence=fence, job=job)


def succeeded(job: JobSpec, *, attempt: int = 1, fence: int = 1) -> JobSucceeded:
    return JobSucceeded(
        job_id=job.job_id, attempt=attempt, fence=fence, result=reports.RESULT, running_seconds=1
    )


async def told(world: World, kind: type[EventBody]) -> list[EventBody]:
    facts = await world.services.feed.after(0, 1000)
    return [fact.body for fact in facts if isinstance(fact.body, kind)]


async def restore(world: World) -> None:
    """Restart the hub on a store that says it comes from a backup."""
    await world.database.write(lambda c: begin_epoch(c, world.environment))
    await world.restart()


async def test_a_job_that_a_computer_keeps_is_its_own_and_offered_to_nobody(world: World) -> None:
    anna = await world.person()
    pc, mac = await world.desk(anna), await world.desk(anna, "studio-mac")
    body = kept(pc.worker_id)

    await pc.report(body)

    life = (await world.job(body.job_id)).life
    assert (life.state, life.worker_id, life.attempt, life.fence) == (
        JobState.GRANTED, pc.worker_id, 1, 1,
    )  # fmt: skip
    assert not await pc.offers()
    assert not await mac.offers()


async def test_a_kept_job_is_taken_in_whole_with_its_start_and_its_end(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    body = kept(pc.worker_id)
    then = pc.events(body, started(spec_of(body)), succeeded(spec_of(body)))
    world.clock.advance(3 * 3600)

    await pc.push(then)

    card = await world.services.views.job(anna.person_id, body.job_id)
    assert (card.state, card.text, card.origin) == (JobState.SUCCEEDED, "push it", Origin.LOCAL)
    assert card.job.created_at == world.clock.now() - timedelta(hours=3)
    assert not await told(world, JobQueued), "nobody may take it for a job that waits"
    assert len(await told(world, JobGranted)) == 1


async def test_a_kept_job_that_is_tried_again_is_told_what_was_answered(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    body = kept(pc.worker_id)
    asked = QuestionAsked(
        job_id=body.job_id, attempt=1, fence=1, question_id=QuestionId("q1"), asking=make_asking()
    )
    value = "/data/churn.csv"
    answer = AnswerGiven(
        question_id=asked.question_id, job_id=body.job_id, value=value, is_used=True
    )
    failed = JobFailed(job_id=body.job_id, attempt=1, fence=1, error=LASTING)
    await pc.report(body, started(spec_of(body)), asked, answer, failed)

    await world.services.intake.retry(anna.person_id, body.job_id, "anna")

    [offer] = await pc.offers()
    assert offer.job.answers == {"file": value}


async def test_only_the_computer_that_keeps_a_job_can_say_so(world: World) -> None:
    anna = await world.person()
    pc, mac = await world.desk(anna), await world.desk(anna, "studio-mac")
    body = kept(mac.worker_id)

    await pc.report(body)

    job = await world.job(body.job_id)
    assert job.life.state is JobState.QUEUED
    assert job.pinned_to == mac.worker_id


async def test_a_kept_job_that_comes_again_changes_nothing(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    body = kept(pc.worker_id)
    await pc.report(body, started(spec_of(body)), succeeded(spec_of(body)))
    pc.epoch, pc.seq = 2, 0

    await pc.report(body, started(spec_of(body)), succeeded(spec_of(body)))

    assert (await world.job(body.job_id)).life.state is JobState.SUCCEEDED
    assert len(await world.services.views.jobs(anna.person_id)) == 1
    assert not await told(world, LateResult), "what is told again under new numbers is known"


async def test_a_hub_that_knows_nothing_of_a_job_lets_its_worker_go_on_while_it_tells(
    world: World,
) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    body = kept(pc.worker_id)
    grant = grant_of(body)

    [said] = await pc.come(held(grant, HeldState.RUNNING), outbox_seq=2)

    assert said.decision is Decision.KEEP
    await pc.report(body, started(spec_of(body)))
    assert (await world.job(body.job_id)).life.state is JobState.RUNNING


async def test_a_worker_that_has_told_all_and_holds_an_unknown_job_is_stopped(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    unknown = Held(job_id=JobId("x"), attempt=1, fence=1, state=HeldState.RUNNING)

    [said] = await pc.come(unknown)

    assert said.decision is Decision.ABORT


async def test_a_retry_without_a_hub_ends_the_job_that_it_replaces(world: World) -> None:
    anna = await world.person()
    pc, mac = await world.desk(anna), await world.desk(anna, "studio-mac")
    first = kept(pc.worker_id, kind="probe.run")
    job = spec_of(first)
    failure = JobFailed(job_id=job.job_id, attempt=1, fence=1, error=PASSING)
    second = kept(pc.worker_id, "probe.run", task_id=first.task_id, replaces=first.job_id)

    await pc.report(first, started(job), failure)
    await pc.report(second, started(spec_of(second)))

    assert (await world.job(first.job_id)).life.state is JobState.CANCELLED
    assert (await world.job(second.job_id)).life.state is JobState.RUNNING
    assert len(await told(world, TaskCreated)) == 1, "both belong to one task"
    world.clock.advance(3600)
    assert not await mac.offers()


async def test_a_kept_job_is_stopped_from_a_chat_like_any_other(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    body = kept(pc.worker_id)
    await pc.report(body, started(spec_of(body)))

    await world.services.intake.cancel(anna.person_id, body.job_id, "anna on Telegram")
    [said] = await pc.come(held(grant_of(body), HeldState.RUNNING))
    assert said.decision is Decision.ABORT
    await pc.report(JobCancelled(job_id=body.job_id, attempt=1, fence=1))

    assert (await world.job(body.job_id)).life.state is JobState.CANCELLED


async def test_a_stop_and_its_effect_told_together_end_the_job(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    body = kept(pc.worker_id)

    await pc.report(
        body,
        started(spec_of(body)),
        CancelAsked(job_id=body.job_id),
        JobCancelled(job_id=body.job_id, attempt=1, fence=1),
    )

    assert (await world.job(body.job_id)).life.state is JobState.CANCELLED


# Answers that a job has gone on with.


async def asking(world: World) -> tuple[Desk, QuestionAsked]:
    anna = await world.person()
    pc = await world.desk(anna)
    body = kept(pc.worker_id)
    question = QuestionAsked(
        job_id=body.job_id, attempt=1, fence=1, question_id=QuestionId("q1"), asking=make_asking()
    )
    await pc.report(body, started(spec_of(body)), question)
    return pc, question


async def test_an_answer_that_its_job_has_gone_on_with_beats_an_earlier_one(world: World) -> None:
    pc, question = await asking(world)
    first, second = (choice.value for choice in question.asking.choices[:2])
    intake = world.services.intake
    await intake.answer(pc.person_id, question.question_id, first, "anna on Telegram")

    used = AnswerGiven(
        question_id=question.question_id, job_id=question.job_id, value=second, is_used=True
    )
    await pc.report(used)

    settled = await world.services.views.question(question.question_id)
    assert settled is not None
    assert settled.answer is not None
    assert (settled.answer.value, settled.answer.by) == (second, "anna on anna-pc")
    [superseded] = await told(world, AnswerSuperseded)
    assert isinstance(superseded, AnswerSuperseded)
    assert (superseded.value, superseded.by) == (first, "anna on Telegram")
    assert superseded.counted == settled.answer
    assert len(await told(world, QuestionAnswered)) == 2, "everybody is shown the one that counts"


async def test_another_computer_cannot_claim_that_a_job_went_on_with_its_answer(
    world: World,
) -> None:
    pc, question = await asking(world)
    first, second = (choice.value for choice in question.asking.choices[:2])
    anna = await world.services.registry.person(pc.person_id)
    mac = await world.desk(anna, "studio-mac")
    intake = world.services.intake
    await intake.answer(pc.person_id, question.question_id, first, "anna on Telegram")

    claim = AnswerGiven(
        question_id=question.question_id, job_id=question.job_id, value=second, is_used=True
    )
    await mac.report(claim)

    settled = await world.services.views.question(question.question_id)
    assert settled is not None
    assert settled.answer is not None
    assert settled.answer.value == first
    [superseded] = await told(world, AnswerSuperseded)
    assert isinstance(superseded, AnswerSuperseded)
    assert superseded.by == "anna on studio-mac"


async def test_an_attempt_that_its_worker_began_anew_waits_for_no_earlier_answer(
    world: World,
) -> None:
    pc, question = await asking(world)
    job = JobSpec(
        job_id=question.job_id, task_id=TaskId(str(uuid.uuid4())), kind="code.push", title="push"
    )

    await pc.report(started(job))

    assert (await world.job(question.job_id)).life.state is JobState.RUNNING
    settled = await world.services.views.question(question.question_id)
    assert settled is not None
    assert not settled.state.is_open


# A hub that was restored from a backup.


async def test_a_restored_hub_takes_over_what_it_had_granted_since_the_backup(
    world: World,
) -> None:
    anna = await world.person()
    pc, mac = await world.desk(anna), await world.desk(anna, "studio-mac")
    card = await world.request(anna, "code.push")
    await restore(world)
    spec = JobSpec(job_id=card.job_id, task_id=card.job.task_id, kind=card.kind, title=card.title)

    [said] = await pc.come(held(Grant(job_id=card.job_id, attempt=1, fence=1), HeldState.RUNNING),
                           outbox_seq=1)  # fmt: skip
    await pc.report(started(spec))

    assert said.decision is Decision.KEEP
    life = (await world.job(card.job_id)).life
    assert (life.state, life.worker_id, life.fence) == (JobState.RUNNING, pc.worker_id, 1)
    await mac.come()
    assert not await mac.offers()
    await pc.report(succeeded(spec))
    assert (await world.job(card.job_id)).life.state is JobState.SUCCEEDED


async def test_a_hub_that_was_not_restored_believes_no_grant_that_it_did_not_give(
    world: World,
) -> None:
    anna = await world.person()
    pc = await world.desk(anna, slots=0)
    card = await world.request(anna, "code.push")
    spec = JobSpec(job_id=card.job_id, task_id=card.job.task_id, kind=card.kind, title=card.title)

    recorded = await pc.report(started(spec, fence=7))

    assert [error.code for error in recorded.refused] == ["job_foreign"]
    assert (await world.job(card.job_id)).life.state is JobState.QUEUED


async def test_a_restored_hub_does_not_open_what_has_ended(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna, "code.push")
    grant = await pc.take()
    await pc.report(reports.started(grant), reports.succeeded(grant))
    await restore(world)
    spec = JobSpec(job_id=card.job_id, task_id=card.job.task_id, kind=card.kind, title=card.title)

    recorded = await pc.report(started(spec, attempt=2, fence=2))

    assert [error.code for error in recorded.refused] == ["job_foreign"]
    assert (await world.job(card.job_id)).life.state is JobState.SUCCEEDED


async def test_a_restored_hub_learns_of_whole_jobs_from_the_worker_that_ran_them(
    world: World,
) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    await restore(world)
    await pc.come()
    spec = JobSpec(
        job_id=JobId(str(uuid.uuid4())), task_id=TaskId(str(uuid.uuid4())), kind="code.push",
        title="push shop", origin=Origin.CHAT,
    )  # fmt: skip
    failure = JobFailed(job_id=spec.job_id, attempt=4, fence=3, error=LASTING)

    await pc.report(started(spec, attempt=4, fence=3), failure)

    card = await world.services.views.job(anna.person_id, spec.job_id)
    assert (card.state, card.title, card.origin) == (JobState.FAILED, "push shop", Origin.CHAT)


async def test_another_persons_ids_adopt_nothing(world: World) -> None:
    anna, bert = await world.person(), await world.person("bert")
    pc, evil = await world.desk(anna), await world.desk(bert, "evil")
    mine = kept(pc.worker_id)
    await pc.report(mine)
    stolen_task = kept(evil.worker_id, task_id=mine.task_id)

    recorded = await evil.report(started(spec_of(mine)), stolen_task, started(spec_of(stolen_task)))

    assert [error.code for error in recorded.refused] == ["job_foreign", "task_id_taken"]
    assert (await world.job(mine.job_id)).person_id == anna.person_id
    assert not await world.services.views.jobs(bert.person_id)
