"""Who did what, from where: to read, and to take along as CSV or JSON lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import UTC
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from hub.frontends.web.pages.activity import by_day
from hub.frontends.web.render import page
from hub.frontends.web.telling import Line, lines
from hub.frontends.web.visitor import Guest, Place, Setting, Visitor
from shared.ids import COUNT_MAX

router = APIRouter()
Before = Annotated[int | None, Query(ge=1, le=COUNT_MAX)]
COLUMNS = ("at", "person", "who", "where", "event", "about", "what", "number")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""The wide ones count in some languages, too."""


@router.get("/audit")
async def show_audit(
    request: Request, visitor: Guest, place: Place, before: Before = None
) -> Response:
    look = await place.services.chronicle.audit(visitor.sees, before=before)
    zone = await place.services.views.zone(visitor.person.person_id)
    now = place.environment.now()
    return await page(
        request,
        visitor,
        "audit.html",
        days=by_day(lines(look, now, zone, visitor.person.name), now, zone),
        older=look.older,
        before=before,
    )


@router.get("/audit.csv")
async def download_csv(visitor: Guest, place: Place) -> Response:
    parts = _written(visitor, place, as_csv, head=_row(COLUMNS))
    return _download(parts, "csv", "text/csv; charset=utf-8")


@router.get("/audit.jsonl")
async def download_jsonl(visitor: Guest, place: Place) -> Response:
    parts = _written(visitor, place, as_jsonl)
    return _download(parts, "jsonl", "application/jsonl; charset=utf-8")


async def _written(
    visitor: Visitor, place: Setting, write: Callable[[Iterable[Line]], str], head: str = ""
) -> AsyncIterator[str]:
    """Write all of it, a stretch at a time: nobody holds the whole in memory."""
    yield head
    async for look in place.services.chronicle.whole_audit(visitor.sees):
        yield write(lines(look, place.environment.now(), None, reader=""))


def _download(parts: AsyncIterator[str], ending: str, media_type: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="deskhand-audit.{ending}"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(parts, media_type=media_type, headers=headers)


def as_csv(told: Iterable[Line]) -> str:
    """Write lines as RFC 4180 says."""
    return "".join(_row([harmless(cell) for cell in _cells(line)]) for line in told)


def as_jsonl(told: Iterable[Line]) -> str:
    """Write each line as one JSON object."""
    objects = (dict(zip(COLUMNS, _cells(line), strict=True)) for line in told)
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects)


def harmless(cell: str) -> str:
    """Make sure that no spreadsheet takes somebody's words for a formula (OWASP, CSV injection)."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def _row(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def _cells(line: Line) -> tuple[str, ...]:
    at = line.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return (
        at,
        line.owner,
        line.who,
        line.where,
        line.type,
        line.subject,
        line.says,
        str(line.hub_seq),
    )
