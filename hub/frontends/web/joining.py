"""Who waits to be let in, as pages show it; deciding is `hub.services.admissions`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.core.joining import JoinRequest
from hub.frontends.entrance import requested_view
from hub.frontends.web.visitor import Setting, Visitor
from hub.services.arrivals import requested
from shared.pairing import JoinKind, JoinState
from shared.plain_text import plain_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    join_id: str
    text: str
    """Who wants what, as every chat says it."""
    words: str
    """To be compared with what the computer shows; empty for a chat account."""
    is_computer: bool
    asked_at: datetime
    expires_at: datetime


async def joining(place: Setting, visitor: Visitor) -> tuple[Joining, ...]:
    """Who waits for this person's yes or no, the oldest first; nobody decides for others."""
    requests = await place.services.admissions.requests(visitor.person.person_id)
    return tuple(_shown(r) for r in requests if r.state is JoinState.WAITING)


def _shown(request: JoinRequest) -> Joining:
    said = requested_view(requested(request)).text
    return Joining(
        join_id=request.join_id,
        text=plain_line(said.partition(" Check words:")[0]),
        words=request.words,
        is_computer=request.kind is JoinKind.WORKER,
        asked_at=request.asked_at,
        expires_at=request.expires_at,
    )
