"""What nodes of the fleet call: beats, starts, reports, questions. The services keep what is told.

It is there also while no broker is set, and says so then.
"""

from __future__ import annotations

import asyncio

from hub.core.fleet_calls import FleetNode, FleetSeen, NodeBeat, NodeHeard
from hub.core.pull import Grant
from hub.core.question import Question
from hub.engines.celery_engine import CeleryEngine
from hub.engines.fleet_nodes import FleetNodes
from hub.engines.pull import first_of_waits
from hub.ports import HealthState
from hub.services import Services
from shared.errors import Conflict, NotFound
from shared.events import AttemptEventBody
from shared.ids import QuestionId
from shared.jobs import JobSpec
from shared.messages import Progress


class FleetDesk:
    """What `hub.ports.FleetCalls` wants."""

    def __init__(
        self, services: Services, nodes: FleetNodes, engine: CeleryEngine | None = None
    ) -> None:
        self._services = services
        self._nodes = nodes
        self._engine = engine
        self.closing = asyncio.Event()

    async def start(self, held: Grant, node: str, delivery: str) -> JobSpec:
        """Commit that a delivery has begun, and no other; asked again it hears the same."""
        self._check_on()
        self._nodes.touch(node)  # before it has anything that a silent node could lose
        spec = await self._services.fleet.start(held, node, delivery)
        self._nodes.busy(node)
        return spec

    async def beat(self, node: NodeBeat) -> NodeHeard:
        """Note that a node is here, and all that it has; what it is to stop."""
        self._check_on()
        must_drain = self._nodes.hear(node)
        stops, missing = await self._services.fleet.compare(node.node, node.held)
        lost = self._nodes.left_out(node.node, {(one.job_id, one.fence) for one in missing})
        if lost:
            gone = [one for one in missing if (one.job_id, one.fence) in lost]
            reason = f"The fleet's node {node.node} has this job no more."
            await self._services.fleet.lose(gone, reason)
        return NodeHeard(
            stops=stops,
            must_drain=must_drain,
            next_seconds=self._nodes.beat_seconds,
            silent_seconds=self._nodes.silent_seconds,
        )

    async def tell(self, delivery: str, number: int, body: AttemptEventBody) -> str:
        """Take in what a node tells, once for each number; why the job is to stop, or nothing."""
        self._check_on()
        stop = await self._services.fleet.tell(delivery, number, body)
        self._services.dispatcher.stir()
        return stop

    async def progress(self, held: Grant, progress: Progress) -> str:
        """Pass on how far a job is; why it is to stop, or nothing."""
        self._check_on()
        attempt, stop = await self._services.fleet.standing(held)
        self._services.feed.tell_progress(held.job_id, attempt.worker_id, progress)
        return stop

    async def question(self, question_id: QuestionId, wait_seconds: float) -> Question:
        """Wait for the answer to a question that the fleet has asked.

        Raises:
            NotFound: `question_unknown`.
        """
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + wait_seconds
        feed = self._services.feed
        while True:
            position = feed.position()
            question = await self._services.views.question(question_id)
            if question is None or not await self._is_ours(question):
                raise NotFound("question_unknown", "The fleet has not asked that.")
            left = ends_at - loop.time()
            if left <= 0 or self.closing.is_set() or not question.state.is_open:
                return question
            await first_of_waits(left, feed.wait(position, question.person_id), self.closing.wait())

    async def _is_ours(self, question: Question) -> bool:
        card = await self._services.views.job(question.person_id, question.job_id)
        return self._engine is not None and card.worker_id in self._engine.worker_ids

    async def look(self) -> FleetSeen:
        """Look at the broker, the queues and the nodes."""
        engine = self._engine
        if engine is None:
            return FleetSeen(is_configured=False)
        health = engine.status()
        return FleetSeen(
            is_configured=True,
            is_broker_up=health.state is HealthState.OK,
            broker_error=health.error,
            kinds=engine.rules.kinds,
            queues=tuple(await self._services.fleet.queues(engine.rules, engine.worker_ids)),
            nodes=self._nodes.here(),
        )

    async def drain(self, node: str) -> FleetNode:
        """Let a node take nothing new; it hears of it at its next beat. Idempotent."""
        return self._nodes.drain(node)

    def close(self) -> None:
        """The hub ends: whoever waits is asked to call again."""
        self.closing.set()

    def _check_on(self) -> None:
        if self._engine is None:
            raise Conflict(
                "fleet_off",
                "This hub has no fleet.",
                "Its operator sets HUB_FLEET_BROKER and HUB_FLEET_KINDS.",
            )
