"""Sessions: open one, look at them, keep one alive, end one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from hub.frontends.api.parts import Hub, Known, Reads
from hub.frontends.facts import PLACES
from hub.services.sessions import SessionCard
from shared.api.parts import ID, PAGE_DEFAULT, PAGE_MAX
from shared.api.sessions import NewSession, SessionPage, SessionShown
from shared.ids import SessionId, TaskId, WorkerId

router = APIRouter(tags=["sessions"])
SessionPath = Annotated[str, Path(pattern=ID)]
Named = Annotated[str | None, Query(pattern=ID)]


def shown(card: SessionCard) -> SessionShown:
    session = card.session
    return SessionShown(
        session_id=session.session_id,
        person_id=session.person_id,
        task_id=session.task_id,
        task_text=card.task_text,
        title=card.title,
        worker_id=session.worker_id,
        worker_name=card.worker_name,
        jobs=card.jobs,
        is_open=session.is_open,
        is_busy=card.is_busy,
        takes_follow_ups=card.takes_follow_ups,
        opened_at=session.opened_at,
        active_at=session.active_at,
        lives_until=card.lives_until,
        ended_at=session.ended_at,
        reason=session.reason,
        ended_by=session.ended_by,
    )


@router.post("/sessions", status_code=201)
async def create_session(
    new: NewSession, caller: Known, hub: Hub, response: Response
) -> SessionShown:
    """Open a session for a task on a computer. Idempotent: one that is open there is renewed."""
    card = await hub.sessions.open(caller.sees, TaskId(new.task_id), new.worker)
    response.headers["Location"] = f"/api/v1/sessions/{card.session_id}"
    return shown(card)


@router.get("/sessions")
async def list_sessions(
    caller: Reads,
    hub: Hub,
    is_open: Annotated[bool | None, Query()] = None,
    task_id: Named = None,
    worker_id: Named = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT,
    cursor: Named = None,
) -> SessionPage:
    """Sessions, the newest first."""
    cards = await hub.sessions.page(
        caller.sees,
        is_open=is_open,
        task_id=TaskId(task_id) if task_id else None,
        worker_id=WorkerId(worker_id) if worker_id else None,
        limit=limit,
        before=SessionId(cursor) if cursor else None,
    )
    more = cards[-1].session_id if len(cards) == limit else None
    return SessionPage(sessions=tuple(shown(card) for card in cards), next_cursor=more)


@router.get("/sessions/{session_id}")
async def get_session(session_id: SessionPath, caller: Reads, hub: Hub) -> SessionShown:
    """One session, and when it will be over."""
    return shown(await hub.sessions.get(caller.sees, SessionId(session_id)))


@router.post("/sessions/{session_id}/heartbeat")
async def renew_session(session_id: SessionPath, caller: Known, hub: Hub) -> SessionShown:
    """Say that it is still needed: its idle time begins anew, its age does not."""
    return shown(await hub.sessions.renew(caller.sees, SessionId(session_id)))


@router.post("/sessions/{session_id}/terminate")
async def terminate_session(session_id: SessionPath, caller: Known, hub: Hub) -> SessionShown:
    """End it; what runs in it goes on. Idempotent."""
    by = f"{caller.person.name} on {PLACES['api']}"
    return shown(await hub.sessions.terminate(caller.sees, SessionId(session_id), by))
