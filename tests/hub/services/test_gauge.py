"""What the gauge tells of queues and computers."""

from __future__ import annotations

from hub.core.meter import HOUR_SECONDS
from hub.core.placement import WaitingReason
from shared.events import JobFailed
from shared.jobs import Priority
from shared.messages import Beat, Metrics
from tests.hub.reports import facts, started
from tests.hub.worlds import World
from tests.makers import PASSING


async def test_waits_are_counted_from_when_a_job_could_start(world: World) -> None:
    anna = await world.person()
    desk = await world.desk(anna)
    await world.request(anna)
    world.clock.advance(30)
    grant = await desk.take()
    await desk.report(started(grant), JobFailed.model_validate({**facts(grant), "error": PASSING}))
    job = await world.job(grant.job_id)
    assert job.life.not_before is not None
    retry_seconds = (job.life.not_before - world.clock.now()).total_seconds()
    world.clock.advance(retry_seconds + 5)
    await desk.take()
    hour = world.services.gauge.hour(anna.person_id)
    # The wait after the failure was meant; only what came on top of it counts.
    assert (hour.started, hour.wait_p50, hour.wait_p95) == (2, 5.0, 30.0)


async def test_nobody_sees_another_ones_queue_and_the_owner_sees_all(world: World) -> None:
    anna, ben = await world.person(), await world.person("ben")
    for person, times in ((anna, 2), (ben, 3)):
        for _ in range(times):
            await world.request(person)
    gauge = world.services.gauge
    gauge.run_once()
    assert [gauge.hour(who).depth[-1] for who in (anna.person_id, ben.person_id, None)] == [2, 3, 5]
    backlog = await gauge.backlog(anna.person_id)
    assert (backlog.looked_at, [group.count for group in backlog.groups]) == (2, [2])
    assert (await gauge.backlog(None)).looked_at == 5


async def test_what_waits_is_grouped_by_its_reason(world: World) -> None:
    anna = await world.person()
    desk = await world.desk(anna, slots=1)
    for _ in range(3):
        await world.request(anna)
    await world.request(anna, priority=Priority.HIGH, worker_name="anna-pc")
    await desk.take()
    backlog = await world.services.gauge.backlog(anna.person_id)
    assert [(g.waiting.reason, g.count) for g in backlog.groups] == [(WaitingReason.BUSY, 3)]
    desk.go()
    backlog = await world.services.gauge.backlog(anna.person_id)
    assert [(g.waiting.reason, g.waiting.worker) for g in backlog.groups] == [
        (WaitingReason.WORKER_OFFLINE, "anna-pc")
    ]


async def test_loads_are_kept_while_a_computer_is_here(world: World) -> None:
    anna = await world.person()
    desk = await world.desk(anna)
    metrics = Metrics(
        cpu_share=0.25, memory_used_bytes=1, memory_total_bytes=4, disk_free_bytes=10**10
    )
    world.services.registry.beat(desk.worker_id, Beat(metrics=metrics))
    world.services.gauge.run_once()
    [load] = world.services.gauge.loads(desk.worker_id)
    assert (load.cpu_share, load.memory_share) == (0.25, 0.25)
    desk.go()
    world.services.gauge.run_once()
    assert world.services.gauge.loads(desk.worker_id) == ()


async def test_a_queue_that_is_long_empty_costs_no_memory(world: World) -> None:
    anna = await world.person()
    card = await world.request(anna)
    gauge = world.services.gauge
    gauge.run_once()
    await world.services.intake.cancel(anna.person_id, card.job_id, "anna")
    world.clock.advance(HOUR_SECONDS)
    gauge.run_once()
    assert list(gauge._meters) == [None]
    assert gauge._ready_at == {}
