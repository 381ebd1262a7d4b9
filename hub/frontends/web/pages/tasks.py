"""What was asked for: all tasks, with filters and search in the address."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from hub.frontends.web.render import page
from hub.frontends.web.visitor import Guest, Place

router = APIRouter()


@router.get("/")
async def list_tasks(request: Request, visitor: Guest, place: Place) -> Response:
    cards = await place.services.views.jobs(visitor.sees)
    return await page(request, visitor, "tasks.html", cards=cards)
