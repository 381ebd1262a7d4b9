"""The person's side of the fake Bot API: what phones send, and what they show."""

from __future__ import annotations

import re
import time
import uuid
from abc import ABC, abstractmethod

from tests.fakes.bot_api_schema import check_update
from tests.fakes.bot_api_state import BOT, BOT_NAME, Chat, File, Json, Shown, State, Tap, User, What
from tests.fakes.bot_api_text import CAPTION_UNITS_MAX, TEXT_UNITS_MAX, units

_COMMAND = re.compile(r"(?:^|(?<=\s))/[a-zA-Z0-9_]{1,64}(?:@\w+)?")


class People(ABC):
    """What the people in the chats can do. Nothing here waits: it is sent when this returns."""

    __slots__ = ()
    state: State

    @abstractmethod
    def ring(self) -> None:
        """Wake whoever waits for a change."""

    def user(self, user_id: int, name: str, username: str = "") -> User:
        """A person with a Telegram account."""
        user = User(user_id, name, username)
        self.state.users[user_id] = user
        return user

    def group(self, chat_id: int, title: str, by: User) -> int:
        """A group that `by` adds the bot to; its id, which is negative."""
        assert chat_id < 0
        chat = Chat(chat_id, {"id": chat_id, "type": "group", "title": title})
        self.state.chats[chat_id] = chat
        self._membership(chat, by, "left", "member")
        chat.is_started = True
        self.ring()
        return chat_id

    def remove_from_group(self, chat_id: int, by: User) -> None:
        chat = self.state.chats[chat_id]
        chat.is_started = False
        self._membership(chat, by, "member", "left")
        self.ring()

    def say(
        self, user: User, text: str, *, chat: int = 0, reply_to: Shown | None = None
    ) -> list[Shown]:
        """Send a text; a long one leaves as several messages, since the app splits it at 4096."""
        place = self._place(user, chat)
        sent = []
        for piece in _pieces(text.strip()):
            body: Json = {"text": piece}
            found = [
                {
                    "type": "bot_command",
                    "offset": units(piece[: command.start()]),
                    "length": units(command[0]),
                }
                for command in _COMMAND.finditer(piece)
            ]
            if found:
                body["entities"] = found
            sent.append(self._send(user, place, body, reply_to))
        return sent

    def send_file(
        self, user: User, name: str, content: bytes, *, caption: str = "", chat: int = 0
    ) -> Shown:
        assert units(caption) <= CAPTION_UNITS_MAX
        file = File(f"U{uuid.uuid4().hex}", name, content, "application/octet-stream")
        body: Json = {
            "document": {
                "file_id": file.file_id,
                "file_unique_id": file.file_id[:12],
                "file_name": name,
                "file_size": len(content),
            }
        }
        if caption:
            body["caption"] = caption
        return self._send(user, self._place(user, chat), body, None, file)

    def tap(self, user: User, message: Shown, label: str, *, as_it_was: bool = False) -> Tap:
        """Press a button by its label; `as_it_was`: on a phone that shows the message's past.

        Raises:
            LookupError: no such button is there.
        """
        rows = [message.rows, *(message.earlier_rows if as_it_was else [])]
        buttons = [b for shown in rows for row in shown for b in row if b["text"] == label]
        if not buttons or "callback_data" not in buttons[0]:
            raise LookupError(f"no button {label!r} to press; there are {message.labels}")
        tap = Tap(uuid.uuid4().hex)
        self.state.taps[tap.query_id] = tap
        self.state.note(What.TAPPED, message, user.name, label)
        raw = {key: value for key, value in message.raw.items() if key != "reply_to_message"}
        self._update(
            "callback_query",
            {
                "id": tap.query_id,
                "from": user.raw,
                "message": raw,
                "chat_instance": str(message.chat_id),
                "data": buttons[0]["callback_data"],
            },
        )
        return tap

    def expire(self, tap: Tap) -> None:
        """Let so much time pass that the press can no longer be answered."""
        del self.state.taps[tap.query_id]

    def block(self, user: User) -> None:
        """Block the bot; it learns so."""
        self._blocking(user, is_blocked=True)

    def unblock(self, user: User) -> None:
        self._blocking(user, is_blocked=False)

    # What is seen.

    def transcript(self, chat: User | int) -> list[Shown]:
        """All messages of a chat as they look now, oldest first."""
        chat_id = chat.user_id if isinstance(chat, User) else chat
        known = self.state.chats.get(chat_id)
        return [self.state.messages[chat_id, n] for n in (known.message_ids if known else [])]

    def of_bot(self, chat: User | int) -> list[Shown]:
        return [message for message in self.transcript(chat) if message.is_from_bot()]

    def pages(self) -> str:
        """All chats as text, for the message of a failed test."""
        lines = []
        for chat in self.state.chats.values():
            lines.append(f"chat {chat.chat_id}:")
            for message in self.transcript(chat.chat_id):
                lines.append(f"  {message.by} ▸ {message.text}  {message.labels or ''}")
        return "\n".join(lines)

    # Inside.

    def _place(self, user: User, chat_id: int) -> Chat:
        if chat_id:
            return self.state.chats[chat_id]
        chat = self.state.private_chat(user)
        assert not chat.is_blocked, "who blocked a bot unblocks it first"
        chat.is_started = True
        return chat

    def _send(
        self, user: User, chat: Chat, body: Json, reply_to: Shown | None, file: File | None = None
    ) -> Shown:
        if reply_to is not None:
            raw = {key: value for key, value in reply_to.raw.items() if key != "reply_to_message"}
            body["reply_to_message"] = raw
        shown = self.state.store(chat, user.raw, body, file)
        if chat.chat_id > 0 or _reaches_bot(shown, reply_to):
            self._update("message", shown.raw)
        self.ring()
        return shown

    def _update(self, kind: str, body: Json) -> None:
        update = self.state.update(kind, body)
        if update is not None:
            check_update(update)
        self.ring()

    def _blocking(self, user: User, *, is_blocked: bool) -> None:
        chat = self.state.private_chat(user)
        chat.is_blocked = is_blocked
        before, after = ("member", "kicked") if is_blocked else ("kicked", "member")
        self._membership(chat, user, before, after)

    def _membership(self, chat: Chat, by: User, before: str, after: str) -> None:
        def member(status: str) -> Json:
            ends = {"until_date": 0} if status == "kicked" else {}
            return {"user": BOT, "status": status, **ends}

        self._update(
            "my_chat_member",
            {
                "chat": chat.raw,
                "from": by.raw,
                "date": int(time.time()),
                "old_chat_member": member(before),
                "new_chat_member": member(after),
            },
        )


def _reaches_bot(shown: Shown, reply_to: Shown | None) -> bool:
    """Whether a bot in privacy mode, the default, sees a message of a group."""
    words = shown.text.split()
    if words and words[0].startswith("/"):
        _, at, name = words[0].partition("@")
        return not at or name.lower() == BOT_NAME
    if reply_to is not None and reply_to.is_from_bot():
        return True
    return f"@{BOT_NAME}" in shown.text.lower()


def _pieces(text: str) -> list[str]:
    """Split as the apps do; between characters, so that none is torn."""
    pieces, piece, length = [], "", 0
    for character in text:
        width = units(character)
        if length + width > TEXT_UNITS_MAX:
            pieces.append(piece)
            piece, length = "", 0
        piece += character
        length += width
    return [*pieces, piece] if piece else pieces
