"""How the hub is: in short for anyone, in full for those with a key."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Request

from hub.frontends.api.parts import Hub, Known, Shown, about_of
from shared.jobs import Priority

router = APIRouter(tags=["status"])


class HealthShown(Shown):
    status: Literal["ok"]
    version: str
    hub_name: str
    hub_epoch: str
    workers_online: int


class FrontendShown(Shown):
    name: str
    state: str
    since: datetime
    error: str
    hint: str
    chat_link: str
    """Where a person opens the chat, with "{code}" for what is said first; empty: nowhere."""


class StatusShown(Shown):
    waiting: dict[Priority, int]
    running: int
    asking: int
    interrupted: int
    dead: int
    oldest_waiting_seconds: float
    workers_online: int
    slots: int
    frontends: tuple[FrontendShown, ...]


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
async def get_status(caller: Known, hub: Hub, request: Request) -> StatusShown:
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
