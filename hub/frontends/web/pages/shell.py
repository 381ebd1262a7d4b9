"""What belongs to no page: the counts in the bar, and the choice of light or dark."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hub.frontends.web import theme
from hub.frontends.web.forms import Fields
from hub.frontends.web.navigation import PAGES, counts
from hub.frontends.web.render import part
from hub.frontends.web.toast import is_own_path
from hub.frontends.web.visitor import Guest, Place
from shared.errors import NotFound

router = APIRouter()


@router.get("/badges/{name}")
async def show_badge(visitor: Guest, place: Place, name: str) -> HTMLResponse:
    """How much waits in a page of the bar, as that badge."""
    link = next((link for link in PAGES if link.counts == name), None)
    if not name or link is None:
        raise NotFound("page_unknown", "There is no such page.", "The bar leads to all pages.")
    waiting = await counts(place, visitor)
    return part(visitor, "badge.html", place=replace(link, count=waiting.get(name, 0)))


@router.post("/theme")
async def choose_theme(fields: Fields) -> Response:
    back = fields.get("back", "/")
    response = RedirectResponse(back if is_own_path(back) else "/", status_code=303)
    theme.choose(response, fields.get("theme", ""))
    return response
