"""One job: what it does, what it said, what came of it, and what may be done with it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from hub.core.job import JobCard
from hub.frontends.web.forms import Fields, Undo, lead
from hub.frontends.web.toast import is_own_path
from hub.frontends.web.visitor import Guest, Place, Setting, Visitor
from shared.errors import Conflict

router = APIRouter()
JobName = Annotated[str, Path(max_length=40)]
"""A job's id, or its short form."""


@router.post("/jobs/{name}/retry")
async def retry_job(
    name: JobName, visitor: Guest, place: Place, fields: Fields, back: str = ""
) -> Response:
    card = await find(place, visitor, name)
    try:
        await place.services.intake.retry(card.job.person_id, card.job_id, visitor.by)
    except Conflict as error:
        return lead(_way(back, card), error.message)
    undo = Undo(action=f"/jobs/{card.job_id}/cancel", label="Cancel it")
    return lead(_way(back, card), f"Queued again: {card.title}", undo)


@router.post("/jobs/{name}/cancel")
async def cancel_job(
    name: JobName, visitor: Guest, place: Place, fields: Fields, back: str = ""
) -> Response:
    card = await find(place, visitor, name)
    try:
        now = await place.services.intake.cancel(card.job.person_id, card.job_id, visitor.by)
    except Conflict as error:
        return lead(_way(back, card), error.message)
    said = "Cancelled" if now.state.is_terminal else "Stopping"
    return lead(_way(back, card), f"{said}: {card.title}")


async def find(place: Setting, visitor: Visitor, name: str) -> JobCard:
    """Find a job by its id or short form.

    Raises:
        NotFound: `job_unknown`, also when it is somebody else's.
    """
    return await place.services.views.find_job(visitor.sees, name)


def _way(back: str, card: JobCard) -> str:
    return back if is_own_path(back) else f"/jobs/{card.job_id}"
