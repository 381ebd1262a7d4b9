"""One look at hub and hosts, one decision, its steps carried out; again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

import structlog

from hub.core.fleet import Decision, Pools, decide
from hub.core.pool import Instance, Node, Pool, Queue
from hub.core.pool_memory import Memory
from hub.ports import FleetHost
from shared.api.fleet import FleetNodeShown, FleetShown
from shared.environment import Environment
from shared.errors import AppError, Conflict

QUIET_SECONDS = 60.0
"""While nothing changes, so much passes between two lines of the log."""
log = structlog.get_logger(__name__)


class FleetOfHub(Protocol):
    """The hub, as a scaler needs it. Each call blocks, and raises AppError."""

    def get_fleet(self) -> FleetShown:
        """Tell what waits and which nodes there are."""

    def drain_fleet_node(self, node: str) -> object:
        """Have a node take nothing new."""


@dataclass(slots=True)
class _Told:
    """What the log last said of a pool."""

    at: float
    figures: tuple[int, ...]


@dataclass(slots=True, kw_only=True)
class Scaler:
    """Looks after the pools of one hub."""

    hub: FleetOfHub
    pools: tuple[Pool, ...]
    hosts: Mapping[str, FleetHost]
    """By pool."""
    environment: Environment = field(default_factory=Environment)
    memories: dict[str, Memory] = field(default_factory=dict)
    _told: dict[str, _Told] = field(default_factory=dict)

    async def plan(self) -> tuple[Decision, ...]:
        """Say what would be done now; change nothing.

        Raises:
            AppError: the hub does not answer, or has no fleet.
        """
        return decide(await self._look(), self.memories, self.environment.monotonic())

    async def run(self, every_seconds: float) -> None:
        """Look, decide and do, until cancelled."""
        async with AsyncExitStack() as closing:
            for host in self.hosts.values():
                closing.push_async_callback(host.close)
            while True:
                await self.run_once()
                await asyncio.sleep(every_seconds)

    async def run_once(self) -> tuple[Decision, ...]:
        """One step; a hub that is away means that nothing is changed."""
        try:
            decisions = await self.plan()
        except AppError as error:
            log.warning("fleet_unknown", code=error.code, why=str(error))
            return ()
        for pool, decision in zip(self.pools, decisions, strict=True):
            self.memories[pool.name] = decision.memory
            self._tell(decision)
            await self._carry_out(pool, decision)
        return decisions

    async def _look(self) -> Pools:
        shown = await asyncio.to_thread(self.hub.get_fleet)
        if not shown.is_configured:
            raise Conflict(
                "fleet_off",
                "This hub has no fleet: HUB_FLEET_BROKER is empty.",
                "Set HUB_FLEET_BROKER and HUB_FLEET_KINDS for the hub; see docs/scaling.md.",
            )
        instances: dict[str, tuple[Instance, ...]] = {}
        for pool in self.pools:
            try:
                instances[pool.name] = await self.hosts[pool.name].instances(pool)
            except AppError as error:
                log.warning("host_unknown", pool=pool.name, code=error.code, why=str(error))
        now = self.environment.now()
        return Pools(
            pools=self.pools,
            queues=_queues(shown),
            nodes=tuple(_node(node, now) for node in shown.nodes),
            instances=instances,
        )

    async def _carry_out(self, pool: Pool, decision: Decision) -> None:
        memory = decision.memory
        host = self.hosts[pool.name]
        if decision.start:
            try:
                names = await host.start(pool, decision.start)
                memory = memory.started(names, self.environment.monotonic())
                log.info("started", pool=pool.name, instances=list(names))
            except AppError as error:
                memory = memory.refused(error.message.rstrip("."), self.environment.monotonic())
                log.warning("start_failed", pool=pool.name, code=error.code, why=str(error))
        memory = memory.drained(await self._drained(pool, decision.drain))
        if decision.stop:
            try:
                await host.stop(pool, decision.stop)
                log.info("stopped", pool=pool.name, instances=list(decision.stop))
            except AppError as error:
                log.warning("stop_failed", pool=pool.name, code=error.code, why=str(error))
        self.memories[pool.name] = memory

    async def _drained(self, pool: Pool, nodes: tuple[str, ...]) -> list[str]:
        """Ask nodes to drain; return who was told. Others are asked again at the next look."""
        told = []
        for node in nodes:
            try:
                await asyncio.to_thread(self.hub.drain_fleet_node, node)
                told.append(node)
            except AppError as error:
                log.warning("drain_failed", pool=pool.name, node=node, code=error.code)
        if told:
            log.info("draining", pool=pool.name, nodes=told)
        return told

    def _tell(self, decision: Decision) -> None:
        """Log a decision that changes something, or what has changed by itself."""
        now = self.environment.monotonic()
        figures = (
            decision.nodes,
            decision.coming,
            decision.draining,
            decision.memory.failures,
            bool(decision.waiting),
        )
        last = self._told.get(decision.pool)
        is_old = last is None or now - last.at >= QUIET_SECONDS or last.figures != figures
        if not (decision.is_change or is_old):
            return
        self._told[decision.pool] = _Told(now, figures)
        log.info("decided", **told_as_json(decision))


def told_as_json(decision: Decision) -> dict[str, str | int | list[str]]:
    """Tell a decision as fields."""
    return {
        "pool": decision.pool,
        "start": decision.start,
        "drain": list(decision.drain),
        "stop": list(decision.stop),
        "waiting": decision.waiting,
        "running": decision.running,
        "nodes": decision.nodes,
        "coming": decision.coming,
        "draining": decision.draining,
        "reason": decision.reason,
    }


def _queues(shown: FleetShown) -> tuple[Queue, ...]:
    """Queues by kind: priorities do not matter for how many nodes there should be."""
    queues: dict[str, Queue] = {}
    for one in shown.queues:
        before = queues.get(one.kind, Queue(kind=one.kind, waiting=0, running=0))
        queues[one.kind] = replace(
            before,
            waiting=before.waiting + one.waiting,
            running=before.running + one.running,
            oldest_wait_seconds=max(before.oldest_wait_seconds, one.oldest_wait_seconds),
        )
    return tuple(queues.values())


def _node(shown: FleetNodeShown, now: datetime) -> Node:
    idle = None if shown.idle_since is None else (now - shown.idle_since).total_seconds()
    # What it took since its last beat stands in no beat yet; the hub knows that it is not idle.
    held = shown.held if shown.idle_since is not None else max(1, shown.held)
    return Node(
        name=shown.node,
        instance=shown.instance,
        pool=shown.pool,
        kinds=shown.kinds,
        slots=shown.slots,
        held=held,
        is_draining=shown.is_draining,
        idle_seconds=None if idle is None else max(0.0, idle),
        beat=shown.seen_at.isoformat(),
    )
