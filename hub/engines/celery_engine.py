"""Hands granted attempts to the fleet's broker: an engine like the sockets', for many nodes.

    offer ──▶ yes at once ──▶ grant + outbox row ──▶ publisher thread ──▶ broker ──▶ some node
                                   ▲ not begun, and in no queue: published again │
                                   └─────────────────────────────────────────────┘

The worker that stands for the fleet is here while the broker answers. Nothing is lost by a broker
that is away: what no node has begun is queued again after a while, for whoever has room.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog

from hub.core.fleet_losses import Waiting, late_queues, lost
from hub.core.fleet_rules import FleetRules, why_stays
from hub.core.worker import Worker
from hub.engines.celery_line import Line, broker_away
from hub.engines.fleet_nodes import FleetNodes
from hub.ports import Health, HealthState
from hub.services import Services
from shared.environment import Environment
from shared.errors import AppError, ErrorBody
from shared.fleet import Ticket
from shared.ids import JobId, WorkerId
from shared.kinds import Kind
from shared.messages import Accept, Beat, Cancel, Decline, Grant, Offer

log = structlog.get_logger()

T = TypeVar("T")

BATCH_MAX = 200
"""Tickets that are published, and noted, together."""
TICK_SECONDS = 1.0
LOOK_SECONDS = 5.0
"""How often it looks for losses, silent nodes, new people, and at an idle broker."""
TRY_SECONDS_MAX = 30.0
AWAY_SECONDS = 60.0
"""How long a broker may be away before what no node has begun is queued again."""
DRAIN_SECONDS = 5.0


class CeleryEngine:
    name = "fleet"

    def __init__(
        self,
        services: Services,
        environment: Environment,
        *,
        rules: FleetRules,
        kinds: Mapping[str, Kind],
        line: Line,
        nodes: FleetNodes,
    ) -> None:
        self._services = services
        self._environment = environment
        self.rules = rules
        self._kinds = kinds
        self._line = line
        self._nodes = nodes
        self._thread = ThreadPoolExecutor(1, "fleet-broker")
        self._workers: dict[WorkerId, Worker] = {}
        self._is_up = False
        self._is_closed = False
        self._away_since: float | None = None
        self._tries = 0
        self._try_at = 0.0
        self._look_at = 0.0
        self._cancels: set[JobId] = set()
        self.published: dict[tuple[JobId, int], Waiting] = {}
        """What the broker has and no node has begun, as far as is known, by job and fence."""
        self._begun: dict[str, float] = {}
        """By queue: when the newest ticket that has begun was published."""
        self._stirred = asyncio.Event()
        self._health = Health(state=HealthState.STARTING, since=environment.now())

    # As an engine.

    def connected(self) -> frozenset[WorkerId]:
        return frozenset(self._workers) if self._is_up else frozenset()

    def send(self, worker_id: WorkerId, message: Offer | Grant | Cancel) -> bool:
        if worker_id not in self._workers:
            return False
        match message:
            case Offer():
                return self._is_up and self._answer(worker_id, message)
            case Grant():
                self._stirred.set()
            case Cancel():
                self._cancels.add(message.job_id)
                self._stirred.set()
        return True

    def _answer(self, worker_id: WorkerId, offer: Offer) -> bool:
        """Say yes at once; or no for good, to what its inputs keep at home."""
        job = offer.job
        reason = why_stays(self._kinds.get(job.kind), job.inputs)
        if not reason:
            accept = Accept(job_id=job.job_id, attempt=offer.attempt)
            self._services.dispatcher.accept(worker_id, accept)
            return True
        error = ErrorBody(code="fleet_kind_private", message=reason)
        decline = Decline(job_id=job.job_id, attempt=offer.attempt, error=error)
        self._services.dispatcher.decline(worker_id, decline)
        return True

    @property
    def worker_ids(self) -> tuple[WorkerId, ...]:
        """The workers that stand for the fleet."""
        return tuple(self._workers)

    def status(self) -> Health:
        """How the broker is."""
        return self._health

    # Looking after what was handed over.

    async def prepare(self) -> None:
        """Make the workers that stand for the fleet known, before anything is offered."""
        await self._settle_people()

    async def run(self) -> None:
        """Publish, and look after what was published, until cancelled."""
        while not self._is_closed:
            try:
                await self.run_once()
            except AppError as error:
                log.warning("fleet_failed", code=error.code, error=str(error))
            try:
                async with asyncio.timeout(TICK_SECONDS):
                    await self._stirred.wait()
            except TimeoutError:
                continue

    async def run_once(self) -> None:
        """Confirm cancels, publish what is due, and now and then look at everything."""
        self._stirred.clear()
        while self._cancels:
            await self._services.fleet.cancel(self._cancels.pop())
        now = self._environment.monotonic()
        is_time = now >= self._look_at
        if is_time:
            self._look_at = now + LOOK_SECONDS
            await self._settle_people()
            await self._lose_silent()
            await self._cancel_left_over()
        if now >= self._try_at:
            try:
                if is_time or not self._is_up:
                    await self._on_line(self._line.check)
                    self._note_up()
                await self._publish_due()
                if is_time:
                    await self._publish_lost()
            except AppError as error:
                if error.code != "fleet_broker_away":
                    raise
                self._note_away(error)
        if self._away_since is not None and now - self._away_since >= AWAY_SECONDS:
            self._away_since = now
            await self._take_back()

    async def drain(self) -> None:
        """Hand over what was granted, as far as that is quick, and let go of the broker."""
        for worker_id in self._workers:
            self._services.registry.depart_fleet(worker_id)
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                if self._is_up:
                    await self._publish_due()
                await self._on_line(self._line.close)
        except (AppError, TimeoutError):
            log.info("fleet_left_over")  # it stands in the store, and is published at the start
        self._is_up, self._is_closed = False, True
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _publish_due(self) -> None:
        while tickets := await self._services.fleet.unpublished(BATCH_MAX):
            await self._publish(tickets)
            if len(tickets) < BATCH_MAX:
                return

    async def _publish(self, tickets: list[Ticket]) -> None:
        await self._on_line(functools.partial(self._line.publish, tickets))
        await self._services.fleet.note_published(tickets)
        now = self._environment.monotonic()
        for ticket in tickets:
            key = ticket.job_id, ticket.fence
            before = self.published.get(key)
            times = 1 if before is None else before.times + 1
            self.published[key] = Waiting(ticket=ticket, published_at=now, times=times)

    async def _publish_lost(self) -> None:
        """Publish again what the broker has lost."""
        waiting = await self._waiting()
        now = self._environment.monotonic()
        depths = {}
        for queue in sorted(late_queues(waiting, now)):
            depths[queue] = await self._on_line(functools.partial(self._line.depth, queue))
        # What has begun since is not lost: look again after the queues were looked at.
        open_now = {(one.ticket.job_id, one.ticket.fence) for one in await self._waiting()}
        tickets = [
            ticket
            for ticket in lost(waiting, depths, self._begun, now)
            if (ticket.job_id, ticket.fence) in open_now
        ]
        if tickets:
            log.warning("fleet_tickets_lost", count=len(tickets))
            for start in range(0, len(tickets), BATCH_MAX):
                await self._publish(tickets[start : start + BATCH_MAX])
        await self._services.fleet.sweep()

    async def _waiting(self) -> list[Waiting]:
        """What was published and has not begun; follows what has begun, and forgets the rest."""
        now = self._environment.monotonic()
        found: dict[tuple[JobId, int], Waiting] = {}
        for attempt in await self._services.fleet.attempts():
            if attempt.published_at is None:
                continue
            key = attempt.job_id, attempt.fence
            known = self.published.get(key) or Waiting(ticket=attempt.ticket, published_at=now)
            if attempt.has_begun:
                queue = attempt.ticket.queue
                self._begun[queue] = max(known.published_at, self._begun.get(queue, 0.0))
            else:
                found[key] = known
        self.published = found
        return list(found.values())

    async def _lose_silent(self) -> None:
        """Lose what nodes have begun that say nothing any more."""
        attempts = [one for one in await self._services.fleet.attempts() if one.has_begun]
        for node in {one.node for one in attempts}:
            if self._nodes.is_silent(node):
                mine = [one for one in attempts if one.node == node]
                await self._services.fleet.lose(mine, f"The fleet's node {node} fell silent.")
                log.warning("fleet_node_lost", node=node, jobs=len(mine))

    async def _cancel_left_over(self) -> None:
        """Confirm cancels that were not: the hub ended, or its store was full, at that moment."""
        for one in await self._services.fleet.attempts():
            if one.cancel_by and not one.has_begun:
                await self._services.fleet.cancel(one.job_id)

    async def _take_back(self) -> None:
        """Queue again what no node has begun, for the broker is away for long."""
        waiting = [one for one in await self._services.fleet.attempts() if not one.has_begun]
        if waiting:
            await self._services.fleet.give_back(waiting)
            log.warning("fleet_taken_back", jobs=len(waiting))

    # Who it works for, and whether it can.

    async def _settle_people(self) -> None:
        now = {one.worker_id: one for one in await self._services.fleet.settle(self.rules)}
        before, self._workers = self._workers, now
        if not self._is_up:
            return
        for worker_id, worker in now.items():
            was = before.get(worker_id)
            if was is None or was.capabilities != worker.capabilities:
                self._services.registry.arrive_fleet(worker)
                self._services.dispatcher.stir()
            self._services.registry.beat(worker_id, Beat())

    def _note_up(self) -> None:
        self._tries, self._try_at, self._away_since = 0, 0.0, None
        if self._is_up:
            return
        self._is_up = True
        self._health = Health(state=HealthState.OK, since=self._environment.now())
        for worker in self._workers.values():
            self._services.registry.arrive_fleet(worker)
        self._services.dispatcher.stir()
        log.info("fleet_broker_up")

    def _note_away(self, error: AppError) -> None:
        now = self._environment.monotonic()
        self._tries += 1
        self._try_at = now + min(TRY_SECONDS_MAX, 2.0 ** (self._tries - 1))
        if self._away_since is None:
            self._away_since = now
        if self._is_up or self._health.state is HealthState.STARTING:
            self._is_up = False
            self._health = Health(
                state=HealthState.TROUBLED,
                since=self._environment.now(),
                error=error.message,
                hint=error.hint,
            )
            for worker_id in self._workers:
                self._services.registry.depart_fleet(worker_id)
            log.warning("fleet_broker_away", error=error.message)

    async def _on_line(self, call: Callable[[], T]) -> T:
        """Call the broker on its own thread; the call's own limits bound it."""
        if self._is_closed:
            raise broker_away("its address", "the hub is stopping")
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)
