"""The fleet's figures, out of what a scaler reads; there without one, too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import structlog

from hub.core.fleet_calls import FleetSeen
from hub.ports import FleetCalls
from shared.environment import Environment
from shared.errors import AppError

log = structlog.get_logger()

KEPT_SECONDS = 5.0
"""How long a look at the fleet is told before another is taken: it reads the store."""

POOLS_MAX = 50
"""More pools than this are told together: the names come from nodes."""
UNNAMED = "unnamed"
OTHER = "other"

Samples = Sequence[tuple[tuple[str, ...], float]]
NOBODY = FleetSeen(is_configured=False)


class FleetSight:
    """Looks at the fleet now and then, and tells the last look while the store cannot be read."""

    def __init__(self, calls: FleetCalls, environment: Environment) -> None:
        self._calls = calls
        self._environment = environment
        self._seen: FleetSeen | None = None
        self._seen_at = 0.0

    async def seen(self) -> FleetSeen | None:
        """The fleet, as it was some seconds ago at most; None before it could be looked at."""
        now = self._environment.monotonic()
        if self._seen is None or now - self._seen_at >= KEPT_SECONDS:
            try:
                self._seen, self._seen_at = await self._calls.look(), now
            except AppError as error:
                log.warning("fleet_not_seen", code=error.code, error=str(error))
        return self._seen


def read_fleet(fleet: FleetSeen | None) -> Iterator[tuple[str, Samples]]:
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
