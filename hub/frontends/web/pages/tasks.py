"""What was asked for: all tasks, with filters and search in the address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response

from hub.core.task_row import RowPage, RowSort, StateCount, TaskRow
from hub.frontends import figures
from hub.frontends.web.headways import Headway, headway
from hub.frontends.web.render import page
from hub.frontends.web.toast import BELL
from hub.frontends.web.visitor import Guest, Place, Setting, Visitor
from hub.frontends.web.waits import why_line
from hub.frontends.web.wanted import (
    ORIGINS,
    PRIORITIES,
    SHELVES,
    Wanted,
    place_of,
    read_wanted,
)
from shared.errors import NotFound
from shared.ids import TaskId
from shared.jobs import JobState

router = APIRouter()
ID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
ROWS = 30
FRESH_SECONDS = 10
"""Rows that are so young glow when they come while somebody looks."""
RETRIED = frozenset({JobState.FAILED, JobState.DEAD, JobState.INTERRUPTED})


@router.get("/")
async def list_tasks(request: Request, visitor: Guest, place: Place) -> Response:
    views = place.services.views
    hub_seq = place.services.feed.position()
    zone = await views.zone(visitor.person.person_id)
    wanted = read_wanted(request.query_params, visitor.sees, zone)
    found = await _rows(place, wanted)
    now = place.environment.now()
    counts = await views.task_counts(wanted.filter.person_id)
    workers = {str(card.worker_id): card.name for card in await views.workers(visitor.sees)}
    return await page(
        request,
        visitor,
        "tasks.html",
        wanted=wanted,
        found=found,
        shelves=[
            (shelf, sum(counts[s].count for s in shelf.states), _more(counts, shelf.states))
            for shelf in SHELVES
        ],
        workers=workers,
        people=await _people(place, visitor),
        kinds=await views.kinds_asked(wanted.filter.person_id),
        priorities=PRIORITIES,
        origins=ORIGINS,
        sorts=RowSort,
        why=lambda row: why_line(row.waiting, now, lambda then: figures.moment(then, now, zone)),
        headway=lambda row: _headway(place, row),
        place_of=place_of,
        is_fresh=lambda row: now - row.asked_at < timedelta(seconds=FRESH_SECONDS),
        retried=RETRIED,
        is_bell=BELL in request.headers,
        hub_seq=hub_seq,
    )


@router.get("/tasks/{task_id}")
async def show_task(
    task_id: Annotated[str, Path(pattern=ID)], request: Request, visitor: Guest, place: Place
) -> Response:
    """A task: its job, or all of them when it has several."""
    task = await place.services.views.task(TaskId(task_id))
    cards = await place.services.views.jobs_of_task(TaskId(task_id))
    if task is None or not cards or visitor.sees not in (None, task.person_id):
        raise NotFound("task_unknown", "There is no such task.", "Tasks shows all of yours.")
    if len(cards) == 1:
        return RedirectResponse(f"/jobs/{cards[0].job_id}", status_code=303)
    workers = {card.worker_id: card.name for card in await place.services.views.workers(None)}
    return await page(request, visitor, "task.html", task=task, cards=cards, workers=workers)


async def _rows(place: Setting, wanted: Wanted) -> RowPage:
    """Read the page; one that leads back beyond the beginning is the first one."""
    views = place.services.views
    found = await views.task_rows(wanted.filter, wanted.sort, wanted.cursor, ROWS)
    if wanted.cursor is not None and wanted.cursor.is_back and found.newer is None:
        found = await views.task_rows(wanted.filter, wanted.sort, None, ROWS)
    return found


async def _people(place: Setting, visitor: Visitor) -> dict[str, str]:
    """Whom an owner may choose among; nobody while only their own tasks are shown."""
    if not visitor.sees_everyone:
        return {}
    return {str(p.person_id): p.name for p in await place.services.registry.people()}


def _headway(place: Setting, row: TaskRow) -> Headway:
    return headway(row.job.job_id, place.services.feed.progress_of(row.job.job_id))


def _more(counts: Mapping[JobState, StateCount], states: frozenset[JobState]) -> bool:
    return any(counts[state].is_more for state in states)
