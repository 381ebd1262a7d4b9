"""The fleet's figures, out of what `GET /api/v1/fleet` tells a scaler; there without one, too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from shared.api.fleet import FleetShown

POOLS_MAX = 50
"""More pools than this are told together: the names come from nodes."""
UNNAMED = "unnamed"
OTHER = "other"

Samples = Sequence[tuple[tuple[str, ...], float]]
NOBODY = FleetShown(is_configured=False, is_broker_up=False)


def read_fleet(fleet: FleetShown | None) -> Iterator[tuple[str, Samples]]:
    """Read the figures of a fleet; None when there is none."""
    fleet = fleet or NOBODY
    yield "fleet_configured", [((), float(fleet.is_configured))]
    yield "fleet_broker_up", [((), float(fleet.is_broker_up))]
    yield (
        "fleet_jobs",
        [
            ((queue.kind, queue.priority, state), float(count))
            for queue in fleet.queues
            for state, count in (("waiting", queue.waiting), ("running", queue.running))
        ],
    )
    yield (
        "fleet_oldest_wait_seconds",
        [((queue.kind, queue.priority), queue.oldest_wait_seconds) for queue in fleet.queues],
    )
    nodes: Counter[tuple[str, ...]] = Counter()
    slots: Counter[tuple[str, ...]] = Counter()
    named = set(sorted({node.pool for node in fleet.nodes})[:POOLS_MAX])
    for node in fleet.nodes:
        pool = (node.pool or UNNAMED) if node.pool in named else OTHER
        # Both states always, so that a graph of either does not break off.
        for state, is_in in (("taking", not node.is_draining), ("draining", node.is_draining)):
            nodes[pool, state] += int(is_in)
        slots[pool, "used"] += node.held
        slots[pool, "free"] += max(0, node.slots - node.held)
    yield "fleet_nodes", sorted(nodes.items())
    yield "fleet_slots", sorted(slots.items())
