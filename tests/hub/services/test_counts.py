"""What was committed is counted under names of fixed sets."""

from __future__ import annotations

from hub.services.counts import OTHER, Counts
from shared.events import JobFailed, JobStarted, JobSucceeded
from shared.jobs import JobState
from tests.hub.worlds import Desk, World
from tests.makers import KINDS, LASTING


async def run(desk: Desk, *, is_well: bool) -> None:
    grant = await desk.take()
    names = {"job_id": grant.job_id, "attempt": grant.attempt, "fence": grant.fence}
    end: JobSucceeded | JobFailed
    if is_well:
        end = JobSucceeded(**names, result={"headline": "Done."}, running_seconds=1)
    else:
        end = JobFailed(**names, error=LASTING)
    await desk.report(JobStarted(**names), end)


async def test_ends_are_counted_by_kind_and_events_by_type(world: World) -> None:
    counts = Counts(world.ledger, KINDS)
    anna = await world.person()
    desk = await world.desk(anna)
    for is_well in (True, True, False):
        await world.request(anna)
        await run(desk, is_well=is_well)
    assert counts.ended["probe.run", JobState.SUCCEEDED] == 2
    assert counts.ended["probe.run", JobState.FAILED] == 1
    assert counts.ended.total() == 3
    assert counts.events["job_started"] == counts.events["job_granted"] == 3
    assert counts.transactions >= 9


async def test_kinds_and_types_that_nobody_knows_share_one_name(world: World) -> None:
    counts = Counts(world.ledger, ["ml.train"])
    anna = await world.person()
    desk = await world.desk(anna)
    await world.request(anna)
    await run(desk, is_well=True)
    strange = desk.event(JobFailed(job_id="x", attempt=1, fence=1, error=LASTING))
    await desk.push((strange.model_copy(update={"type": "invented_here", "entity": ""}),))
    assert counts.ended == {(OTHER, JobState.SUCCEEDED): 1}
    assert counts.events[OTHER] == 1
    assert "invented_here" not in counts.events
