"""Schedules: what is done again and again, when next, and what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from hub.core.schedule import Missed, Paused, Schedule
from hub.frontends.facts import Facts
from hub.frontends.figures import capital
from hub.frontends.schedule_telling import brief, moment
from hub.frontends.web.forms import Fields, Undo, lead
from hub.frontends.web.render import page
from hub.frontends.web.visitor import Guest, Place, Setting, Visitor
from hub.frontends.webchat import conversation_of
from hub.services.schedule_deeds import NewSchedule
from hub.services.schedules import Preview
from shared.errors import AppError
from shared.ids import ScheduleId
from shared.schedules import WHEN_CHARS_MAX, WORDS_CHARS_MAX

router = APIRouter()
SchedulePath = Annotated[str, Path(max_length=64)]
PAGE = 50
UNFIT = 400
ZONE_CHARS_MAX = 64


@router.get("/schedules")
async def list_schedules(
    request: Request,
    visitor: Guest,
    place: Place,
    before: Annotated[str | None, Query(max_length=64)] = None,
    when: Annotated[str, Query()] = "",
    zone: Annotated[str, Query()] = "",
) -> Response:
    """The list, and the form; `when` and `zone` are what is being typed into it."""
    return await _page(request, visitor, place, before=before, fields={"when": when, "zone": zone})


@router.post("/schedules")
async def create_schedule(
    request: Request, visitor: Guest, place: Place, fields: Fields
) -> Response:
    if fields.get("do") == "preview":
        return await _page(request, visitor, place, fields=fields)
    try:
        made = await place.services.schedules.create(
            NewSchedule(
                person_id=visitor.person.person_id,
                words=fields.get("words", "").strip(),
                when=fields.get("when", "")[: WHEN_CHARS_MAX + 1],
                zone=fields.get("zone", "").strip()[: ZONE_CHARS_MAX + 1],
                missed=Missed.SKIP if fields.get("missed") == "skip" else Missed.ONCE,
                conversation=conversation_of(visitor.person.person_id),
                by=visitor.by,
            )
        )
    except AppError as error:
        return await _page(request, visitor, place, fault=error, fields=fields)
    return lead("/schedules", f"{capital(made.when)}: {brief(made.words)}")


@router.post("/schedules/{schedule_id}/pause")
async def pause_schedule(
    schedule_id: SchedulePath, visitor: Guest, place: Place, fields: Fields
) -> Response:
    await place.services.schedules.pause(visitor.sees, ScheduleId(schedule_id), visitor.by)
    undo = Undo(action=f"/schedules/{schedule_id}/resume")
    return lead("/schedules", "The schedule is paused.", undo)


@router.post("/schedules/{schedule_id}/resume")
async def resume_schedule(
    schedule_id: SchedulePath, visitor: Guest, place: Place, fields: Fields
) -> Response:
    await place.services.schedules.resume(visitor.sees, ScheduleId(schedule_id), visitor.by)
    return lead("/schedules", "The schedule goes on.")


@router.post("/schedules/{schedule_id}/run")
async def run_schedule(
    schedule_id: SchedulePath, visitor: Guest, place: Place, fields: Fields
) -> Response:
    job_id = await place.services.schedules.run_now(
        visitor.sees, ScheduleId(schedule_id), visitor.by
    )
    return lead(f"/jobs/{job_id}", "It was begun now; its times stay.")


@router.post("/schedules/{schedule_id}/delete")
async def delete_schedule(
    schedule_id: SchedulePath, visitor: Guest, place: Place, fields: Fields
) -> Response:
    await place.services.schedules.delete(visitor.sees, ScheduleId(schedule_id), visitor.by)
    return lead("/schedules", "The schedule was deleted. What it has begun goes on.")


async def _page(
    request: Request,
    visitor: Visitor,
    place: Setting,
    *,
    before: str | None = None,
    fault: AppError | None = None,
    fields: Mapping[str, str] | None = None,
) -> Response:
    service, person_id = place.services.schedules, visitor.person.person_id
    found = await service.page(
        visitor.sees, limit=PAGE + 1, before=ScheduleId(before) if before else None
    )
    facts = Facts(
        now=place.environment.now(),
        reader=visitor.person.name,
        zone=await place.services.views.zone(person_id),
    )
    preview, unclear = await _preview(visitor, place, fields or {})
    return await page(
        request,
        visitor,
        "schedules.html",
        status=UNFIT if fault else 200,
        schedules=found[:PAGE],
        older=found[PAGE - 1].schedule_id if len(found) > PAGE else None,
        is_first=before is None,
        capital=capital,
        brief=brief,
        stands=lambda schedule: stands(schedule, facts),
        at=lambda then, zone: moment(then, zone, facts),
        zone_name=await service.zone_name(person_id),
        words_max=WORDS_CHARS_MAX,
        when_max=WHEN_CHARS_MAX,
        fault=fault,
        fields=fields or {},
        preview=preview,
        unclear=unclear,
    )


async def _preview(
    visitor: Visitor, place: Setting, fields: Mapping[str, str]
) -> tuple[Preview | None, AppError | None]:
    """The next times of what a form says so far; or what is wrong with it."""
    when = fields.get("when", "").strip()
    if not when:
        return None, None
    try:
        zone = fields.get("zone", "").strip()
        person_id = visitor.person.person_id
        return await place.services.schedules.preview(person_id, when, zone), None
    except AppError as error:
        return None, error


def stands(schedule: Schedule, facts: Facts) -> tuple[str, str, str, str]:
    """How a schedule stands: tone, icon, word, and a sentence about it."""
    if schedule.next_at is not None:
        told = f"Next {moment(schedule.next_at, schedule.zone, facts)}."
        if schedule.skipped:
            told += " The last run has not ended, so none is begun beside it."
        return "waiting", "schedule", "On", told
    match schedule.paused:
        case Paused.PERSON | None:
            return "plain", "paused", "Paused", "It was paused by its person."
        case _:
            return "failed", "failed", "Paused", schedule.why
