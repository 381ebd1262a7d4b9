"""Schedules: make one, look at them, hold one, run one now, remove one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from hub.core.schedule import Missed, Schedule
from hub.frontends.api.parts import Hub, Known, Reads, by
from hub.services import schedule_deeds
from shared.api.parts import ID, PAGE_DEFAULT, PAGE_MAX
from shared.api.schedules import NewSchedule, SchedulePage, ScheduleRunShown, ScheduleShown
from shared.ids import ScheduleId
from shared.jobs import Origin

router = APIRouter(tags=["schedules"])
SchedulePath = Annotated[str, Path(pattern=ID)]


def shown(schedule: Schedule) -> ScheduleShown:
    told = schedule.facts
    return ScheduleShown(
        schedule_id=schedule.schedule_id,
        person_id=schedule.person_id,
        words=told.words,
        when=told.when,
        cron=told.cron,
        zone=told.zone,
        missed=told.missed,
        is_paused=schedule.paused is not None,
        paused=told.paused,
        why=told.why,
        next_at=told.next_at,
        last_at=told.last_at,
        last_job_id=told.last_job_id,
        failures=told.failures,
        made_by=schedule.made_by,
        created_at=schedule.created_at,
    )


@router.post("/schedules", status_code=201)
async def create_schedule(
    new: NewSchedule, caller: Known, hub: Hub, response: Response
) -> ScheduleShown:
    """Have something done again and again, in the caller's name and with their rights then."""
    made = await hub.schedules.create(
        schedule_deeds.NewSchedule(
            person_id=caller.person.person_id,
            words=new.words,
            when=new.when,
            zone=new.zone,
            missed=Missed(new.missed),
            origin=Origin.API,
            by=by(caller),
        )
    )
    response.headers["Location"] = f"/api/v1/schedules/{made.schedule_id}"
    return shown(made)


@router.get("/schedules")
async def list_schedules(
    caller: Reads,
    hub: Hub,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT,
    cursor: Annotated[str | None, Query(pattern=ID)] = None,
) -> SchedulePage:
    """Schedules, the newest first."""
    before = ScheduleId(cursor) if cursor else None
    found = await hub.schedules.page(caller.sees, limit=limit, before=before)
    more = found[-1].schedule_id if len(found) == limit else None
    return SchedulePage(schedules=tuple(map(shown, found)), next_cursor=more)


@router.get("/schedules/{schedule_id}")
async def get_schedule(schedule_id: SchedulePath, caller: Reads, hub: Hub) -> ScheduleShown:
    """One schedule, and when it is due next."""
    return shown(await hub.schedules.get(caller.sees, ScheduleId(schedule_id)))


@router.post("/schedules/{schedule_id}/pause")
async def pause_schedule(schedule_id: SchedulePath, caller: Known, hub: Hub) -> ScheduleShown:
    """Hold it until somebody resumes it. Idempotent."""
    return shown(await hub.schedules.pause(caller.sees, ScheduleId(schedule_id), by(caller)))


@router.post("/schedules/{schedule_id}/resume")
async def resume_schedule(schedule_id: SchedulePath, caller: Known, hub: Hub) -> ScheduleShown:
    """Let it go on; its next time is the first that comes from now on. Idempotent."""
    return shown(await hub.schedules.resume(caller.sees, ScheduleId(schedule_id), by(caller)))


@router.post("/schedules/{schedule_id}/run")
async def run_schedule(schedule_id: SchedulePath, caller: Known, hub: Hub) -> ScheduleRunShown:
    """Run it once, now; its times stay. Refused while the last run goes on."""
    job_id = await hub.schedules.run_now(caller.sees, ScheduleId(schedule_id), by(caller))
    return ScheduleRunShown(job_id=job_id)


@router.delete("/schedules/{schedule_id}", status_code=204)
async def delete_schedule(schedule_id: SchedulePath, caller: Known, hub: Hub) -> None:
    """Remove it; what it has begun goes on."""
    await hub.schedules.delete(caller.sees, ScheduleId(schedule_id), by(caller))
