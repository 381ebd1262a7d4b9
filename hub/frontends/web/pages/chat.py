"""Conversations: a thread for each task, and one with the hub about everything else."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse, Response

from hub.core.task_row import RowCursor, RowFilter, RowSort
from hub.frontends.harmless import HARMLESS
from hub.frontends.thread import Thread, files_here, thread_of
from hub.frontends.web.asked import all_asked
from hub.frontends.web.bubble_days import by_day
from hub.frontends.web.forms import Fields, lead
from hub.frontends.web.headways import headway
from hub.frontends.web.render import page
from hub.frontends.web.talk import desk_bubble, line_of
from hub.frontends.web.visitor import Guest, Place, Setting, Visitor
from hub.frontends.webchat import conversation_of
from shared.errors import BadInput
from shared.ids import COUNT_MAX, TaskId

router = APIRouter()
ID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
THREADS_MAX = 30
MESSAGES_MAX = 50
WORDS_ID_CHARS_MAX = 64
Before = Annotated[int | None, Query(ge=0, le=COUNT_MAX)]
Named = Annotated[str, Path(pattern=ID)]


@router.get("/chat")
async def list_threads(
    request: Request, visitor: Guest, place: Place, cursor: str = ""
) -> Response:
    """Threads, those with something unread first, then by what was said last."""
    await place.services.chats.begin_reading(visitor.person.person_id)
    rows = await place.services.views.task_rows(
        RowFilter(person_id=visitor.sees),
        RowSort.UPDATED,
        RowCursor.read(cursor, RowSort.UPDATED) if cursor else None,
        THREADS_MAX,
    )
    reader = None if visitor.sees is None else visitor.person.person_id
    found = await place.services.chats.thread_lines(reader, [row.task_id for row in rows.rows])
    now = place.environment.now()
    lines = [line_of(visitor, line, now) for line in found]
    lines.sort(key=lambda line: not line.unread)
    return await page(request, visitor, "chat.html", lines=lines, rows=rows)


@router.get("/chat/desk")
async def show_desk(
    request: Request, visitor: Guest, place: Place, before: Before = None
) -> Response:
    """All that this person and the hub said to each other on the web."""
    conversation = conversation_of(visitor.person.person_id)
    found = await place.services.chats.page(conversation, before, MESSAGES_MAX)
    zone = await place.services.views.zone(visitor.person.person_id)
    now = place.environment.now()
    bubbles = [desk_bubble(place, visitor, message) for message in found.messages]
    return await page(
        request,
        visitor,
        "desk.html",
        days=by_day(bubbles, now, zone),
        here=await files_here(
            place.services, (one.job_id for one in bubbles if one.files and one.job_id)
        ),
        older=found.messages[0].number if found.has_older else None,
        is_newest=before is None,
        words_id=place.environment.new_id(),
    )


@router.post("/chat/desk")
async def say_to_hub(visitor: Guest, place: Place, fields: Fields) -> Response:
    """Say something to the hub, as in any chat."""
    await place.chat.hear(visitor.person, fields.get("text", ""), _words_id(fields))
    return lead("/chat/desk#end")


@router.get("/chat/{task_id}")
async def show_thread(
    request: Request, visitor: Guest, place: Place, task_id: Named, before: Before = None
) -> Response:
    """The thread of a task."""
    seen_upto = place.services.feed.position()
    thread = await _thread(place, visitor, TaskId(task_id), before)
    zone = await place.services.views.zone(visitor.person.person_id)
    asked = await all_asked(place, visitor, thread.open)
    if visitor.person.person_id == thread.talk.task.person_id and before is None:
        await place.services.chats.read_up_to(
            visitor.person.person_id, thread.talk.task.task_id, seen_upto
        )
    return await page(
        request,
        visitor,
        "thread.html",
        thread=thread,
        days=by_day(thread.bubbles, place.environment.now(), zone),
        asked={one.question_id: one for one in asked},
        headway=headway,
        shown={bubble.question_id for bubble in thread.bubbles},
        is_mine=visitor.person.person_id == thread.talk.task.person_id,
        is_newest=before is None,
        words_id=place.environment.new_id(),
    )


@router.post("/chat/{task_id}")
async def say_in_thread(visitor: Guest, place: Place, task_id: Named, fields: Fields) -> Response:
    """Say something about a task: an answer, a command, or words that are kept with it."""
    task = (await _thread(place, visitor, TaskId(task_id), None)).talk.task
    if task.person_id != visitor.person.person_id:
        raise BadInput(
            "thread_foreign",
            "This is somebody else's task: you may read it, not speak for them.",
            "Ask them to say it.",
        )
    await place.chat.hear(
        visitor.person, fields.get("text", ""), _words_id(fields), task_id=task.task_id
    )
    return lead(f"/chat/{task_id}#end")


@router.get("/files/{sha256}")
async def get_file(
    visitor: Guest, place: Place, sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
) -> FileResponse:
    """A file that this person asked for; the hub keeps it for a day at most."""
    file, path = await place.services.files.find(visitor.person.person_id, sha256)
    disposition = f"attachment; filename*=UTF-8''{quote(file.ref.name, safe='')}"
    headers = {**HARMLESS, "Content-Disposition": disposition}
    return FileResponse(path, media_type=file.ref.media_type, headers=headers)


async def _thread(place: Setting, visitor: Visitor, task_id: TaskId, before: int | None) -> Thread:
    return await thread_of(
        place.services, place.environment, visitor.person, visitor.sees, task_id, before=before
    )


def _words_id(fields: Fields) -> str:
    """The name that the page gave to what is said, so that it counts once."""
    words_id = fields.get("words_id", "")
    if not words_id or len(words_id) > WORDS_ID_CHARS_MAX:
        raise BadInput("words_unnamed", "This form is incomplete.", "Load the page again.")
    return words_id
