"""Shows Views in rooms: sends, edits, uploads.

Each message has a key made of the outbox's own name for it. A homeserver that is sent the same key
again answers with the event it has: a message whose answer was lost, or whose hub died before it
could note that, is there once (spec.matrix.org, client-server API, transaction identifiers).
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

from hub.core.view import View
from hub.frontends.matrix.client import CHUNK_BYTES, Client
from hub.frontends.matrix.conversations import room_of
from hub.frontends.matrix.events import Room
from hub.frontends.matrix.hearing import MESSAGE
from hub.frontends.matrix.kept import Kept, Shelf
from hub.frontends.matrix.marks import Mark, marks_of, written_taps
from hub.frontends.matrix.messages import (
    Attachment,
    attachments_of,
    edit_content,
    file_content,
    in_thread,
    spelled_out,
    words_of,
)
from hub.frontends.matrix.reactions import Reactions
from hub.frontends.matrix.refusals import blocked, not_private
from hub.ports import Files, MessageRef, Taps
from shared.errors import NotFound, Unavailable
from shared.ids import ConversationId
from shared.kinds import JsonObject


class Sender:
    """Shows Views in rooms."""

    def __init__(
        self,
        *,
        client: Client,
        taps: Taps,
        files: Files,
        reactions: Reactions,
        kept: Kept,
        shelf: Shelf,
    ) -> None:
        self._client = client
        self._taps = taps
        self._files = files
        self._reactions = reactions
        self._kept = kept
        self._shelf = shelf

    async def show(
        self, conversation: ConversationId, view: View, replace: MessageRef | None
    ) -> MessageRef:
        """Send a view, or edit the message that `replace` names.

        Raises:
            AppError: as `refusals.refusal`; retryable when trying again may help.
        """
        room = self._room(conversation)
        paths = await self._paths(view)
        view = spelled_out(view, paths, self._client.upload_bytes_max)
        marks = marks_of(view)
        content = await self._words(conversation, view, marks)
        key = _key(conversation, view)
        if replace is not None and not view.files and replace.value.startswith("$"):
            edit = edit_content(content, replace.value)
            await self._client.send(room.room_id, MESSAGE, edit, f"{key}-edit")
            await self._show_signs(room, replace.value, marks)
            return replace
        root = self._root(room, view)
        threaded = in_thread(content, root) if root else content
        event_id = await self._client.send(room.room_id, MESSAGE, threaded, f"{key}-words")
        await self._show_signs(room, event_id, marks)
        for number, attachment in enumerate(
            attachments_of(view, paths, self._client.upload_bytes_max)
        ):
            told = await self._uploaded(room, attachment)
            told = in_thread(told, root) if root else told
            await self._client.send(room.room_id, MESSAGE, told, f"{key}-file-{number}")
        if room.is_group and view.task_id and not root:
            self._kept.note_thread(room.room_id, view.task_id, event_id)
            await self._shelf.save(self._kept)
        return MessageRef(event_id)

    def _room(self, conversation: ConversationId) -> Room:
        """The room of a conversation, if it is still what the conversation was.

        Raises:
            NotFound: `room_gone`; Unavailable: `matrix_not_ready`, `chat_blocked`.
        """
        room_id = room_of(conversation)
        if not self._client.is_ready:
            raise Unavailable(
                "matrix_not_ready",
                "The rooms are not known yet.",
                "They are in a moment.",
                retryable=True,
            )
        room = self._client.room(room_id)
        if room is None or room.others == 0:
            raise blocked()
        if room.is_group and ":group:" not in conversation:
            # What is for one person alone must not be shown to whoever came later.
            raise not_private()
        return room

    def _root(self, room: Room, view: View) -> str:
        """The event that a view's thread hangs on; empty where there is none, or it is no topic."""
        if not room.is_group or not view.task_id:
            return ""
        return self._kept.thread(room.room_id, view.task_id)

    async def _words(
        self, conversation: ConversationId, view: View, marks: tuple[Mark, ...]
    ) -> JsonObject:
        says = [mark.button.says for mark in marks]
        names = await self._taps.names(conversation, says) if says else ()
        return {**words_of(view, marks), **written_taps(marks, names)}

    async def _show_signs(self, room: Room, event_id: str, marks: tuple[Mark, ...]) -> None:
        await self._reactions.show(room.room_id, event_id, [m.sign for m in marks if m.sign])

    async def _paths(self, view: View) -> dict[str, Path | None]:
        """Where the files lie; a file that is not here yet stops the message before it begins."""
        paths: dict[str, Path | None] = {}
        for file in view.files:
            try:
                paths[file.sha256] = await self._files.path(file.sha256)
            except NotFound:
                paths[file.sha256] = None
        return paths

    async def _uploaded(self, room: Room, attachment: Attachment) -> JsonObject:
        """Upload a file, encrypted where the room is; its message's content."""
        path = attachment.path
        size = len(attachment.content) if path is None else path.stat().st_size
        address, keys = await self._client.upload(
            lambda: _pieces(attachment),
            size,
            attachment.media_type,
            is_encrypted=room.is_encrypted,
        )
        return file_content(attachment, size, address, keys)


async def _pieces(attachment: Attachment) -> AsyncIterator[bytes]:
    """A file piece by piece, never whole in memory."""
    if attachment.path is None:
        yield attachment.content
        return
    with await asyncio.to_thread(attachment.path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield piece


def _key(conversation: ConversationId, view: View) -> str:
    """What a message is known by: the same for the same row of the outbox."""
    told = f"{conversation} {view.key or uuid.uuid4().hex}"
    return hashlib.sha256(told.encode()).hexdigest()[:32]
