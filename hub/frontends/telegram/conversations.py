"""A chat's id within the hub, and back."""

from __future__ import annotations

from telegram import Chat

from shared.errors import NotFound
from shared.ids import ConversationId

NAME = "telegram"


def conversation_of(chat: Chat) -> ConversationId:
    """Private: "telegram:4711"; a group: "telegram:group:-1001"."""
    if chat.type == Chat.PRIVATE:
        return ConversationId(f"{NAME}:{chat.id}")
    return ConversationId(f"{NAME}:group:{chat.id}")


def chat_of(conversation: ConversationId) -> int:
    """The chat's id within Telegram.

    Raises:
        NotFound: `chat_gone`, for what is no conversation of Telegram's.
    """
    _, _, told = conversation.partition(":")
    try:
        return int(told.removeprefix("group:"))
    except ValueError:
        raise NotFound("chat_gone", f"'{conversation:.60}' is no chat of Telegram's.") from None
