"""What happened, as it happens: a stream of server-sent events, or pages of JSON."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from hub.core.access import Scope
from hub.core.fact import Fact
from hub.frontends.api.parts import Hub, Reads, about_of
from hub.frontends.door import Caller, admit
from hub.frontends.sse import Note, Reading, Streams, place_of
from hub.services import Services
from shared.api.events import EventPage, EventQuery, EventShown
from shared.api.parts import PAGE_MAX
from shared.messages import Progress

router = APIRouter(tags=["events"])
STREAM = "text/event-stream"
PLACE = r"^[0-9]{0,16}$"
SCANNED_MAX = 5000
"""Events looked through for one page; `next_after` says how far it came."""


def shown(fact: Fact) -> EventShown:
    return EventShown(
        hub_seq=fact.hub_seq, at=fact.at, type=fact.type, device=fact.device, body=fact.payload
    )


@router.get("/events", response_model=EventPage)
async def list_events(
    caller: Reads,
    hub: Hub,
    request: Request,
    wanted: Annotated[EventQuery, Query()],
    accept: Annotated[str, Header(include_in_schema=False)] = "application/json",
    last_event_id: Annotated[str, Header(pattern=PLACE)] = "",
) -> EventPage | Response:
    """What happened after a place in the hub's log, in its order.

    With `Accept: text/event-stream` it is a stream that goes on: each event with its `hub_seq` as
    id, progress without one, and `reset` when the hub does not know the place (it was restored:
    fetch everything anew). It begins after `Last-Event-ID` or `after`, else with what is new.
    """
    streams = about_of(request).streams
    place = place_of(last_event_id, wanted.after, hub.feed.position())
    if STREAM in accept:
        return streams.open(_reading(caller, hub, request, wanted, place))
    found, place = await _page(hub, caller, wanted, place)
    if not found and wanted.wait_seconds:
        # Whatever was read when the time is over is read again next time.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wanted.wait_seconds):
                found, place = await _next(hub, caller, wanted, place, streams)
    return EventPage(events=tuple(map(shown, found)), next_after=place)


def _reading(
    caller: Caller, hub: Services, request: Request, wanted: EventQuery, place: int
) -> Reading:
    bearer, word = request.headers.get("authorization", ""), about_of(request).streams.once(_note)

    def tell(fact: Fact) -> Note | None:
        return None if wanted.types and fact.type not in wanted.types else word(fact)

    return Reading(
        reader=caller.person.person_id,
        sees=caller.sees,
        after=place,
        tell=tell,
        tell_progress=_progress if not wanted.types or "progress" in wanted.types else None,
        check=lambda: admit(hub, bearer, Scope.READ),
        line=lambda: hub.keys.line(caller.access),
    )


def _note(fact: Fact) -> Note:
    return Note(fact.type, shown(fact).model_dump_json())


def _progress(progress: Progress) -> Note:
    return Note("progress", progress.model_dump_json(exclude={"type"}))


async def _page(
    hub: Services, caller: Caller, wanted: EventQuery, start: int
) -> tuple[list[Fact], int]:
    """Events after a place, and how far the log was looked through for them."""
    found: list[Fact] = []
    place, scanned = start, 0
    while scanned < SCANNED_MAX:
        end = hub.feed.position()
        facts = await hub.feed.after(place, PAGE_MAX, caller.sees)
        scanned += len(facts)
        for fact in facts:
            place = fact.hub_seq
            if not wanted.types or fact.type in wanted.types:
                found.append(fact)
            if len(found) == wanted.limit:
                return found, place
        if len(facts) < PAGE_MAX:
            return found, max(place, end)
    return found, place


async def _next(
    hub: Services, caller: Caller, wanted: EventQuery, place: int, streams: Streams
) -> tuple[list[Fact], int]:
    """Wait until there is something for this caller, or the hub stops."""
    found: list[Fact] = []
    while not found and not streams.is_stopping:
        await streams.wait(place, caller.sees)
        found, place = await _page(hub, caller, wanted, place)
    return found, place
