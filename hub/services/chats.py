"""What is said on the web: the conversation of each person with the hub, and a thread a task.

Threads are read from the log of events; what no event tells (commands and the immediate answers
to them) is kept here. Whoever shows a conversation is rung by `Feed.tell_news`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from hub.core.chat import PAGE_MAX, Author, ChatMessage, Page, Talk, ThreadLine
from hub.core.view import View
from hub.store import chat, tasks
from hub.store.ledger import Entry, Ledger
from shared.errors import NotFound
from shared.ids import ConversationId, PersonId, TaskId


class Chats:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def show(
        self,
        conversation: ConversationId,
        view: View,
        ref: str,
        task_id: TaskId | None = None,
    ) -> bool:
        """Keep what the hub says, in place of what stood under the name; say if that is news."""
        message = self._message(conversation, view, ref, Author.HUB, task_id=task_id)
        return await self._put(message)

    async def said(
        self,
        conversation: ConversationId,
        text: str,
        ref: str,
        *,
        by: str,
        task_id: TaskId | None = None,
    ) -> bool:
        """Keep a person's words; the same under the same name are kept once."""
        view = View(text=text)
        message = self._message(conversation, view, ref, Author.PERSON, by=by, task_id=task_id)
        return await self._put(message)

    async def page(
        self, conversation: ConversationId, before: int | None = None, limit: int = 50
    ) -> Page:
        """The newest messages of a conversation, or the newest before one of them."""
        count = max(1, min(limit, PAGE_MAX))
        found = await self._ledger.read(lambda c: chat.page(c, conversation, before, count + 1))
        return Page(messages=tuple(found[-count:]), has_older=len(found) > count)

    async def talk(
        self,
        person_id: PersonId | None,
        task_id: TaskId,
        before: int | None = None,
        limit: int = 100,
    ) -> Talk:
        """A part of the thread of a task: the newest, or the newest before a place in the log.

        Raises:
            NotFound: `task_unknown`; also for another person's.
        """
        count = max(1, min(limit, PAGE_MAX))

        def read(connection: sqlite3.Connection) -> Talk:
            task = tasks.load(connection, task_id)
            if task is None or person_id not in (None, task.person_id):
                raise NotFound("task_unknown", "There is no such task.", "Chat lists yours.")
            return chat.talk(connection, task, before=before, limit=count)

        return await self._ledger.read(read)

    async def thread_lines(
        self, reader: PersonId | None, task_ids: Sequence[TaskId]
    ) -> tuple[ThreadLine, ...]:
        """Threads as a list shows them, in the order asked for."""

        def read(connection: sqlite3.Connection) -> tuple[ThreadLine, ...]:
            found = (chat.thread_line(connection, reader, task_id) for task_id in task_ids)
            return tuple(line for line in found if line is not None)

        return await self._ledger.look(read)

    async def read_up_to(self, person_id: PersonId, task_id: TaskId, hub_seq: int) -> bool:
        """Remember how far a person has read a thread; False when they had before."""
        return await self._ledger.write(
            lambda entry: chat.read_up_to(entry.connection, person_id, task_id, hub_seq)
        )

    async def begin_reading(self, person_id: PersonId) -> None:
        """Count as unread what is told from now on. Idempotent."""
        position = self._ledger.position
        await self._ledger.write(
            lambda entry: chat.begin_reading(entry.connection, person_id, position)
        )

    async def _put(self, message: ChatMessage) -> bool:
        def run(entry: Entry) -> bool:
            return chat.put(entry.connection, message)

        return await self._ledger.write(run)

    def _message(
        self,
        conversation: ConversationId,
        view: View,
        ref: str,
        author: Author,
        *,
        by: str = "",
        task_id: TaskId | None = None,
    ) -> ChatMessage:
        return ChatMessage(
            number=0,
            conversation=conversation,
            ref=ref,
            author=author,
            by=by,
            view=view,
            task_id=task_id,
            hub_seq=self._ledger.position,
            at=self._ledger.environment.now(),
        )
