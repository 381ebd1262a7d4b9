"""One job: what it does, what it said, what came of it, and what may be done with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse, RedirectResponse, Response, StreamingResponse

from hub.core.job import JobCard
from hub.core.log_line import LINES_PER_PAGE_MAX, Stretch
from hub.core.stored_file import FileState
from hub.frontends.web.ansi import bare
from hub.frontends.web.asking import Draft, request_in_words
from hub.frontends.web.forms import Fields, Undo, lead
from hub.frontends.web.job_page import log_after, log_of, shown
from hub.frontends.web.outcome import PICTURES, outcome_of
from hub.frontends.web.render import page, part
from hub.frontends.web.toast import is_own_path
from hub.frontends.web.visitor import Guest, Place, Setting, Visitor
from hub.frontends.web.wanted import place_of
from shared.errors import AppError, Conflict, NotFound
from shared.ids import COUNT_MAX

router = APIRouter()
JobName = Annotated[str, Path(max_length=40)]
"""A job's id, or its short form."""
SAID_ALL = frozenset({"ml.model", "files.send", "files.head"})
"""Kinds whose jobs ask for nothing more: what the button says names them best."""
SHA256 = r"^[0-9a-f]{64}$"


@router.get("/jobs/{name}")
async def show_job(
    name: JobName,
    request: Request,
    visitor: Guest,
    place: Place,
    find_words: Annotated[str, Query(alias="find", max_length=200)] = "",
) -> Response:
    hub_seq = place.services.feed.position()
    card = await find(place, visitor, name)
    if name != card.job_id:
        return RedirectResponse(f"/jobs/{card.job_id}", status_code=303)
    return await page(
        request,
        visitor,
        "job.html",
        job=await shown(place, visitor, card),
        log=await log_of(place, card, find_words),
        steps=await place.services.views.steps(None, card.job_id),
        place_of=place_of,
        hub_seq=hub_seq,
    )


@router.get("/jobs/{name}/log")
async def more_log(
    name: JobName,
    visitor: Guest,
    place: Place,
    after: Annotated[int, Query(ge=0, le=COUNT_MAX)] = 0,
    attempt: Annotated[int, Query(ge=0, le=COUNT_MAX)] = 0,
) -> Response:
    """The lines since, for a page that follows."""
    card = await find(place, visitor, name)
    log = await log_after(place, card, after, attempt)
    return part(visitor, "job_log.html", log=log, job_id=card.job_id)


@router.get("/jobs/{name}/log.txt")
async def whole_log(name: JobName, visitor: Guest, place: Place) -> Response:
    """All of the log, as a file."""
    card = await find(place, visitor, name)
    headers = {"Content-Disposition": f'attachment; filename="job-{card.short}.log"'}
    text = _text(place, card)
    return StreamingResponse(text, media_type="text/plain; charset=utf-8", headers=headers)


@router.get("/jobs/{name}/files/{sha256}")
async def get_file(
    name: JobName, sha256: Annotated[str, Path(pattern=SHA256)], visitor: Guest, place: Place
) -> Response:
    """A file that a job handed over, while the hub has it; only pictures are shown by browsers."""
    card = await find(place, visitor, name)
    files = await place.services.files.of_job(card.job_id)
    found = next((f for f in files if f.ref.sha256 == sha256), None)
    if found is None or found.state is not FileState.HERE:
        raise NotFound(
            "file_gone",
            "The hub does not have this file any more; it keeps one for a day at most.",
            "Ask for it again on the page of its job.",
        )
    _, path = await place.services.files.find(card.job.person_id, sha256)
    is_picture = found.ref.media_type in PICTURES
    way = "inline" if is_picture else "attachment"
    return FileResponse(
        path,
        media_type=found.ref.media_type if is_picture else "application/octet-stream",
        headers={
            "Content-Disposition": f"{way}; filename*=UTF-8''{quote(found.ref.name, safe='')}",
            "Cache-Control": "private, max-age=3600",
        },
    )


@router.post("/jobs/{name}/further/{number}")
async def ask_further(
    name: JobName,
    number: Annotated[int, Path(ge=0, le=20)],
    visitor: Guest,
    place: Place,
    sent: Fields,
) -> Response:
    """Ask for what a button of the result offers: the same job as the button in a chat."""
    card = await find(place, visitor, name)
    outcome = outcome_of(card, ())
    further = outcome.further if outcome else ()
    chosen = next((one for one in further if one.number == number), None)
    if chosen is None:
        raise NotFound("further_unknown", "The job does not offer this.", "Look at its page.")
    wish = request_in_words(visitor, chosen.says, Draft.of(sent), worker_id=card.worker_id)
    if wish.kind in SAID_ALL:
        wish = replace(wish, title=f"{chosen.label}: {card.title}")
    asked = (await place.services.intake.request(wish)).card
    return lead(f"/jobs/{asked.job_id}", f"Asked for: {asked.title}")


@router.post("/jobs/{name}/retry")
async def retry_job(
    name: JobName, visitor: Guest, place: Place, sent: Fields, back: str = ""
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
    name: JobName, visitor: Guest, place: Place, sent: Fields, back: str = ""
) -> Response:
    card = await find(place, visitor, name)
    try:
        now = await place.services.intake.cancel(card.job.person_id, card.job_id, visitor.by)
    except Conflict as error:
        return lead(_way(back, card), error.message)
    said = "Cancelled" if now.state.is_terminal else "Stopping"
    return lead(_way(back, card), f"{said}: {card.title}")


@router.post("/jobs/{name}/move")
async def move_job(name: JobName, visitor: Guest, place: Place, sent: Fields) -> Response:
    """Let another computer run what still waits."""
    card = await find(place, visitor, name)
    worker = sent.get("worker", "")
    try:
        await place.services.intake.move(card.job.person_id, card.job_id, worker, visitor.by)
    except (Conflict, NotFound) as error:
        return lead(_way("", card), error.message)
    return lead(_way("", card), f"It waits for {worker} now.")


@router.post("/jobs/{name}/purge")
async def purge_task(name: JobName, visitor: Guest, place: Place, sent: Fields) -> Response:
    """Forget the job's task and all it told, here and on every computer."""
    card = await find(place, visitor, name)
    try:
        await place.services.intake.purge(card.job.person_id, card.job.task_id, visitor.by)
    except AppError as error:
        return lead(_way("", card), error.message)
    return lead("/", f"Forgotten: {card.title}")


async def find(place: Setting, visitor: Visitor, name: str) -> JobCard:
    """Find a job by its id or short form.

    Raises:
        NotFound: `job_unknown`, also when it is somebody else's.
    """
    return await place.services.views.find_job(visitor.sees, name)


async def _text(place: Setting, card: JobCard) -> AsyncIterator[str]:
    """Write one stretch after the other, so that no log stands whole in memory."""
    after: int | None = 0
    while after is not None:
        wanted = Stretch(after=after, limit=LINES_PER_PAGE_MAX)
        log = await place.services.views.log(None, card.job_id, wanted)
        yield "".join(f"{bare(line.text)}\n" for line in log.lines)
        after = log.looked_at if log.has_more else None


def _way(back: str, card: JobCard) -> str:
    return back if is_own_path(back) else f"/jobs/{card.job_id}"
