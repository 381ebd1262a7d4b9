"""Computers: list, pause, show out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from hub.core.worker import WorkerCard
from hub.frontends.api.parts import Hub, Known, Reads
from shared.api.parts import ID
from shared.api.workers import WorkerList, WorkerShown
from shared.errors import NotFound
from shared.ids import WorkerId

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
    )


@router.get("/workers")
async def list_workers(caller: Reads, hub: Hub) -> WorkerList:
    """Paired computers, by name."""
    cards = await hub.views.workers(caller.sees)
    return WorkerList(workers=tuple(shown(card) for card in cards))


@router.post("/workers/{worker_id}/pause")
async def pause_worker(worker_id: WorkerPath, caller: Known, hub: Hub) -> WorkerShown:
    """Send it nothing new. Idempotent."""
    return await _set_paused(worker_id, caller, hub, is_paused=True)


@router.post("/workers/{worker_id}/resume")
async def resume_worker(worker_id: WorkerPath, caller: Known, hub: Hub) -> WorkerShown:
    """Send it work again. Idempotent."""
    return await _set_paused(worker_id, caller, hub, is_paused=False)


@router.delete("/workers/{worker_id}", status_code=204)
async def revoke_worker(worker_id: WorkerPath, caller: Known, hub: Hub) -> None:
    """Show it out: its token is dead, its connection ends."""
    card = await _card(worker_id, caller, hub)
    by = f"{caller.person.name} on the API"
    await hub.registry.revoke(card.worker.person_id, card.worker_id, by)


async def _set_paused(worker_id: str, caller: Known, hub: Hub, *, is_paused: bool) -> WorkerShown:
    card = await _card(worker_id, caller, hub)
    await hub.registry.pause(card.worker.person_id, card.worker_id, is_paused=is_paused)
    return shown(await _card(worker_id, caller, hub))


async def _card(worker_id: str, caller: Known, hub: Hub) -> WorkerCard:
    card = await hub.views.worker(WorkerId(worker_id))
    is_theirs = card is not None and caller.sees in (None, card.worker.person_id)
    if card is None or not is_theirs or card.worker.is_revoked:
        raise NotFound("worker_unknown", "There is no such computer.", "GET /workers lists them.")
    return card
