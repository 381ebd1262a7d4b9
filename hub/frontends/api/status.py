"""How the hub is: in short for anyone, in full for those with a key."""

from __future__ import annotations

from fastapi import APIRouter, Request

from hub.frontends.api.parts import Hub, Reads, about_of
from shared.api.status import FrontendShown, HealthShown, StatusShown

router = APIRouter(tags=["status"])


@router.get("/health")
async def get_health(hub: Hub, request: Request) -> HealthShown:
    """Whether it is there; needs no key."""
    about = about_of(request)
    status = await hub.views.queue_status(None)
    return HealthShown(
        status="ok",
        version=about.version,
        hub_name=about.hub_name,
        hub_epoch=about.hub_epoch,
        workers_online=status.workers_online,
    )


@router.get("/status")
async def get_status(caller: Reads, hub: Hub, request: Request) -> StatusShown:
    """The queue, and each frontend's state with what can be done about it."""
    status = await hub.views.queue_status(caller.sees)
    about = about_of(request)
    told, links = about.frontends(), about.chat_links()
    return StatusShown(
        waiting=dict(status.waiting),
        running=status.running,
        asking=status.asking,
        interrupted=status.interrupted,
        dead=status.dead,
        oldest_waiting_seconds=status.oldest_waiting_seconds,
        workers_online=status.workers_online,
        slots=status.slots,
        frontends=tuple(
            FrontendShown(
                name=name,
                state=h.state,
                since=h.since,
                error=h.error,
                hint=h.hint,
                chat_link=links.get(name, ""),
            )
            for name, h in told
        ),
    )
