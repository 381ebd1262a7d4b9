"""What is read off the board for everybody together."""

from __future__ import annotations

from hub.core.depths import depths_of
from shared.jobs import Priority
from tests.hub.worlds import World


async def test_what_waits_is_offered_and_runs_is_counted_apart(world: World) -> None:
    anna = await world.person()
    desk = await world.desk(anna, slots=2)
    for priority in (Priority.HIGH, Priority.DEFAULT, Priority.LOW, Priority.LOW):
        await world.request(anna, priority=priority)
    world.clock.advance(7)
    offer, _ = await desk.offers()
    await desk.accept(offer)
    depths = depths_of(world.board, world.clock.monotonic())
    assert depths.running == (1, 0, 0)
    assert depths.offered == (0, 1, 0)
    assert depths.waiting == (0, 0, 2)
    assert list(depths.oldest_seconds) == [0, 7, 7]
    assert depths.kinds == {"probe.run": (3, 1)}
    assert (depths.granted, depths.workers, depths.paused) == (1, 1, 0)
    assert (depths.slots, depths.slots_used, depths.asking) == (2, 1, 0)


async def test_a_worker_that_takes_nothing_new_counts_as_paused(world: World) -> None:
    anna = await world.person()
    await world.desk(anna, slots=0)
    await world.desk(anna, "other-pc")
    depths = depths_of(world.board, world.clock.monotonic())
    assert (depths.workers, depths.paused) == (2, 1)
