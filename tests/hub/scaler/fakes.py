"""A hub and a host in memory, that lose a job when a node is stopped which has one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hub.core.pool import Instance, InstanceState, Pool
from shared.api.fleet import FleetNodeShown, FleetQueueShown, FleetShown
from shared.errors import AppError, NotFound, Unavailable
from shared.jobs import Priority

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class FakeHub:
    """Answers a scaler; a node beats whenever it is asked."""

    waiting: dict[str, int] = field(default_factory=dict)
    running: dict[str, int] = field(default_factory=dict)
    nodes: dict[str, FleetNodeShown] = field(default_factory=dict)
    is_configured: bool = True
    failure: AppError | None = None
    drained: list[str] = field(default_factory=list)
    beats: itertools.count[int] = field(default_factory=itertools.count)

    def get_fleet(self) -> FleetShown:
        if self.failure is not None:
            raise self.failure
        seen = NOON + timedelta(seconds=next(self.beats))
        kinds = sorted({*self.waiting, *self.running})
        return FleetShown(
            is_configured=self.is_configured,
            is_broker_up=True,
            queues=tuple(
                FleetQueueShown(
                    kind=kind,
                    priority=Priority.DEFAULT,
                    waiting=self.waiting.get(kind, 0),
                    running=self.running.get(kind, 0),
                    oldest_wait_seconds=1.0,
                )
                for kind in kinds
            ),
            nodes=tuple(n.model_copy(update={"seen_at": seen}) for n in self.nodes.values()),
        )

    def drain_fleet_node(self, node: str) -> None:
        if node not in self.nodes:
            raise NotFound("fleet_node_unknown", "There is no such node.")
        self.drained.append(node)
        self.nodes[node] = self.nodes[node].model_copy(update={"is_draining": True})

    def come(self, instance: str, *, held: int = 0, idle_seconds: float | None = None) -> None:
        self.nodes[instance] = FleetNodeShown(
            node=instance,
            instance=instance,
            pool="probes",
            kinds=("llm.probe",),
            slots=1,
            held=held,
            is_draining=False,
            idle_since=None if idle_seconds is None else NOON - timedelta(seconds=idle_seconds),
            since=NOON,
            seen_at=NOON,
        )


@dataclass
class FakeHost:
    name: str = "fake"
    there: list[str] = field(default_factory=list)
    failure: AppError | None = None
    start_failure: AppError | None = None
    closed: int = 0
    stopped: list[str] = field(default_factory=list)

    async def instances(self, pool: Pool) -> tuple[Instance, ...]:
        if self.failure is not None:
            raise self.failure
        return tuple(
            Instance(name=name, pool=pool.name, state=InstanceState.RUNNING) for name in self.there
        )

    async def start(self, pool: Pool, count: int) -> tuple[str, ...]:
        if self.start_failure is not None:
            raise self.start_failure
        names = tuple(f"{pool.name}-{len(self.there) + n}" for n in range(count))
        self.there += names
        return names

    async def stop(self, pool: Pool, names: Sequence[str]) -> None:
        del pool
        self.stopped += names
        self.there = [name for name in self.there if name not in names]

    async def close(self) -> None:
        self.closed += 1


def away() -> AppError:
    return Unavailable("hub_unreachable", "No hub answers.", "Start one.", retryable=True)
