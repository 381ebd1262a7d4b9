"""What a job said: its lines in pages, or all of them as one text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.responses import StreamingResponse

from hub.core.job import JobCard
from hub.core.log_line import LINES_PER_PAGE_MAX, LogLine, Stretch
from hub.frontends.api.jobs import card_seen
from hub.frontends.api.parts import Hub, ReadsWork
from hub.frontends.harmless import HARMLESS
from hub.services import Services
from shared.api.jobs import LogLineShown, LogQuery, LogShown
from shared.api.parts import ID

router = APIRouter(tags=["jobs"])
TEXT = "text/plain"


def shown(line: LogLine) -> LogLineShown:
    return LogLineShown(number=line.number, at=line.at, attempt=line.attempt, text=line.text)


@router.get("/jobs/{job_id}/log", response_model=LogShown)
async def get_job_log(
    job_id: Annotated[str, Path(pattern=ID)],
    caller: ReadsWork,
    hub: Hub,
    wanted: Annotated[LogQuery, Query()],
    accept: Annotated[str, Header(include_in_schema=False)] = "application/json",
) -> LogShown | Response:
    """What a job said, by the numbers of its lines. With `Accept: text/plain`: all of it.

    Old lines are forgotten after some days, as the hub's owner says; results stay.
    """
    card = await card_seen(hub, caller, job_id)
    if TEXT in accept:
        return _whole(hub, card)
    stretch = Stretch(after=wanted.after, limit=wanted.limit, words=wanted.q, is_tail=wanted.tail)
    page = await hub.views.log(caller.sees, card.job_id, stretch)
    return LogShown(
        lines=tuple(map(shown, page.lines)),
        total=page.total,
        next_after=page.looked_at if page.has_more else None,
    )


def _whole(hub: Services, card: JobCard) -> Response:
    disposition = f'attachment; filename="job-{card.short}.log"'
    headers = {**HARMLESS, "Content-Disposition": disposition}
    return StreamingResponse(_text(hub, card), media_type=TEXT, headers=headers)


async def _text(hub: Services, card: JobCard) -> AsyncIterator[str]:
    """Write one page of lines after the other, so that no log stands whole in memory."""
    place: int | None = 0
    while place is not None:
        stretch = Stretch(after=place, limit=LINES_PER_PAGE_MAX)
        page = await hub.views.log(card.job.person_id, card.job_id, stretch)
        yield "".join(f"{line.text}\n" for line in page.lines)
        place = page.looked_at if page.has_more else None
