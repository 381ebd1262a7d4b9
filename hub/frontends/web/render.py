"""Writes pages: one Jinja environment, with the figures and words that every page uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hub.core.view import size
from hub.frontends import figures
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
    environment.globals.update(plural=figures.plural)
    return environment


_TEMPLATES = _environment()


async def page(
    request: Request, visitor: Visitor | None, template: str, *, status: int = 200, **told: object
) -> HTMLResponse:
    """Write a page; asked for by htmx it is the page all the same, and the asker picks its part.

    Every template may use `visitor`, `hub` (the setting), `path`, `query`, `now`, `zone`,
    `hub_seq` (the place in the log that the page was written at: read it BEFORE the page's data),
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
        "navigation": _navigation(request.url.path),
        "hub_seq": setting.services.feed.position(),
        "ago": lambda then: figures.ago(then, now),
        "moment": lambda then: _moment(then, now, zone),
        **told,
    }
    html = _TEMPLATES.get_template(template).render(context)
    return HTMLResponse(html, status_code=status, headers={"Cache-Control": "no-store"})


NAVIGATION: Sequence[tuple[str, str]] = (
    ("/", "Tasks"),
    ("/inbox", "Questions"),
    ("/chat", "Chat"),
    ("/workers", "Workers"),
    ("/queue", "Queue"),
    ("/sessions", "Sessions"),
    ("/dead", "Dead letters"),
    ("/activity", "Activity"),
)
"""The pages in the bar; what else there is stands behind the person's name."""


@dataclass(frozen=True, slots=True)
class Link:
    href: str
    label: str
    is_current: bool
    count: int = 0
    """What waits for the person there."""


def _navigation(path: str) -> list[Link]:
    def is_current(href: str) -> bool:
        tasks = ("/tasks", "/jobs")
        return path == href or (path.startswith(tasks) if href == "/" else path.startswith(href))

    return [Link(href, label, is_current(href)) for href, label in NAVIGATION]


def _moment(then: datetime, now: datetime, zone: tzinfo | None) -> str:
    return figures.moment(then, now, zone)
