"""Computers: pair, list, pause, show out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import Field

from hub.core.worker import WorkerCard
from hub.frontends.api.jobs import ID
from hub.frontends.api.parts import Body, Hub, Known, Shown, about_of, whose
from hub.services.pairing import Claim
from shared.capabilities import CAPABILITIES_MAX, Capability
from shared.errors import NotFound
from shared.ids import WorkerId
from shared.messages import NAME_CHARS_MAX, Metrics

router = APIRouter(tags=["workers"])
WorkerPath = Annotated[str, Path(pattern=ID)]


class NewPairing(Body):
    code: str = Field(min_length=1, max_length=64)
    name: str = Field(min_length=1, max_length=NAME_CHARS_MAX)
    platform: str = Field(default="", max_length=NAME_CHARS_MAX)
    app_version: str = Field(default="", max_length=40)
    # Tuples come as JSON lists, which strict mode would refuse.
    capabilities: tuple[Capability, ...] = Field(
        default=(), max_length=CAPABILITIES_MAX, strict=False
    )


class PairedShown(Shown):
    worker_id: str
    token: str
    """Told once."""
    hub_name: str
    person_name: str
    worker_name: str


class NewInvitation(Body):
    person_id: str | None = Field(default=None, max_length=64)
    """For whom; the caller when null."""


class InvitationShown(Shown):
    code: str
    expires_at: datetime
    hub_url: str


class WorkerShown(Shown):
    worker_id: str
    person_id: str
    name: str
    platform: str
    app_version: str
    kinds: tuple[str, ...]
    is_online: bool
    is_paused: bool
    slots: int
    free: int
    working: int
    asking: int
    paired_at: datetime
    last_seen_at: datetime
    metrics: Metrics | None


class WorkerList(Shown):
    workers: tuple[WorkerShown, ...]


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


@router.post("/pairings", status_code=201)
async def create_pairing(new: NewPairing, hub: Hub, request: Request) -> PairedShown:
    """Turn a code into a worker with a token. Needs no key: the code is the key."""
    paired = await hub.pairing.claim(
        Claim(
            code=new.code,
            name=new.name,
            platform=new.platform,
            app_version=new.app_version,
            capabilities=new.capabilities,
        ),
        request.client.host if request.client else "",
    )
    return PairedShown(
        worker_id=paired.worker_id,
        token=paired.token,
        hub_name=about_of(request).hub_name,
        person_name=paired.person_name,
        worker_name=paired.worker_name,
    )


@router.post("/invitations", status_code=201)
async def create_invitation(
    new: NewInvitation, caller: Known, hub: Hub, request: Request
) -> InvitationShown:
    """Make a pairing code, good once within 10 minutes."""
    invitation = await hub.pairing.invite(whose(caller, new.person_id))
    return InvitationShown(
        code=invitation.code,
        expires_at=invitation.expires_at,
        hub_url=about_of(request).hub_url,
    )


@router.get("/workers")
async def list_workers(caller: Known, hub: Hub) -> WorkerList:
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
    await hub.registry.revoke(card.worker.person_id, card.worker_id)


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
