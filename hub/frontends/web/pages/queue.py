"""The queue: what waits and why, what runs, and how the last hour was."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from hub.core.backlog import LOOKED_AT_MAX
from hub.core.meter import Hour
from hub.frontends.figures import count, duration, plural
from hub.frontends.web import machines
from hub.frontends.web.reasons import reason
from hub.frontends.web.render import page
from hub.frontends.web.visitor import Guest, Place

router = APIRouter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A number over the last hour."""

    title: str
    figure: str
    says: str
    points: tuple[float, ...]
    """What is unknown is left out at the beginning, and stays as it was in between."""


@router.get("/queue")
async def show_queue(request: Request, visitor: Guest, place: Place) -> Response:
    services = place.services
    status = await services.views.queue_status(visitor.sees)
    backlog = await services.gauge.backlog(visitor.sees)
    now = place.environment.now()
    hour = services.gauge.hour(visitor.sees)
    found = await services.machines.all(visitor.sees)
    return await page(
        request,
        visitor,
        "queue.html",
        standing=status,
        waiting=sum(status.waiting.values()),
        reasons=[(group, reason(group, now)) for group in backlog.groups],
        curves=(depth_curve(hour), wait_curve(hour)),
        kinds=sorted(status.kinds, key=lambda kind: (-kind.waiting, -kind.running, kind.kind)),
        is_cut=backlog.looked_at >= LOOKED_AT_MAX,
        looked_at=backlog.looked_at,
        machines=found,
        has_fleet=any(machine.card.worker.is_fleet for machine in found),
        say=machines,
    )


def depth_curve(hour: Hour) -> Curve:
    points = filled(hour.depth)
    now, most = (points[-1], max(points)) if points else (0.0, 0.0)
    says = f"now {count(now)}, at most {count(most)}" if points else "nothing was measured yet"
    return Curve(title="Waiting", figure=count(now), says=says, points=points)


def wait_curve(hour: Hour) -> Curve:
    if hour.wait_p50 is None or hour.wait_p95 is None:
        says = "nothing started in the last hour"
        return Curve(title="Time to start", figure="–", says=says, points=())
    says = f"19 of 20 within {_brief(hour.wait_p95)}; {plural(hour.started, 'job')} started"
    figure = f"half within {_brief(hour.wait_p50)}"
    return Curve(title="Time to start", figure=figure, says=says, points=filled(hour.wait))


def _brief(seconds: float) -> str:
    return "a second" if seconds < 1 else duration(seconds)


def filled(points: tuple[float | None, ...]) -> tuple[float, ...]:
    """Leave out what is unknown at the beginning; later on, what was last known goes on."""
    known: list[float] = []
    for point in points:
        if point is not None:
            known.append(point)
        elif known:
            known.append(known[-1])
    return tuple(known)
