"""A place of Discord's within the hub, and back.

A direct message is "discord:<channel>", a channel of a server "discord:group:<channel>". What was
asked there has a conversation of its own, "discord:group:<channel>:<anchor>": the anchor is the
message that answers it first, and the thread that hangs on a message has that message's id.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import NotFound
from shared.ids import ConversationId

NAME = "discord"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    channel_id: int
    """Never a thread: what a thread hangs in."""
    in_server: bool = False
    anchor_id: int = 0
    """A message of the channel, and the thread that hangs on it, or may; 0: the channel itself."""


def conversation_of(place: Place) -> ConversationId:
    """Name a place."""
    if not place.in_server:
        return ConversationId(f"{NAME}:{place.channel_id}")
    anchor = f":{place.anchor_id}" if place.anchor_id else ""
    return ConversationId(f"{NAME}:group:{place.channel_id}{anchor}")


def place_of(conversation: ConversationId) -> Place:
    """Read a place's name.

    Raises:
        NotFound: `chat_gone`, for what is no conversation of Discord's.
    """
    _, _, told = conversation.partition(":")
    in_server = told.startswith("group:")
    channel, _, anchor = told.removeprefix("group:").partition(":")
    try:
        return Place(channel_id=int(channel), in_server=in_server, anchor_id=int(anchor or 0))
    except ValueError:
        raise NotFound("chat_gone", f"'{conversation:.60}' is no chat of Discord's.") from None
