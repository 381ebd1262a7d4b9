"""A worker's token alone does not speak for it: what it reports carries its signature."""

from __future__ import annotations

from shared.events import Event, WorkerMistrusted
from shared.jobs import JobState
from shared.messages import Grant
from shared.signatures import signed
from tests.hub.reports import started, succeeded
from tests.hub.worlds import Desk, World

DAY_SECONDS = 24 * 3600


async def granted(world: World) -> tuple[Desk, Grant]:
    anna = await world.person()
    pc = await world.desk(anna)
    await world.request(anna)
    return pc, await pc.take()


def by_its_key(pc: Desk, event: Event) -> Event:
    assert pc.key is not None
    return signed(event, pc.key.sign)


async def warnings(world: World) -> list[WorkerMistrusted]:
    facts = await world.services.feed.after(0, 1000)
    return [fact.body for fact in facts if isinstance(fact.body, WorkerMistrusted)]


async def test_a_signed_report_counts_and_its_signature_is_kept(world: World) -> None:
    pc, grant = await granted(world)
    told = by_its_key(pc, pc.event(started(grant)))
    assert (await pc.push((told,))).refused == []
    [kept] = [f for f in await world.services.feed.after(0, 1000) if f.device == pc.worker_id]
    assert kept.event.signature == told.signature


async def test_a_forged_report_is_refused_and_the_log_goes_on(world: World) -> None:
    pc, grant = await granted(world)
    first = by_its_key(pc, pc.event(started(grant)))
    forged = pc.event(succeeded(grant)).model_copy(update={"signature": first.signature})
    recorded = await pc.push((first, forged))
    assert [error.code for error in recorded.refused] == ["event_forged"]
    assert recorded.acked_seq == 2
    assert (await world.job(grant.job_id)).life.state is JobState.RUNNING

    await pc.push((by_its_key(pc, pc.event(succeeded(grant))),))
    assert (await world.job(grant.job_id)).life.state is JobState.SUCCEEDED


async def test_a_worker_that_has_signed_once_is_not_heard_without_its_signature(
    world: World,
) -> None:
    pc, grant = await granted(world)
    await pc.push((by_its_key(pc, pc.event(started(grant))),))
    await world.restart()
    recorded = await pc.report(succeeded(grant))
    assert [error.code for error in recorded.refused] == ["event_unsigned"]
    pc.epoch, pc.seq = 7, 0
    recorded = await pc.report(succeeded(grant))
    assert [error.code for error in recorded.refused] == ["event_unsigned"], "in no epoch"
    assert (await world.job(grant.job_id)).life.state is JobState.RUNNING


async def test_a_program_that_does_not_sign_yet_is_heard_until_it_does(world: World) -> None:
    pc, grant = await granted(world)
    old, new = pc.event(started(grant)), by_its_key(pc, pc.event(succeeded(grant)))
    assert (await pc.push((old, new))).refused == []
    assert (await world.job(grant.job_id)).life.state is JobState.SUCCEEDED


async def test_a_wrong_signature_is_refused_even_from_a_worker_that_never_signed(
    world: World,
) -> None:
    pc, grant = await granted(world)
    other = await world.desk(await world.person("bert"), "other")
    assert other.key is not None
    forged = signed(pc.event(started(grant)), other.key.sign)
    assert [e.code for e in (await pc.push((forged,))).refused] == ["event_forged"]


async def test_a_signed_time_without_a_zone_is_refused(world: World) -> None:
    pc, grant = await granted(world)
    event = pc.event(started(grant))
    naive = by_its_key(pc, event.model_copy(update={"at": event.at.replace(tzinfo=None)}))
    assert [e.code for e in (await pc.push((naive,))).refused] == ["event_forged"]


async def test_its_person_is_warned_once_a_day(world: World) -> None:
    pc, grant = await granted(world)
    await pc.push((by_its_key(pc, pc.event(started(grant))),))
    for _ in range(3):
        await pc.report(succeeded(grant))
    [warned] = await warnings(world)
    assert (warned.name, warned.code) == ("anna-pc", "event_unsigned")
    world.clock.jump(DAY_SECONDS + 1)
    await pc.report(succeeded(grant))
    assert len(await warnings(world)) == 2


async def test_a_sealed_report_is_kept_and_passed_on_unread(world: World) -> None:
    pc, grant = await granted(world)
    await pc.report(started(grant))
    sealed = pc.event(succeeded(grant)).model_copy(
        update={"sealed_with": "key-1", "body": {"sealed": "…"}}
    )
    assert (await pc.push((sealed,))).refused == []
    *_, last = await world.services.feed.after(0, 1000)
    assert (last.event.sealed_with, last.event.body) == ("key-1", {"sealed": "…"})
    assert (await world.job(grant.job_id)).life.state is JobState.RUNNING
