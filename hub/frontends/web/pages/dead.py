"""Dead letters: jobs out of tries, with their reasons, and the ways back or out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from hub.core.dead_letter import DeadFilter
from hub.core.job import JobCard
from hub.frontends.figures import plural
from hub.frontends.web.forms import Fields, Undo, lead
from hub.frontends.web.render import page
from hub.frontends.web.visitor import Guest, Place, Setting, Visitor
from shared.errors import Conflict, NotFound
from shared.events import JobQueued
from shared.ids import COUNT_MAX, JobId, PersonId
from shared.jobs import JobState

router = APIRouter()
JobPath = Annotated[str, Path(max_length=64)]
Filter = Annotated[str, Query(max_length=100)]
Seq = Annotated[int, Query(ge=0, le=COUNT_MAX)]
PAGE = 50
SELECTED = "job:"
"""The beginning of a selected job's field."""
UNDONE_MAX = 5_000
"""Jobs that one word takes back."""
READ_AT_ONCE = 500


@router.get("/dead")
async def list_dead(
    request: Request,
    visitor: Guest,
    place: Place,
    before: Annotated[str | None, Query(max_length=64)] = None,
    kind: Filter = "",
    worker: Filter = "",
) -> Response:
    views = place.services.views
    wanted = DeadFilter(kind=kind, worker=worker, before=JobId(before) if before else None)
    cards = await views.dead_letters(visitor.sees, wanted, PAGE + 1)
    shown = cards[:PAGE]
    return await page(
        request,
        visitor,
        "dead.html",
        cards=shown,
        failures=await views.failures([card.job_id for card in shown]),
        names=await place.services.machines.names(visitor.sees),
        wanted=wanted,
        kinds=await views.kinds_asked(visitor.sees),
        workers=sorted({card.name for card in await views.workers(visitor.sees)}),
        pages=urlencode({"kind": kind, "worker": worker}) if kind or worker else "",
        older=shown[-1].job_id if len(cards) > PAGE else None,
        is_first=before is None,
    )


@router.post("/dead/requeue")
async def requeue_selected(visitor: Guest, place: Place, fields: Fields) -> Response:
    wanted = [JobId(name.removeprefix(SELECTED)) for name in fields if name.startswith(SELECTED)]
    return await _requeue(visitor, place, wanted)


@router.post("/dead/requeue-all")
async def requeue_all(visitor: Guest, place: Place, fields: Fields) -> Response:
    before = place.services.feed.position()
    count = 0
    for person_id in await _people(visitor, place):
        count += len(await place.services.intake.requeue_dead(person_id))
    return _requeued(count, before, place)


@router.post("/dead/unrequeue")
async def unrequeue(
    visitor: Guest, place: Place, fields: Fields, after: Seq, upto: Seq
) -> Response:
    """Take back what was queued again in a stretch of the log, as far as it has not begun."""
    back = 0
    for person_id, job_id in await _requeued_in(visitor, place, after, upto):
        try:
            await place.services.intake.unrequeue(person_id, job_id, visitor.by)
            back += 1
        except (Conflict, NotFound):
            continue  # it has begun, or was moved on: it stays where it is
    says = f"{plural(back, 'job')} {'is a dead letter' if back == 1 else 'are dead letters'} again."
    return lead("/dead", says if back else "Too late: the work has begun.")


@router.get("/dead/purge")
async def ask_purge_all(request: Request, visitor: Guest, place: Place) -> Response:
    cards = await place.services.views.dead_letters(visitor.sees)
    return await page(request, visitor, "dead_purge.html", cards=cards, one=None)


@router.post("/dead/purge")
async def purge_all(visitor: Guest, place: Place, fields: Fields) -> Response:
    count = 0
    for person_id in await _people(visitor, place):
        count += await place.services.intake.purge_all_dead(person_id, visitor.by)
    return lead("/dead", f"{plural(count, 'dead letter')} forgotten, here and on every computer.")


@router.post("/dead/{job_id}/requeue")
async def requeue(job_id: JobPath, visitor: Guest, place: Place, fields: Fields) -> Response:
    await _dead(place, visitor, job_id)
    return await _requeue(visitor, place, [JobId(job_id)])


@router.get("/dead/{job_id}/purge")
async def ask_purge(job_id: JobPath, request: Request, visitor: Guest, place: Place) -> Response:
    card = await _dead(place, visitor, job_id)
    return await page(request, visitor, "dead_purge.html", cards=(card,), one=card)


@router.post("/dead/{job_id}/purge")
async def purge(job_id: JobPath, visitor: Guest, place: Place, fields: Fields) -> Response:
    card = await _dead(place, visitor, job_id)
    await place.services.intake.purge_dead(card.job.person_id, card.job_id, visitor.by)
    return lead("/dead", f"{card.title} was forgotten, here and on every computer.")


async def _dead(place: Setting, visitor: Visitor, job_id: str) -> JobCard:
    return await place.services.views.job(visitor.sees, JobId(job_id))


async def _requeued_in(
    visitor: Visitor, place: Setting, after: int, upto: int
) -> list[tuple[PersonId, JobId]]:
    """The jobs that were queued again in a stretch of the log, up to UNDONE_MAX."""
    found: list[tuple[PersonId, JobId]] = []
    while len(found) < UNDONE_MAX:
        facts = await place.services.feed.after(after, READ_AT_ONCE, visitor.sees)
        for fact in facts:
            body = fact.body
            if fact.hub_seq > upto:
                return found
            if isinstance(body, JobQueued) and body.reason == "requeued":
                found.append((fact.person_id, body.job_id))
        if len(facts) < READ_AT_ONCE:
            break
        after = facts[-1].hub_seq
    return found[:UNDONE_MAX]


async def _people(visitor: Visitor, place: Setting) -> Sequence[PersonId]:
    if visitor.sees is not None:
        return (visitor.sees,)
    return [person.person_id for person in await place.services.registry.people()]


async def _requeue(visitor: Visitor, place: Setting, wanted: Sequence[JobId]) -> Response:
    before = place.services.feed.position()
    count = 0
    for job_id in wanted:
        try:
            card = await place.services.views.job(visitor.sees, job_id)
            if card.state is JobState.DEAD:
                await place.services.intake.retry(card.job.person_id, job_id, visitor.by)
                count += 1
        except (Conflict, NotFound):
            continue  # somebody was quicker
    return _requeued(count, before, place)


def _requeued(count: int, before: int, place: Setting) -> Response:
    if not count:
        return lead("/dead", "Nothing was selected that is still a dead letter.")
    upto = place.services.feed.position()
    undo = Undo(action=f"/dead/unrequeue?after={before}&upto={upto}")
    return lead("/dead", f"{plural(count, 'job')} queued again.", undo)
