"""Everything that happened, the newest first, by day."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from hub.frontends.web.render import page
from hub.frontends.web.telling import SORTS, Line, lines
from hub.frontends.web.visitor import Guest, Place
from shared.ids import COUNT_MAX, PersonId, WorkerId

router = APIRouter()
Before = Annotated[int | None, Query(ge=1, le=COUNT_MAX)]


@router.get("/activity")
async def show_activity(
    request: Request,
    visitor: Guest,
    place: Place,
    sort: Annotated[str, Query(max_length=20)] = "",
    worker: Annotated[str, Query(max_length=64)] = "",
    person: Annotated[str, Query(max_length=64)] = "",
    before: Before = None,
) -> Response:
    services, me = place.services, visitor.person
    whose = PersonId(person) if person and visitor.sees is None else visitor.sees
    _, types = SORTS.get(sort, ("", ()))
    look = await services.chronicle.activity(
        whose, types=types, worker_id=WorkerId(worker) if worker else None, before=before
    )
    zone = await services.views.zone(me.person_id)
    now = place.environment.now()
    machines = await services.machines.all(visitor.sees)
    return await page(
        request,
        visitor,
        "activity.html",
        days=by_day(lines(look, now, zone, me.name), now, zone),
        older=look.older,
        sorts={name: label for name, (label, _) in SORTS.items()},
        machines={machine.card.worker_id: machine.card.name for machine in machines},
        people=look.people if visitor.sees is None else {},
        chosen={"sort": sort, "worker": worker, "person": person},
        before=before,
    )


def by_day(
    told: list[Line], now: datetime, zone: tzinfo | None
) -> list[tuple[str, list[tuple[str, Line]]]]:
    """Put lines under their day, each with its time of day, as the reader's clock says.

    What a computer tells late stands among what happened when it did.
    """
    today = now.astimezone(zone).date()
    told = sorted(told, key=lambda line: line.at, reverse=True)
    return [
        (day_name(day, today), [(f"{line.at.astimezone(zone):%H:%M}", line) for line in group])
        for day, group in groupby(told, key=lambda line: line.at.astimezone(zone).date())
    ]


def day_name(day: date, today: date) -> str:
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return f"{day:%A}, {day.day} {day:%B}" + ("" if day.year == today.year else f" {day.year}")
