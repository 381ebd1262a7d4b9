"""Computers: how each is, what it does, and what a person may do with it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from hub.core.fleet_rules import fleet_stays
from hub.frontends.replies import FLEET_IS
from hub.frontends.web import machines
from hub.frontends.web.forms import Fields, Undo, lead
from hub.frontends.web.render import page
from hub.frontends.web.visitor import Guest, Place, Setting, Visitor
from hub.services.machines import Machine
from shared.ids import WorkerId
from shared.kinds.catalogue import BUILT_IN

router = APIRouter()
ALL, ONE = "all", "one"
"""The pages that a button may lead back to."""
WorkerPath = Annotated[str, Path(max_length=64)]


@router.get("/workers")
async def list_workers(request: Request, visitor: Guest, place: Place) -> Response:
    found = await place.services.machines.all(visitor.sees)
    return await page(request, visitor, "workers.html", machines=found, say=machines)


@router.get("/workers/{worker_id}")
async def show_worker(
    worker_id: WorkerPath, request: Request, visitor: Guest, place: Place
) -> Response:
    machine = await _theirs(place, visitor, worker_id)
    last_jobs = await place.services.machines.last_jobs(machine)
    loads = place.services.gauge.loads(machine.card.worker_id)
    sessions = await place.services.sessions.page(
        visitor.sees, is_open=True, worker_id=machine.card.worker_id
    )
    return await page(
        request,
        visitor,
        "worker.html",
        machine=machine,
        last_jobs=last_jobs,
        loads=loads,
        sessions=sessions,
        fleet_is=FLEET_IS,
        say=machines,
    )


@router.post("/workers/{worker_id}/pause")
async def pause_worker(
    worker_id: WorkerPath, visitor: Guest, place: Place, fields: Fields, to: str = ALL
) -> Response:
    """Send it nothing new; what it has goes on."""
    machine = await _set_paused(place, visitor, worker_id, is_paused=True)
    undo = Undo(action=f"/workers/{worker_id}/resume?to={ONE if to == ONE else ALL}")
    return lead(_way(to, worker_id), f"{machine.card.name} takes nothing new.", undo)


@router.post("/workers/{worker_id}/resume")
async def resume_worker(
    worker_id: WorkerPath, visitor: Guest, place: Place, fields: Fields, to: str = ALL
) -> Response:
    machine = await _set_paused(place, visitor, worker_id, is_paused=False)
    return lead(_way(to, worker_id), f"{machine.card.name} takes work again.")


@router.get("/workers/{worker_id}/out")
async def ask_worker_out(
    worker_id: WorkerPath, request: Request, visitor: Guest, place: Place
) -> Response:
    """Ask before it is shown out, and tell what becomes of its jobs."""
    machine = await _theirs(place, visitor, worker_id)
    if machine.card.worker.is_fleet:
        raise fleet_stays(machine.card.name)
    kinds = [BUILT_IN.get(job.kind) for job in machine.jobs]
    again = sum(kind is not None and kind.idempotent for kind in kinds)
    return await page(
        request, visitor, "worker_out.html", machine=machine, again=again, say=machines
    )


@router.post("/workers/{worker_id}/out")
async def show_worker_out(
    worker_id: WorkerPath, visitor: Guest, place: Place, fields: Fields
) -> Response:
    """Its key is dead, its line ends, its jobs go elsewhere or ask."""
    machine = await _theirs(place, visitor, worker_id)
    worker = machine.card.worker
    await place.services.registry.revoke(worker.person_id, worker.worker_id, visitor.by)
    return lead("/workers", f"{worker.name} was shown out.")


async def _theirs(place: Setting, visitor: Visitor, worker_id: str) -> Machine:
    return await place.services.machines.one(visitor.sees, WorkerId(worker_id))


async def _set_paused(
    place: Setting, visitor: Visitor, worker_id: str, *, is_paused: bool
) -> Machine:
    machine = await _theirs(place, visitor, worker_id)
    worker = machine.card.worker
    await place.services.registry.pause(worker.person_id, worker.worker_id, is_paused=is_paused)
    return machine


def _way(to: str, worker_id: str) -> str:
    """Lead back to where the button was."""
    return f"/workers/{worker_id}" if to == ONE else "/workers"
