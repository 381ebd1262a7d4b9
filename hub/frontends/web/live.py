"""The bell of open pages: one stream a page, `/live?after=SEQ`.

    id: 4711                        id: the hub_seq; a browser that comes back sends it
    event: news                     what happened, by topic: pages fetch their parts anew
    data: {"topics": ["jobs", "job:018f…"]}

    event: progress                 transient, without an id
    data: {"job": "018f…", "says": "3 of 5 models, 12 s left", "done": 3, "total": 5}

    event: reset                    the hub was restored: all is to be fetched anew

A topic names a sort of things ("jobs", "questions", "workers", "joins", "sessions", "schedules",
"people", "dead", "keys", "webhooks", "chat", "activity") or one thing ("job:ID", "task:ID",
"question:ID", "worker:ID", "session:ID"). Lines that a job logs ring "log:JOB" alone, and for pages
alone that ask (`logs=1`): there may be many.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response

from hub.core import view
from hub.core.fact import HUB_DEVICE, Fact
from hub.frontends import figures
from hub.frontends.sse import Note, Reading, place_of
from hub.frontends.web import cookie
from hub.frontends.web.visitor import LIVE, Guest, Place
from hub.frontends.wording import done_of
from shared.ids import COUNT_MAX
from shared.messages import Progress

router = APIRouter()

LOGGED = "job_logged"
PRESENCE = Note("news", '{"topics": ["workers"]}')
"""Workers come and go without an event; whoever looks at them hears it all the same."""
_SORTS: Mapping[str, tuple[str, ...]] = {
    "task": ("jobs",),
    "job": ("jobs",),
    "late": ("jobs",),
    "cancel": ("jobs",),
    "retry": ("jobs",),
    "request": ("jobs",),
    "files": ("jobs",),
    "message": ("chat",),
    "question": ("questions", "jobs"),
    "answer": ("questions", "jobs"),
    "worker": ("workers",),
    "join": ("joins", "workers"),
    "pairing": ("joins",),
    "session": ("sessions",),
    "schedule": ("schedules",),
    "person": ("people",),
    "account": ("people",),
    "browser": ("people",),
    "role": ("people",),
    "key": ("keys",),
    "webhook": ("webhooks",),
}
"""What an event is about, by the first word of its type."""
_DEAD = frozenset({"job_died", "task_purged"})
_THINGS = ("job", "task", "question", "worker", "session")


@router.get(LIVE)
async def live(
    request: Request,
    visitor: Guest,
    place: Place,
    after: Annotated[int | None, Query(ge=0, le=COUNT_MAX)] = None,
    logs: Annotated[int, Query(ge=0, le=1)] = 0,
    last_event_id: Annotated[str, Header(max_length=40)] = "",
) -> Response:
    """Ring an open page for as long as it is open and its person is signed in."""
    has_logs, secret = bool(logs), cookie.secret_of(request)

    def tell(fact: Fact) -> Note | None:
        topics = list(topics_of(fact)) if has_logs or fact.type != LOGGED else []
        return tell_news(topics) if topics else None

    return place.streams.open(
        Reading(
            reader=visitor.person.person_id,
            sees=visitor.sees,
            after=place_of(last_event_id, after, place.services.feed.position()),
            tell=tell,
            tell_progress=tell_progress,
            presence=PRESENCE,
            check=lambda: place.services.sign_ins.check(secret, is_use=False),
            tell_news=tell_news,
        )
    )


def topics_of(fact: Fact) -> Iterator[str]:
    """Say whom an event concerns, each topic once.

    Of a part only pages hear that show it, or the parts of its job: lists leave it out.
    """
    if fact.is_of_part:
        yield f"job:{fact.entity}"
        if maker := fact.payload.get("part_of"):
            yield f"parts:{maker}"
        return
    if fact.type == LOGGED:
        yield f"log:{fact.entity}"
        return
    if isinstance(maker := fact.payload.get("part_of"), str):
        yield f"parts:{maker}"
    yield "activity"
    yield from _SORTS.get(fact.type.partition("_")[0], ())
    if fact.type in _DEAD or fact.payload.get("reason") == "requeued":
        yield "dead"
    for thing in _THINGS:
        if isinstance(named := fact.payload.get(f"{thing}_id"), str):
            yield f"{thing}:{named}"
    if fact.device != HUB_DEVICE:
        yield f"worker:{fact.device}"


def tell_news(topics: list[str]) -> Note:
    """Ring about what no event tells."""
    return Note("news", json.dumps({"topics": topics}))


def tell_progress(progress: Progress) -> Note:
    told = {
        "job": progress.job_id,
        "says": progress_words(progress),
        "done": progress.done,
        "total": progress.total,
    }
    return Note("progress", json.dumps(told))


def progress_words(progress: Progress) -> str:
    """How far it is, in a line: "3 of 5 models, 12 s left"."""
    told = view.Progress(
        stage=progress.stage,
        done=progress.done,
        total=progress.total,
        eta_seconds=progress.eta_seconds,
    )
    words = [done_of(told)]
    if progress.eta_seconds is not None and progress.eta_seconds >= 1:
        words.append(f"{figures.duration(progress.eta_seconds)} left")
    return ", ".join(word for word in words if word)
