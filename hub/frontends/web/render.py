"""Writes pages: one Jinja environment, with the figures and words that every page uses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hub.core.view import size
from hub.frontends import figures
from hub.frontends.web import static_files, theme, toast
from hub.frontends.web.everyone import keep_everyone
from hub.frontends.web.navigation import navigation
from hub.frontends.web.visitor import Visitor, setting_of
from shared.ids import short
from shared.jobs import JobState

FOLDER = Path(__file__).parent
STATES: Mapping[JobState, tuple[str, str]] = {
    JobState.QUEUED: ("waiting", "Waiting"),
    JobState.OFFERED: ("waiting", "Waiting"),
    JobState.GRANTED: ("running", "Starting"),
    JobState.RUNNING: ("running", "Running"),
    JobState.ASKING: ("asking", "Asking"),
    JobState.SUCCEEDED: ("done", "Done"),
    JobState.FAILED: ("failed", "Failed"),
    JobState.CANCELLED: ("plain", "Cancelled"),
    JobState.INTERRUPTED: ("asking", "Interrupted"),
    JobState.DEAD: ("failed", "Given up"),
}
"""A state's tone (its colour and icon) and its word."""


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        duration=figures.duration,
        count=figures.count,
        size=size,
        short=short,
        tone=lambda state: STATES[state][0],
        word=lambda state: STATES[state][1],
    )
    environment.globals.update(plural=figures.plural, static=static_files.address)
    return environment


_TEMPLATES = _environment()


async def page(
    request: Request, visitor: Visitor | None, template: str, *, status: int = 200, **told: object
) -> HTMLResponse:
    """Write a page; asked for by htmx it is the page all the same, and the asker picks its part.

    Every template may use `visitor`, `hub` (the setting), `path`, `query`, `now`, `zone`,
    `hub_seq` (the place in the log before the page's data was read: what is newer rings),
    `ago(then)` and `moment(then)`.
    """
    setting = setting_of(request)
    now = setting.environment.now()
    zone = await setting.services.views.zone(visitor.person.person_id) if visitor else None
    context = {
        "visitor": visitor,
        "hub": setting,
        "path": request.url.path,
        "query": request.query_params,
        "now": now,
        "zone": zone,
        "navigation": await navigation(setting, visitor, request.url.path) if visitor else (),
        "theme": theme.chosen(request),
        "flash": (flash := toast.take(request)),
        "hub_seq": visitor.hub_seq if visitor else 0,
        "ago": lambda then: figures.ago(then, now),
        "moment": lambda then: _moment(then, now, zone),
        **told,
    }
    html = _TEMPLATES.get_template(template).render(context)
    if visitor is not None and visitor.sees_everyone:
        html = keep_everyone(html)
    response = HTMLResponse(html, status_code=status, headers={"Cache-Control": "no-store"})
    if flash is not None:
        toast.drop(response)
    return response


def part(visitor: Visitor, template: str, **told: object) -> HTMLResponse:
    """Write a small part of a page that needs nothing of what `page` tells."""
    html = _TEMPLATES.get_template(template).render(visitor=visitor, **told)
    html = keep_everyone(html) if visitor.sees_everyone else html
    return HTMLResponse(html, headers={"Cache-Control": "no-store"})


def _moment(then: datetime, now: datetime, zone: tzinfo | None) -> str:
    return figures.moment(then, now, zone)
