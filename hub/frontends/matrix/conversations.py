"""A room's id within the hub, and back."""

from __future__ import annotations

from shared.errors import NotFound
from shared.ids import ConversationId

NAME = "matrix"


def conversation_of(room_id: str, *, is_group: bool) -> ConversationId:
    """With one person: "matrix:!a:example.org"; with several: "matrix:group:!a:example.org"."""
    return ConversationId(f"{NAME}:group:{room_id}" if is_group else f"{NAME}:{room_id}")


def room_of(conversation: ConversationId) -> str:
    """The room's id within Matrix.

    Raises:
        NotFound: `room_gone`, for what is no conversation of Matrix's.
    """
    name, _, told = conversation.partition(":")
    room_id = told.removeprefix("group:")
    if name != NAME or not room_id.startswith("!"):
        raise NotFound("room_gone", f"'{conversation:.60}' is no room of Matrix's.")
    return room_id
