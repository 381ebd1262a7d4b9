"""The fleet: what its nodes call with a key of scope `fleet`, and what operators see of it.

A node asks for nothing but what the hub has handed to the fleet; what else a person has is not
there for its key.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Security

from hub.core.access import Access, Scope
from hub.core.fleet_calls import FleetNode, NodeBeat
from hub.core.pull import CLAIM_SECONDS_MAX, Grant
from hub.frontends.api.jobs import JobPath
from hub.frontends.api.parts import Door, Operator, about_of
from hub.frontends.api.questions import QuestionPath
from hub.frontends.door import bearer_in
from hub.ports import FleetCalls
from hub.services import Services
from shared.api.fleet import (
    NODE,
    AttemptStarted,
    FleetBeat,
    FleetEvent,
    FleetHeard,
    FleetNodeShown,
    FleetQueueShown,
    FleetShown,
    FleetStop,
    StartAttempt,
)
from shared.api.queue import AnswerShown, NewProgress, Told
from shared.errors import BadInput, NotAllowed
from shared.ids import JobId, QuestionId
from shared.messages import Progress

router = APIRouter(tags=["fleet"])
NodePath = Annotated[str, Path(pattern=NODE, max_length=100)]


async def node_of(services: Services, bearer: str) -> Access:
    """Let nodes of the fleet pass, and nobody else: what they are told is other people's."""
    return await _admitted(services, bearer, Scope.FLEET)


async def onlooker_of(services: Services, bearer: str) -> Access:
    """Let nodes and scalers pass, and the hub's operator."""
    return await _admitted(services, bearer, Scope.FLEET, Scope.ADMIN)


async def _admitted(services: Services, bearer: str, *scopes: Scope) -> Access:
    access = await services.keys.check(bearer_in(bearer))
    if access.scope not in scopes:
        raise NotAllowed(
            "key_scope",
            f"A key with the scope '{access.scope}' cannot do this.",
            "It needs a key with the scope 'fleet', which an owner of the hub makes.",
        )
    return access


async def calls_of(request: Request) -> FleetCalls:
    return about_of(request).fleet


Node = Annotated[Access, Security(Door(node_of), scopes=["fleet"])]
"""A node of the fleet."""
Onlooker = Annotated[Access, Security(Door(onlooker_of), scopes=["fleet", "admin"])]
"""Whoever may look at the fleet as a whole."""
Fleet = Annotated[FleetCalls, Depends(calls_of)]


def node_shown(node: FleetNode) -> FleetNodeShown:
    return FleetNodeShown(
        node=node.node,
        instance=node.instance,
        pool=node.pool,
        kinds=node.kinds,
        slots=node.slots,
        held=node.held,
        is_draining=node.is_draining,
        idle_since=node.idle_since,
        since=node.since,
        seen_at=node.seen_at,
    )


@router.get("/fleet")
async def get_fleet(onlooker: Onlooker, fleet: Fleet) -> FleetShown:
    """Look at the broker, at what waits and runs, and at the nodes."""
    seen = await fleet.look()
    return FleetShown(
        is_configured=seen.is_configured,
        is_broker_up=seen.is_broker_up,
        broker_error=seen.broker_error,
        kinds=seen.kinds,
        queues=tuple(
            FleetQueueShown(
                kind=queue.kind,
                priority=queue.priority,
                waiting=queue.waiting,
                running=queue.running,
                oldest_wait_seconds=queue.oldest_wait_seconds,
            )
            for queue in seen.queues
        ),
        nodes=tuple(node_shown(node) for node in seen.nodes),
    )


@router.post("/fleet/nodes/{node}/drain")
async def drain_fleet_node(node: NodePath, caller: Operator, fleet: Fleet) -> FleetNodeShown:
    """Let a node take nothing new; it ends when nothing is in its hands. Idempotent."""
    return node_shown(await fleet.drain(node))


@router.post("/fleet/beat")
async def beat_fleet(beat: FleetBeat, node: Node, fleet: Fleet) -> FleetHeard:
    """A node says that it is here, and what it has in hand; it hears what to stop."""
    heard = await fleet.beat(
        NodeBeat(
            node=beat.node,
            instance=beat.instance,
            pool=beat.pool,
            kinds=beat.kinds,
            slots=beat.slots,
            held=tuple(
                Grant(job_id=one.job_id, attempt=one.attempt, fence=one.fence) for one in beat.held
            ),
            is_draining=beat.is_draining,
            metrics=beat.metrics,
        )
    )
    return FleetHeard(
        stops=tuple(
            FleetStop(job_id=stop.job_id, attempt=stop.attempt, reason=stop.reason)
            for stop in heard.stops
        ),
        must_drain=heard.must_drain,
        next_seconds=heard.next_seconds,
        silent_seconds=heard.silent_seconds,
    )


@router.post("/fleet/attempts/{job_id}/start")
async def start_attempt(
    job_id: JobPath, start: StartAttempt, node: Node, fleet: Fleet
) -> AttemptStarted:
    """May this delivery of a ticket begin? Exactly one of them may; it is told what to do.

    Any other is answered with 409 `fence_stale`: its message is to be acknowledged and dropped.
    """
    held = Grant(job_id=JobId(job_id), attempt=start.attempt, fence=start.fence)
    spec = await fleet.start(held, start.node, start.delivery)
    return AttemptStarted(spec=spec, attempt=start.attempt, fence=start.fence)


@router.post("/fleet/attempts/{job_id}/events")
async def tell_attempt(job_id: JobPath, told: FleetEvent, node: Node, fleet: Fleet) -> Told:
    """Report on an attempt, once for each number: lines, questions, and how it ended."""
    if told.event.job_id != job_id:
        raise BadInput(
            "event_invalid", "The event is about another job than the address.", "Mend the program."
        )
    return Told(stop=await fleet.tell(told.delivery, told.number, told.event))


@router.post("/fleet/attempts/{job_id}/progress")
async def tell_attempt_progress(
    job_id: JobPath, told: NewProgress, node: Node, fleet: Fleet
) -> Told:
    """Say how far an attempt is; the newest word counts, and none is kept."""
    held = Grant(job_id=JobId(job_id), attempt=told.attempt, fence=told.fence)
    progress = Progress(
        job_id=held.job_id,
        attempt=told.attempt,
        stage=told.stage,
        done=told.done,
        total=told.total,
        eta_seconds=told.eta_seconds,
    )
    return Told(stop=await fleet.progress(held, progress))


@router.get("/fleet/questions/{question_id}")
async def get_fleet_answer(
    question_id: QuestionPath,
    node: Node,
    fleet: Fleet,
    wait_seconds: Annotated[float, Query(ge=0, le=CLAIM_SECONDS_MAX)] = CLAIM_SECONDS_MAX,
) -> AnswerShown:
    """Wait for the answer to a question of the fleet's; `job_resumed` says that it went on."""
    question = await fleet.question(QuestionId(question_id), wait_seconds)
    return AnswerShown(
        question_id=question.question_id, state=question.state, answer=question.answer
    )
