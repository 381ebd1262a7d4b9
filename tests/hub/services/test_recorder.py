"""Reports: once each, in order, and only about what was granted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import JsonValue

from hub.store import events
from shared.events import AttemptEventBody, Event, JobLogged, JobQueued
from shared.ids import JobId, TaskId
from shared.jobs import JobState
from shared.kinds import JsonObject
from shared.messages import Grant
from tests.hub.reports import asked, failed, started, succeeded
from tests.hub.worlds import Desk, World
from tests.makers import NOON


async def test_an_event_that_comes_twice_counts_once(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    grant = await pc.take()
    pushed = (pc.event(started(grant)), pc.event(failed(grant)))
    for _ in range(3):
        recorded = await pc.push(pushed)
        assert recorded.acked_seq == 2
    assert (await world.job(card.job_id)).life.failures == 1
    assert (await world.types_of(card)).count("job_failed") == 1


async def test_a_gap_is_not_jumped(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    await world.request(anna)
    grant = await pc.take()
    first, second = pc.event(started(grant)), pc.event(succeeded(grant))
    assert (await pc.push((second,))).acked_seq == 0
    assert (await pc.push((first, second))).acked_seq == 2


async def test_a_new_epoch_counts_from_one(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    await world.request(anna)
    grant = await pc.take()
    await pc.report(started(grant))
    pc.epoch, pc.seq = 2, 0
    recorded = await pc.report(succeeded(grant))
    assert recorded.acked_seq == 1
    assert (await world.job(grant.job_id)).life.state is JobState.SUCCEEDED


async def evil(world: World) -> tuple[Desk, Desk, Grant]:
    """Anna runs a job; Bert's worker is up to something."""
    anna, bert = await world.person(), await world.person("bert")
    pc, evil = await world.desk(anna), await world.desk(bert, "evil")
    await world.request(anna)
    return pc, evil, await pc.take()


async def test_a_worker_cannot_speak_of_another_persons_job(world: World) -> None:
    _, mallory, grant = await evil(world)
    recorded = await mallory.report(succeeded(grant))
    assert [error.code for error in recorded.refused] == ["job_foreign"]
    assert recorded.acked_seq == 1
    assert (await world.job(grant.job_id)).life.state is JobState.GRANTED
    facts = await world.services.feed.after(0, 100)
    assert mallory.worker_id not in {fact.device for fact in facts}


async def test_a_worker_cannot_speak_of_a_grant_it_never_had(world: World) -> None:
    anna = await world.person()
    pc, mac = await world.desk(anna), await world.desk(anna, "studio-mac", slots=0)
    await world.request(anna)
    grant = await pc.take()
    for forged in (
        (mac, grant),
        (pc, grant.model_copy(update={"fence": 2})),
        (pc, grant.model_copy(update={"attempt": 2})),
        (pc, grant.model_copy(update={"job_id": JobId("nothing")})),
    ):
        recorded = await forged[0].report(succeeded(forged[1]))
        assert [error.code for error in recorded.refused] == ["job_foreign"]
    assert (await world.job(grant.job_id)).life.state is JobState.GRANTED


async def test_a_forged_grant_in_the_log_opens_nothing(world: World) -> None:
    _, mallory, grant = await evil(world)
    forged = Event(
        device=mallory.worker_id,
        epoch=1,
        seq=1,
        at=NOON,
        type="job_granted",
        version=99,
        entity=grant.job_id,
        body={"worker_id": mallory.worker_id, "attempt": 1, "fence": 1, "job_id": grant.job_id},
    )
    mallory.seq = 1
    assert (await mallory.push((forged,))).refused == []
    recorded = await mallory.report(succeeded(grant))
    assert [error.code for error in recorded.refused] == ["job_foreign"]
    history = await world.services.views.history(None, grant.job_id)
    assert "evil" not in {fact.device for fact in history}
    assert len(history) == 2


async def test_a_worker_cannot_write_the_hubs_events_or_broken_ones(world: World) -> None:
    pc, _, grant = await evil(world)
    hubs = JobQueued(
        job_id=grant.job_id, task_id=TaskId("t"), kind="probe.run", title="x", attempt=9
    )
    recorded = await pc.report(hubs)
    assert [error.code for error in recorded.refused] == ["event_not_yours"]
    broken = pc.event(started(grant)).model_copy(update={"body": {"job_id": 7}})
    assert [e.code for e in (await pc.push((broken,))).refused] == ["event_invalid"]
    mislabelled = pc.event(started(grant)).model_copy(update={"entity": "another"})
    assert [e.code for e in (await pc.push((mislabelled,))).refused] == ["event_invalid"]
    assert (await pc.report(started(grant))).refused == []


async def test_an_event_of_a_newer_worker_is_kept_and_passed_on(world: World) -> None:
    pc, _, grant = await evil(world)
    newer = pc.event(JobLogged(job_id=grant.job_id, attempt=1, fence=1, lines=("x",)))
    newer = newer.model_copy(update={"type": "job_dreamt", "body": {"of": ["electric", "sheep"]}})
    assert (await pc.push((newer,))).refused == []
    [*_, last] = await world.services.feed.after(0, 100)
    assert last.event == newer
    assert last.body is None


async def test_a_result_of_another_shape_fails_the_job_with_words(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna, "ml.train")
    grant = await pc.take()
    await pc.report(started(grant), succeeded(grant))
    failed_card = await world.services.views.job(anna.person_id, card.job_id)
    assert failed_card.state is JobState.FAILED
    assert failed_card.error is not None
    assert failed_card.error.code == "result_invalid"


async def test_a_question_of_somebody_elses_id_is_not_taken_over(world: World) -> None:
    pc, mallory, grant = await evil(world)
    await pc.report(started(grant), asked(grant, "q"))
    bert_card = await world.request(
        await world.services.registry.person(mallory.person_id), "probe.run"
    )
    own = await mallory.take()
    forged = asked(own, "q")
    await mallory.report(forged)
    question = (await world.services.views.open_questions(pc.person_id))[0]
    assert question.job_id == grant.job_id
    assert (await world.job(bert_card.job_id)).life.state is JobState.GRANTED


async def test_words_after_the_end_change_nothing(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    grant = await pc.take()
    await pc.report(started(grant), succeeded(grant))
    await pc.report(failed(grant), started(grant), asked(grant))
    assert (await world.job(card.job_id)).life.state is JobState.SUCCEEDED
    assert await world.services.views.open_questions(anna.person_id) == ()
    types = await world.types_of(card)
    assert types.count("late_result") == 1


@pytest.mark.parametrize("report", [started, succeeded, asked])
async def test_a_naive_time_is_read_as_utc(
    world: World, report: Callable[[Grant], AttemptEventBody]
) -> None:
    pc, _, grant = await evil(world)
    naive = pc.event(report(grant)).model_copy(update={"at": NOON.replace(tzinfo=None)})
    await pc.push((naive,))
    [*_, last] = await world.services.views.history(None, grant.job_id)
    assert last.at == NOON


async def test_what_no_frame_can_carry_on_fails_the_job_and_stays_out_of_the_log(
    world: World,
) -> None:
    pc, _, grant = await evil(world)
    huge = succeeded(grant).model_copy(update={"result": {"headline": "x" * 255_000}})
    recorded = await pc.report(started(grant), huge)
    assert [error.code for error in recorded.refused] == ["event_too_large"]
    assert recorded.acked_seq == 2
    card = await world.services.views.job(None, grant.job_id)
    assert card.state is JobState.FAILED
    facts = await world.services.views.history(None, grant.job_id)
    assert facts[-1].type == "job_failed"
    assert max(len(fact.event.model_dump_json()) for fact in facts) < 2000


async def test_a_question_cannot_hide_another_ones_answer_in_its_id(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    await world.request(anna)
    grant = await pc.take()
    recorded = await pc.report(started(grant), asked(grant, "019aa000-other-question yes"))
    assert [error.code for error in recorded.refused] == ["event_invalid"]
    assert await world.services.views.open_questions(anna.person_id) == ()


def nested(depth: int) -> JsonValue:
    value: JsonValue = "deep"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("body", [{"a": nested(31)}, {"a": "x" * (255 * 1024)}])
async def test_what_cannot_be_passed_on_is_not_kept_even_when_it_is_not_understood(
    world: World, body: JsonObject
) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    event = pc.event(started(Grant(job_id=JobId("j"), attempt=1, fence=1)))
    event = event.model_copy(update={"type": "novel", "body": body})
    recorded = await pc.push((event,))
    assert recorded.acked_seq == 1
    assert [error.code for error in recorded.refused] == ["event_too_large"]
    facts = await world.services.feed.after(0, 100)
    assert "novel" not in {fact.type for fact in facts}


async def test_a_result_that_nests_too_deep_fails_its_job(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    grant = await pc.take()
    deep = succeeded(grant)
    deep = deep.model_copy(update={"result": {**deep.result, "extra": nested(31)}})
    recorded = await pc.report(started(grant), deep)
    assert [error.code for error in recorded.refused] == ["event_too_large"]
    assert (await world.job(card.job_id)).life.state is not JobState.RUNNING


def logged(grant: Grant) -> JobLogged:
    return JobLogged(job_id=grant.job_id, attempt=grant.attempt, fence=grant.fence, lines=("one",))


async def test_what_a_copied_store_tells_again_in_its_next_epoch_counts_once(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    grant = await pc.take()
    told = pc.events(started(grant), logged(grant))
    await pc.push(told)
    again = [event.model_copy(update={"epoch": 2}) for event in told]
    pc.epoch, pc.seq = 2, len(again)
    recorded = await pc.push((*again, pc.event(succeeded(grant))))
    assert recorded.acked_seq == 3
    assert not recorded.refused
    types = await world.types_of(card)
    assert [types.count(one) for one in ("job_started", "job_logged", "job_succeeded")] == [1, 1, 1]
    assert (await world.job(card.job_id)).life.state is JobState.SUCCEEDED


async def test_the_same_words_at_another_moment_are_news_in_a_new_epoch(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    card = await world.request(anna)
    grant = await pc.take()
    line = logged(grant)
    first = pc.event(line)
    world.clock.advance(1)
    await pc.push((first, pc.event(started(grant))))
    pc.epoch, pc.seq = 2, 0
    other = pc.event(line)
    await pc.push((other,))
    assert (await world.types_of(card)).count("job_logged") == 2


async def test_the_hub_knows_the_last_event_of_a_log_by_its_digest(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    await world.request(anna)
    grant = await pc.take()
    first, second = pc.events(started(grant), succeeded(grant))
    await pc.push((first,))
    acked = await world.ledger.read(lambda c: events.acked(c, pc.worker_id, 1))
    assert acked == (1, first.digest)
    await pc.push((first, second))
    acked = await world.ledger.read(lambda c: events.acked(c, pc.worker_id, 1))
    assert acked == (2, second.digest)
