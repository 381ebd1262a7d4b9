"""What was said about tasks, and the talk with the hub: the same as on the web, for programs."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request

from hub.core.chat import Author, ChatMessage
from hub.core.view import Button, View
from hub.frontends.api.parts import Hub, Known, Reads, about_of
from hub.frontends.bubbles import Bubble
from hub.frontends.door import Caller
from hub.frontends.thread import thread_of
from hub.frontends.webchat import WebFrontend, conversation_of
from shared.api.chat import PLACE, MessagePage, MessageShown, NewMessage, Offer, Said
from shared.api.parts import ID, PAGE_DEFAULT, PAGE_MAX
from shared.errors import NotFound
from shared.ids import TaskId
from shared.kinds import FileRef
from shared.plain_text import plain

router = APIRouter(tags=["messages"])
NAME = "api"
TaskPath = Annotated[str, Path(pattern=ID)]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX)]
Cursor = Annotated[str | None, Query(pattern=PLACE)]
Once = Annotated[str | None, Header(alias="Idempotency-Key", include_in_schema=False)]


async def chat_of(request: Request) -> WebFrontend:
    return about_of(request).chat


Chat = Annotated[WebFrontend, Depends(chat_of)]


@router.get("/tasks/{task_id}/messages")
async def list_task_messages(
    task_id: TaskPath,
    caller: Reads,
    hub: Hub,
    chat: Chat,
    limit: Limit = PAGE_DEFAULT,
    cursor: Cursor = None,
) -> MessagePage:
    """The thread of a task: what its person, computers and the hub said, the newest page first."""
    thread = await thread_of(
        hub,
        chat.environment,
        None,
        caller.sees,
        TaskId(task_id),
        before=int(cursor) if cursor else None,
        limit=limit,
    )
    older = thread.older
    return MessagePage(
        messages=tuple(_bubble(bubble) for bubble in thread.bubbles),
        next_cursor=None if older is None else str(older),
    )


@router.post("/tasks/{task_id}/messages")
async def create_task_message(
    task_id: TaskPath, new: NewMessage, caller: Known, hub: Hub, chat: Chat, once: Once = None
) -> Said:
    """Say something about a task: an answer, a command that goes on with it, or kept words."""
    task = await hub.views.task(TaskId(task_id))
    if task is None or task.person_id != caller.person.person_id:
        raise NotFound("task_unknown", "There is no such task.", "GET /tasks lists yours.")
    return await _say(chat, caller, new, once, task.task_id)


@router.get("/chat/messages")
async def list_chat_messages(
    caller: Reads, hub: Hub, limit: Limit = PAGE_DEFAULT, cursor: Cursor = None
) -> MessagePage:
    """What this person and the hub said to each other here and on the web, the newest page first.

    The socket `/api/v1/chat/ws` is another conversation, of terminals that stay connected.
    """
    conversation = conversation_of(caller.person.person_id)
    page = await hub.chats.page(conversation, int(cursor) if cursor else None, limit)
    return MessagePage(
        messages=tuple(_message(message) for message in page.messages),
        next_cursor=str(page.messages[0].number) if page.has_older else None,
    )


@router.post("/chat/messages")
async def create_chat_message(
    new: NewMessage, caller: Known, chat: Chat, once: Once = None
) -> Said:
    """Say something to the hub, as in any chat."""
    return await _say(chat, caller, new, once, None)


async def _say(
    chat: WebFrontend, caller: Caller, new: NewMessage, once: str | None, task_id: TaskId | None
) -> Said:
    words_id = hashlib.sha256(once.encode()).hexdigest() if once else chat.environment.new_id()
    views = await chat.hear(caller.person, new.text, words_id, where=NAME, task_id=task_id)
    now = chat.environment.now()
    return Said(
        answers=tuple(
            MessageShown(
                message_id=f"a{number}",
                at=now,
                author="hub",
                by="",
                text=plain(view.text),
                tone=view.tone,
                job_id=view.job_id,
                question_id=view.question_id,
                offers=_offers(view.buttons),
            )
            for number, view in enumerate(views)
        )
    )


def _bubble(bubble: Bubble) -> MessageShown:
    return MessageShown(
        message_id=bubble.key,
        at=bubble.at,
        author=bubble.side.value,
        by=bubble.who,
        text=bubble.text,
        tone=bubble.tone,
        is_note=bubble.is_note,
        job_id=bubble.job_id,
        question_id=bubble.question_id,
        offers=_offers(bubble.buttons),
        files=bubble.files,
    )


def _message(message: ChatMessage) -> MessageShown:
    view = message.view
    return MessageShown(
        message_id=f"m{message.number}",
        at=message.at,
        author="person" if message.author is Author.PERSON else "hub",
        by=message.by,
        text=plain(view.text),
        tone=view.tone,
        job_id=view.job_id,
        question_id=view.question_id,
        offers=_offers(view.buttons),
        files=_files(view),
    )


def _offers(buttons: tuple[Button, ...]) -> tuple[Offer, ...]:
    return tuple(Offer(label=b.label, says=b.says, url=b.url) for b in buttons if not b.copies)


def _files(view: View) -> tuple[FileRef, ...]:
    return tuple(
        FileRef(
            name=file.name,
            sha256=file.sha256,
            size_bytes=file.size_bytes,
            media_type=file.media_type,
        )
        for file in view.files
    )
