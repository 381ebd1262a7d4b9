"""Sessions: which task keeps a working folder on which computer, and for how long."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from hub.core.session import why_over
from hub.frontends.figures import ago, capital, duration
from hub.frontends.web.forms import Fields, lead
from hub.frontends.web.render import page
from hub.frontends.web.visitor import Guest, Place, Setting
from hub.services.sessions import SessionCard
from shared.ids import SessionId

router = APIRouter()
SessionPath = Annotated[str, Path(max_length=64)]
PAGE = 50


@router.get("/sessions")
async def list_sessions(
    request: Request,
    visitor: Guest,
    place: Place,
    state: Literal["open", "ended"] = "open",
    before: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    cards = await place.services.sessions.page(
        visitor.sees,
        is_open=state == "open",
        limit=PAGE + 1,
        before=SessionId(before) if before else None,
    )
    return await page(
        request,
        visitor,
        "sessions.html",
        cards=cards[:PAGE],
        state=state,
        older=cards[PAGE - 1].session_id if len(cards) > PAGE else None,
        is_first=before is None,
        says=lambda card: says(card, place),
    )


@router.get("/sessions/{session_id}")
async def show_session(
    session_id: SessionPath, request: Request, visitor: Guest, place: Place
) -> Response:
    card = await place.services.sessions.get(visitor.sees, SessionId(session_id))
    of_task = await place.services.views.jobs_of_task(card.session.task_id)
    jobs = [job for job in of_task if job.job.session_id == card.session_id]
    return await page(
        request, visitor, "session.html", card=card, jobs=jobs, says=lambda card: says(card, place)
    )


@router.post("/sessions/{session_id}/end")
async def end_session(
    session_id: SessionPath, visitor: Guest, place: Place, fields: Fields
) -> Response:
    """End it by its person's word; what runs in it goes on."""
    card = await place.services.sessions.terminate(visitor.sees, SessionId(session_id), visitor.by)
    return lead("/sessions", f"The session on {card.worker_name} was ended.")


def says(card: SessionCard, place: Setting) -> tuple[str, str, str, str]:
    """How a session stands: tone, icon, word, and a sentence about its end."""
    now = place.environment.now()
    session = card.session
    if session.ended_at is not None:
        return "plain", "cancelled", "Ended", f"{capital(why_over(session, now))}."
    if card.lives_until is None:
        return "running", "busy", "At work", "It is over when its job is: it is older than an hour."
    left = duration((card.lives_until - now).total_seconds())
    if card.is_busy:
        old = duration((session.aged_at - now).total_seconds())
        return "running", "busy", "At work", f"Takes what follows for another {old}."
    return "done", "idle", "Idle", f"Last used {ago(session.active_at, now)}; over in {left}."
