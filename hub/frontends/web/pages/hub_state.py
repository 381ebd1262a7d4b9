"""The hub's own state, for whoever runs it: its frontends, its store, its backups."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response

from hub.core.fleet_calls import FleetSeen
from hub.core.view import size
from hub.frontends.entrance import place as place_name
from hub.frontends.figures import ago, capital, count, plural
from hub.frontends.web.render import page
from hub.frontends.web.visitor import Owner, Place
from hub.ports import HealthState
from hub.services.backups import Upkeep

router = APIRouter()
STATES: Mapping[HealthState, tuple[str, str, str]] = {
    HealthState.OK: ("done", "check", "Working"),
    HealthState.STARTING: ("waiting", "queued", "Starting"),
    HealthState.TROUBLED: ("waiting", "warning", "In trouble"),
    HealthState.FAILED: ("failed", "failed", "Failed"),
    HealthState.STOPPED: ("plain", "cancelled", "Stopped"),
}
"""A frontend's tone, icon and word."""
FREE_BYTES_MIN = 1_000_000_000
BACKUP_OLD = timedelta(hours=48)


@router.get("/hub")
async def show_hub(request: Request, visitor: Owner, place: Place) -> Response:
    services = place.services
    upkeep = await place.backups.look()
    now = place.environment.now()
    machines = await services.machines.all(None)
    machines = tuple(machine for machine in machines if not machine.card.worker.is_fleet)
    fleet = await place.fleet()
    versions = sorted({m.card.worker.app_version for m in machines if m.card.worker.app_version})
    return await page(
        request,
        visitor,
        "hub.html",
        frontends=[(capital(place_name(name)), health) for name, health in place.frontends()],
        marks=STATES,
        upkeep=upkeep,
        backup=backup(upkeep, now),
        fleet=fleet if fleet.is_configured else None,
        fleet_says=fleet_says(fleet),
        is_tight=upkeep.free_bytes < FREE_BYTES_MIN,
        trouble=services.recorder.trouble,
        events=services.feed.position(),
        people=len(await services.registry.people()),
        machines=len(machines),
        online=sum(machine.card.is_online for machine in machines),
        versions=versions,
    )


def fleet_says(fleet: FleetSeen) -> str:
    """What the fleet has to do, and who does it; what helps when there is nobody."""
    waiting = sum(queue.waiting for queue in fleet.queues)
    running = sum(queue.running for queue in fleet.queues)
    told = f"{plural(waiting, 'job')} waiting, {count(running)} running."
    if not fleet.kinds:
        return "It may run nothing yet: HUB_FLEET_KINDS names no kind of work."
    if not fleet.nodes:
        return f"No node is here. {told} A node is started with deskhand-fleet worker."
    slots = sum(node.slots for node in fleet.nodes)
    draining = sum(node.is_draining for node in fleet.nodes)
    leave = f", {count(draining)} draining" if draining else ""
    return f"{plural(len(fleet.nodes), 'node')} with {plural(slots, 'slot')}{leave}. {told}"


def backup(upkeep: Upkeep, now: datetime) -> tuple[str, str, str, str]:
    """How the backups stand: tone, icon, word, and a sentence."""
    if upkeep.keep == 0:
        return "failed", "warning", "None", "None are made: HUB_BACKUPS is 0."
    if upkeep.newest_at is None:
        return "waiting", "queued", "Not yet", "The first is made a minute after the hub starts."
    told = (
        f"The last was made {ago(upkeep.newest_at, now)} ({size(upkeep.newest_bytes)}); "
        f"{plural(upkeep.backups, 'backup')} of at most {upkeep.keep} kept."
    )
    if now - upkeep.newest_at > BACKUP_OLD:
        return "failed", "warning", "Old", told
    return "done", "check", "Fresh", told
