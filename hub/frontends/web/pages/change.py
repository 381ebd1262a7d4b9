"""The change that a coding job made: fetched when somebody asks, read file by file."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from hub.frontends.briefing import machine_name
from hub.frontends.web.change_page import DIFF, is_code, shown_change
from hub.frontends.web.forms import Fields, lead
from hub.frontends.web.pages.jobs import JobName, find
from hub.frontends.web.render import page
from hub.frontends.web.visitor import Guest, Place
from hub.frontends.webchat import conversation_of
from hub.services.requests import Request as Wish
from shared.errors import NotFound
from shared.jobs import TITLE_CHARS_MAX
from shared.kinds import JsonObject

router = APIRouter()
FILE_CHARS_MAX = 500
OneFile = Annotated[str, Query(max_length=FILE_CHARS_MAX)]


@router.get("/jobs/{name}/change")
async def show_change(
    name: JobName, request: Request, visitor: Guest, place: Place, file: OneFile = ""
) -> Response:
    card = await find(place, visitor, name)
    if not is_code(card):
        raise NotFound("change_missing", "This job changes no code.", "Look at its own page.")
    machine = await machine_name(place.services, card)
    change = await shown_change(place, visitor, card, machine, file)
    return await page(request, visitor, "change.html", shown=change)


@router.post("/jobs/{name}/change/fetch")
async def fetch_change(name: JobName, visitor: Guest, place: Place, sent: Fields) -> Response:
    """Ask the computer that has it for the change, or for one file of it."""
    card = await find(place, visitor, name)
    file = sent.get("file", "")[:FILE_CHARS_MAX]
    inputs: JsonObject = {"job": card.job_id, **({"file": file} if file else {})}
    wish = Wish(
        person_id=visitor.person.person_id,
        kind=DIFF,
        inputs=inputs,
        title=f"The change of {card.title}"[:TITLE_CHARS_MAX],
        conversation=conversation_of(visitor.person.person_id),
        worker_id=card.worker_id,
        task_id=card.job.task_id,
    )
    await place.services.intake.request(wish)
    return lead(f"/jobs/{card.job_id}/change")
