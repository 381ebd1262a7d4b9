"""The fleet's figures, made of what a scaler reads."""

from __future__ import annotations

from datetime import UTC, datetime

from hub.core.fleet_calls import FleetNode, FleetQueue, FleetSeen
from hub.frontends.metrics.fleet import KEPT_SECONDS, POOLS_MAX, FleetSight, read_fleet
from shared.errors import Unavailable
from shared.jobs import Priority
from tests.makers import hand_environment

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def node(name: str, pool: str, *, held: int = 0, is_draining: bool = False) -> FleetNode:
    return FleetNode(
        node=name,
        instance="",
        pool=pool,
        kinds=("llm.ask",),
        slots=4,
        held=held,
        is_draining=is_draining,
        idle_since=None,
        since=NOON,
        seen_at=NOON,
    )


def test_without_a_fleet_the_names_are_there_and_say_so() -> None:
    told = dict(read_fleet(None))
    assert told["fleet_configured"] == told["fleet_broker_up"] == [((), 0.0)]
    assert told["fleet_jobs"] == told["fleet_nodes"] == []


def test_nodes_are_added_up_by_pool_and_never_named() -> None:
    fleet = FleetSeen(
        is_configured=True,
        is_broker_up=True,
        kinds=("llm.ask",),
        queues=(
            FleetQueue(
                kind="llm.ask",
                priority=Priority.HIGH,
                waiting=3,
                running=2,
                oldest_wait_seconds=4.5,
            ),
        ),
        nodes=(node("a", "gpu", held=3), node("b", "gpu", is_draining=True), node("c", "")),
    )
    told = dict(read_fleet(fleet))
    assert told["fleet_jobs"] == [
        (("llm.ask", "high", "waiting"), 3),
        (("llm.ask", "high", "running"), 2),
    ]
    assert told["fleet_oldest_wait_seconds"] == [(("llm.ask", "high"), 4.5)]
    assert dict(told["fleet_nodes"]) == {
        ("gpu", "taking"): 1,
        ("gpu", "draining"): 1,
        ("unnamed", "taking"): 1,
        ("unnamed", "draining"): 0,
    }
    assert dict(told["fleet_slots"])["gpu", "used"] == 3


def test_a_great_many_pools_share_a_name() -> None:
    nodes = tuple(node(str(n), f"pool-{n:03}") for n in range(POOLS_MAX + 20))
    fleet = FleetSeen(is_configured=True, is_broker_up=True, nodes=nodes)
    told = dict(dict(read_fleet(fleet))["fleet_nodes"])
    assert len({pool for pool, _ in told}) == POOLS_MAX + 1
    assert told["other", "taking"] == 20


class Desk:
    """Answers looks, or fails as it is told."""

    def __init__(self) -> None:
        self.looks = 0
        self.is_broken = False

    async def look(self) -> FleetSeen:
        self.looks += 1
        if self.is_broken:
            raise Unavailable("store_unreadable", "No.")
        return FleetSeen(is_configured=True, is_broker_up=True)


async def test_the_fleet_is_looked_at_seldom_and_the_last_look_outlasts_a_fault() -> None:
    environment, clock = hand_environment()
    desk = Desk()
    sight = FleetSight(desk, environment)  # type: ignore[arg-type]
    first = await sight.seen()
    clock.advance(KEPT_SECONDS - 1)
    assert await sight.seen() is first
    assert desk.looks == 1
    clock.advance(2)
    desk.is_broken = True
    assert await sight.seen() is first
    assert desk.looks == 2
