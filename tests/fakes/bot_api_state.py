"""What Telegram's servers know in the fake: people, chats, messages, files, updates."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.fakes.bot_api_text import Entity

BOT_ID = 4001
BOT_NAME = "deskhand_test_bot"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class User:
    """A person with a phone."""

    user_id: int
    name: str
    username: str = ""
    language: str = "en"

    @property
    def raw(self) -> Json:
        raw: Json = {"id": self.user_id, "is_bot": False, "first_name": self.name}
        if self.username:
            raw["username"] = self.username
        return raw | {"language_code": self.language}


@dataclass(slots=True)
class Chat:
    """A private chat (its id is the user's) or a group (negative id)."""

    chat_id: int
    raw: Json
    is_started: bool = False
    """Private: the user spoke first. Groups: the bot is a member."""
    is_blocked: bool = False
    message_ids: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class File:
    """A document or photo as people can open it."""

    file_id: str
    name: str
    content: bytes
    media_type: str


@dataclass(slots=True)
class Shown:
    """A message as the people in its chat see it now."""

    chat_id: int
    message_id: int
    by: str
    """"bot" or the name of a person."""
    raw: Json
    file: File | None = None
    is_silent: bool = False
    edits: int = 0
    earlier_rows: list[list[list[Json]]] = field(default_factory=list)
    """The buttons before each edit: a phone may still show them."""
    is_deleted: bool = False

    @property
    def text(self) -> str:
        """The text, or the caption of a file."""
        return str(self.raw.get("text", self.raw.get("caption", "")))

    @property
    def entities(self) -> list[Entity]:
        return list(self.raw.get("entities") or self.raw.get("caption_entities") or [])

    @property
    def rows(self) -> list[list[Json]]:
        return list(self.raw.get("reply_markup", {}).get("inline_keyboard", []))

    @property
    def buttons(self) -> list[Json]:
        return [button for row in self.rows for button in row]

    @property
    def labels(self) -> list[str]:
        return [button["text"] for button in self.buttons]

    @property
    def document(self) -> File | None:
        return self.file if "document" in self.raw else None

    @property
    def photo(self) -> File | None:
        return self.file if "photo" in self.raw else None

    @property
    def replies_to(self) -> int:
        return int(self.raw.get("reply_to_message", {}).get("message_id", 0))

    def is_from_bot(self) -> bool:
        return self.by == "bot"


class What(StrEnum):
    """What can be seen to happen in a chat."""

    SENT = "sent"
    EDITED = "edited"
    TAPPED = "tapped"


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened in a chat, as it looked then."""

    what: What
    chat_id: int
    by: str
    message_id: int
    text: str
    """Of a tap: the button's label."""
    rows: list[list[Json]]
    file: File | None


@dataclass(slots=True)
class Tap:
    """A press of a button, and what the bot said to it."""

    query_id: str
    is_answered: bool = False
    toast: str = ""
    is_alert: bool = False


@dataclass(slots=True)
class State:
    """All of it. Ids only ever grow, as Telegram's do."""

    users: dict[int, User] = field(default_factory=dict)
    chats: dict[int, Chat] = field(default_factory=dict)
    messages: dict[tuple[int, int], Shown] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    taps: dict[str, Tap] = field(default_factory=dict)
    commands: dict[str, list[Json]] = field(default_factory=dict)
    """By scope, as JSON."""
    profile: dict[str, str] = field(default_factory=dict)
    updates: list[Json] = field(default_factory=list)
    """Not yet confirmed by the bot."""
    all_updates: list[Json] = field(default_factory=list)
    """Every update there was, in order."""
    allowed_updates: frozenset[str] = frozenset()
    """Empty: all."""
    webhook: Json | None = None
    actions: list[tuple[int, str]] = field(default_factory=list)
    """What the bot said it was doing, by chat."""
    ids: itertools.count[int] = field(default_factory=lambda: itertools.count(101))
    moments: list[Moment] = field(default_factory=list)
    """All that happened in any chat, in order."""
    update_ids: itertools.count[int] = field(default_factory=lambda: itertools.count(700_001))

    def private_chat(self, user: User) -> Chat:
        raw: Json = {"id": user.user_id, "type": "private", "first_name": user.name}
        if user.username:
            raw["username"] = user.username
        return self.chats.setdefault(user.user_id, Chat(user.user_id, raw))

    def store(self, chat: Chat, sender: Json, body: Json, file: File | None = None) -> Shown:
        """Add a message to a chat; `body` is what it says, in the Bot API's words."""
        message_id = next(self.ids)
        raw = {
            "message_id": message_id,
            "date": int(time.time()),
            "chat": chat.raw,
            "from": sender,
            **body,
        }
        by = "bot" if sender["is_bot"] else str(sender["first_name"])
        shown = Shown(chat.chat_id, message_id, by, raw, file)
        self.messages[chat.chat_id, message_id] = shown
        chat.message_ids.append(message_id)
        if file is not None:
            self.files[file.file_id] = file
        self.note(What.SENT, shown)
        return shown

    def note(self, what: What, shown: Shown, by: str = "", label: str = "") -> None:
        """Write down what happens to a message."""
        moment = Moment(
            what=what,
            chat_id=shown.chat_id,
            by=by or shown.by,
            message_id=shown.message_id,
            text=label or shown.text,
            rows=shown.rows,
            file=shown.file,
        )
        self.moments.append(moment)

    def update(self, kind: str, body: Json) -> Json | None:
        """Queue an update for the bot, unless it said it does not want that kind."""
        if self.allowed_updates and kind not in self.allowed_updates:
            return None
        update = {"update_id": next(self.update_ids), kind: body}
        self.updates.append(update)
        self.all_updates.append(update)
        return update


BOT: Json = {
    "id": BOT_ID,
    "is_bot": True,
    "first_name": "Deskhand",
    "username": BOT_NAME,
}
