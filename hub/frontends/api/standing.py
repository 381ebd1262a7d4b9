"""What the hub has of a computer's log, for that computer to compare with its own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request

from hub.core.access import machine_of
from hub.frontends.api.parts import Hub, about_of
from shared.api.standing import StandingShown
from shared.ids import COUNT_MAX

router = APIRouter(tags=["workers"])


@router.get("/worker/standing")
async def get_standing(
    hub: Hub,
    request: Request,
    epoch: Annotated[int, Query(ge=0, le=COUNT_MAX)],
    authorization: Annotated[str, Header()] = "",
) -> StandingShown:
    """Tell a computer how far its log has come; the key is that computer's token."""
    access = await hub.keys.check(authorization)
    worker_id = machine_of(access)
    standing = await hub.views.standing(worker_id, epoch, access.person_id)
    return StandingShown(
        hub_epoch=about_of(request).hub_epoch,
        hub_seq=standing.hub_seq,
        acked_seq=standing.acked.seq,
        acked_digest=standing.acked.digest,
        jobs=dict(standing.open_jobs),
    )
