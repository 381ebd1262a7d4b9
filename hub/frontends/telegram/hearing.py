"""What an update says, to us or not: decided without waiting for anything.

Ignored: what other bots say, what a group or channel says in its own name, edits, service
messages, words in a group that are not for the bot, and all of groups that the owner did not name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from telegram import CallbackQuery, Chat, ChatMember, Message, Update, User

from hub.core.view import Inbound, Sender
from hub.frontends.telegram.conversations import NAME, conversation_of
from shared.ids import ConversationId
from shared.plain_text import plain_line

UPDATES = ("message", "callback_query", "my_chat_member")
"""What the bot asks Telegram for."""
NAME_CHARS_MAX = 100
_ADDRESSED = re.compile(r"(/[A-Za-z0-9_]+)@(\w+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Words:
    """Somebody said something to the bot."""

    inbound: Inbound
    album: str = ""
    """Files sent together share it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """Somebody tapped a button; what it says is still to be looked up."""

    query_id: str
    name: str
    inbound: Inbound
    """Without its text."""


@dataclass(frozen=True, slots=True)
class Reachable:
    """A person, or a group, lets the bot write again."""

    conversation: ConversationId


@dataclass(frozen=True, slots=True)
class ForeignGroup:
    """A group that the owner did not name."""

    chat_id: int
    title: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A group has a new id."""

    chat_id: int
    new_chat_id: int


Heard = Words | Press | Reachable | ForeignGroup | Moved | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """Who the bot is, and where it listens."""

    bot_id: int
    username: str
    groups: frozenset[int]

    def heard(self, update: Update) -> Heard:
        """Read an update; None when it says nothing to the bot."""
        if update.message is not None:
            return self._message(update.update_id, update.message)
        if update.callback_query is not None:
            return self._press(update.update_id, update.callback_query)
        if update.my_chat_member is not None:
            changed = update.my_chat_member
            if (foreign := self._foreign(changed.chat)) is not None:
                return foreign
            if changed.new_chat_member.status in (ChatMember.MEMBER, ChatMember.ADMINISTRATOR):
                return Reachable(conversation_of(changed.chat))
        return None

    def _message(self, update_id: int, message: Message) -> Heard:
        chat, sender = message.chat, message.from_user
        if chat.type not in (Chat.PRIVATE, Chat.GROUP, Chat.SUPERGROUP):
            return None
        if message.migrate_to_chat_id is not None:
            return Moved(chat.id, message.migrate_to_chat_id)
        if (foreign := self._foreign(chat)) is not None:
            return foreign
        # With a sender_chat it is a channel, or an admin who stays unnamed: nobody we know.
        if sender is None or sender.is_bot or message.sender_chat is not None:
            return None
        has_file = _has_file(message)
        text = self._to_us(message, message.text or message.caption or "")
        if text is None or not (text or has_file):
            return None
        replied = message.reply_to_message
        inbound = _inbound(
            update_id,
            chat,
            sender,
            text=text,
            replies_to=str(replied.message_id) if replied is not None else "",
            has_file=has_file,
        )
        return Words(inbound, message.media_group_id or "")

    def _foreign(self, chat: Chat) -> ForeignGroup | None:
        if chat.type == Chat.PRIVATE or chat.id in self.groups:
            return None
        return ForeignGroup(chat.id, plain_line(chat.title or "")[:NAME_CHARS_MAX])

    def _to_us(self, message: Message, text: str) -> str | None:
        """What is said to the bot, without its name; None when it is not for it."""
        text = text.strip()
        addressed = _ADDRESSED.match(text)
        if addressed is not None:
            if addressed[2].lower() != self.username.lower():
                return None
            return addressed[1] + text[addressed.end() :]
        if message.chat.type == Chat.PRIVATE or text.startswith("/"):
            return text
        mention = re.compile(rf"(?i)@{re.escape(self.username)}\b[,:]?")
        if mention.search(text):
            return mention.sub("", text).strip()
        replied = message.reply_to_message
        if replied is not None and replied.from_user is not None:
            return text if replied.from_user.id == self.bot_id else None
        return None

    def _press(self, update_id: int, query: CallbackQuery) -> Heard:
        message, sender = query.message, query.from_user
        if message is None or not query.data or sender.is_bot:
            return None
        if (foreign := self._foreign(message.chat)) is not None:
            return foreign
        inbound = _inbound(update_id, message.chat, sender, text="")
        return Press(query_id=query.id, name=query.data, inbound=inbound)


def _inbound(
    update_id: int,
    chat: Chat,
    sender: User,
    *,
    text: str,
    replies_to: str = "",
    has_file: bool = False,
) -> Inbound:
    name = plain_line(sender.full_name).strip()[:NAME_CHARS_MAX]
    return Inbound(
        conversation=conversation_of(chat),
        sender=Sender(frontend=NAME, external_id=str(sender.id), name=name or str(sender.id)),
        text=text,
        dedupe=str(update_id),
        in_group=chat.type != Chat.PRIVATE,
        replies_to=replies_to,
        has_file=has_file,
        answer_waits=True,
    )


def _has_file(message: Message) -> bool:
    return any(
        (
            message.document,
            message.photo,
            message.audio,
            message.video,
            message.voice,
            message.video_note,
            message.animation,
        )
    )
