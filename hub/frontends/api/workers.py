"""Computers: list, pause, show out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from hub.core.access import Scope
from hub.core.key import check_may_register
from hub.core.pull import Grant
from hub.core.worker import WorkerCard
from hub.frontends.api.parts import (
    Hub,
    Known,
    Puller,
    Pulls,
    Reads,
    ReadsOrIsIt,
    Registers,
    by,
    whose,
)
from shared.api.parts import ID
from shared.api.queue import Heartbeat, HeartbeatShown, StopShown
from shared.api.workers import NewWorker, WorkerList, WorkerShown, WorkerTold
from shared.errors import NotFound
from shared.ids import JobId, WorkerId

router = APIRouter(tags=["workers"])
WorkerPath = Annotated[str, Path(pattern=ID)]


def shown(card: WorkerCard) -> WorkerShown:
    worker = card.worker
    return WorkerShown(
        worker_id=worker.worker_id,
        person_id=worker.person_id,
        name=worker.name,
        platform=worker.platform,
        app_version=worker.app_version,
        kinds=tuple(capability.kind for capability in worker.capabilities),
        is_online=card.is_online,
        is_paused=worker.is_paused,
        slots=card.slots,
        free=card.free,
        working=card.working,
        asking=card.asking,
        paired_at=worker.paired_at,
        last_seen_at=worker.last_seen_at,
        metrics=card.metrics,
        capabilities=worker.capabilities,
        pulls=worker.pulls,
    )


@router.post("/workers", status_code=201)
async def register_worker(
    new: NewWorker, caller: Registers, hub: Hub, response: Response
) -> WorkerTold:
    """Register a worker that fetches its work over this API; the answer holds its key.

    A key with the scope `worker` registers only workers of the kinds that it is limited to.
    """
    check_may_register(caller.access, tuple(one.kind for one in new.capabilities))
    worker, told = await hub.pullers.register(
        whose(caller, new.person_id),
        name=new.name,
        capabilities=new.capabilities,
        slots=new.slots,
        app_version=new.app_version,
    )
    # A key must not lie in anybody's cache.
    response.headers["Cache-Control"] = "no-store"
    response.headers["Location"] = f"/api/v1/workers/{worker.worker_id}"
    card = await hub.views.worker(worker.worker_id)
    assert card is not None
    return WorkerTold(**dict(shown(card)), key=told.text)


@router.get("/workers/{worker_id}")
async def get_worker(worker_id: WorkerPath, caller: ReadsOrIsIt, hub: Hub) -> WorkerShown:
    """One worker."""
    return shown(await _card(worker_id, caller, hub))


@router.post("/workers/{worker_id}/heartbeat")
async def beat_worker(
    worker_id: WorkerPath, beat: Heartbeat, puller: Puller, pulling: Pulls
) -> HeartbeatShown:
    """A worker that fetches its work says that it is here, and what it has in hand."""
    if puller.worker_id != worker_id:
        raise worker_unknown()
    held = tuple(
        Grant(job_id=JobId(one.job_id), attempt=one.attempt, fence=one.fence) for one in beat.held
    )
    heard = await pulling.heartbeat(puller, held, beat.slots, beat.metrics)
    return HeartbeatShown(
        is_paused=heard.is_paused,
        stop=tuple(
            StopShown(job_id=stop.job_id, attempt=stop.attempt, reason=stop.reason)
            for stop in heard.stops
        ),
        next_seconds=heard.next_seconds,
        silent_seconds=heard.silent_seconds,
    )


@router.post("/workers/{worker_id}/drain")
async def drain_worker(worker_id: WorkerPath, caller: Known, hub: Hub) -> WorkerShown:
    """Give it nothing new; what it has in hand goes on to its end. Idempotent."""
    return await _set_paused(worker_id, caller, hub, is_paused=True)


@router.get("/workers")
async def list_workers(caller: Reads, hub: Hub) -> WorkerList:
    """Paired computers, by name."""
    cards = await hub.views.workers(caller.sees)
    return WorkerList(workers=tuple(shown(card) for card in cards))


@router.post("/workers/{worker_id}/pause")
async def pause_worker(worker_id: WorkerPath, caller: Known, hub: Hub) -> WorkerShown:
    """The same as `drain_worker`."""
    return await _set_paused(worker_id, caller, hub, is_paused=True)


@router.post("/workers/{worker_id}/resume")
async def resume_worker(worker_id: WorkerPath, caller: Known, hub: Hub) -> WorkerShown:
    """Send it work again. Idempotent."""
    return await _set_paused(worker_id, caller, hub, is_paused=False)


@router.delete("/workers/{worker_id}", status_code=204)
async def revoke_worker(worker_id: WorkerPath, caller: Known, hub: Hub) -> None:
    """Show it out: its token is dead, its connection ends."""
    card = await _card(worker_id, caller, hub)
    await hub.registry.revoke(card.worker.person_id, card.worker_id, by(caller))


async def _set_paused(worker_id: str, caller: Known, hub: Hub, *, is_paused: bool) -> WorkerShown:
    card = await _card(worker_id, caller, hub)
    await hub.registry.pause(card.worker.person_id, card.worker_id, is_paused=is_paused)
    return shown(await _card(worker_id, caller, hub))


async def _card(worker_id: str, caller: Known, hub: Hub) -> WorkerCard:
    card = await hub.views.worker(WorkerId(worker_id))
    is_theirs = card is not None and caller.sees in (None, card.worker.person_id)
    is_itself = caller.access.scope is not Scope.WORKER or caller.access.worker_id == worker_id
    if card is None or not is_theirs or not is_itself or card.worker.is_revoked:
        raise worker_unknown()
    return card


def worker_unknown() -> NotFound:
    return NotFound("worker_unknown", "There is no such computer.", "GET /workers lists them.")
