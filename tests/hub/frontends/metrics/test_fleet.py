"""The fleet's figures, made of what a scaler reads."""

from __future__ import annotations

from datetime import UTC, datetime

from hub.frontends.metrics.fleet import POOLS_MAX, read_fleet
from shared.api.fleet import FleetNodeShown, FleetQueueShown, FleetShown
from shared.jobs import Priority

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def node(name: str, pool: str, *, held: int = 0, is_draining: bool = False) -> FleetNodeShown:
    return FleetNodeShown(
        node=name,
        instance="",
        pool=pool,
        kinds=("llm.ask",),
        slots=4,
        held=held,
        is_draining=is_draining,
        since=NOON,
        seen_at=NOON,
    )


def test_without_a_fleet_the_names_are_there_and_say_so() -> None:
    told = dict(read_fleet(None))
    assert told["fleet_configured"] == told["fleet_broker_up"] == [((), 0.0)]
    assert told["fleet_jobs"] == told["fleet_nodes"] == []


def test_nodes_are_added_up_by_pool_and_never_named() -> None:
    fleet = FleetShown(
        is_configured=True,
        is_broker_up=True,
        kinds=("llm.ask",),
        queues=(
            FleetQueueShown(
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
    fleet = FleetShown(is_configured=True, is_broker_up=True, nodes=nodes)
    told = dict(dict(read_fleet(fleet))["fleet_nodes"])
    assert len({pool for pool, _ in told}) == POOLS_MAX + 1
    assert told["other", "taking"] == 20
