"""Turns the library's answers into plain values; what is malformed is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import nio

from hub.frontends.matrix.events import Batch, Event, Invited, object_of, text_of
from shared.kinds import JsonObject

MEMBER = "m.room.member"


def batch_of(
    answer: nio.SyncResponse, user_id: str, missed: Mapping[str, Sequence[Event]]
) -> Batch:
    """Gather what an answer brings that a bot has to deal with.

    Args:
        answer: with its events decrypted, where that was possible.
        user_id: the bot's.
        missed: by room, what came before the answer's own events and did not fit into it.
    """
    events: list[Event] = []
    for room_id, info in answer.rooms.join.items():
        told = [event_of(event, room_id) for event in info.timeline.events]
        events += since_here([*missed.get(room_id, ()), *told], user_id)
    invites = (
        _invited(room_id, info.invite_state, user_id)
        for room_id, info in answer.rooms.invite.items()
    )
    return Batch(
        place=answer.next_batch,
        events=tuple(events),
        invites=tuple(invited for invited in invites if invited is not None),
        left=tuple(answer.rooms.leave),
    )


def event_of(event: Any, room_id: str) -> Event:
    """One event; of a malformed one, as much as is there."""
    source: JsonObject = event.source if isinstance(event.source, dict) else {}
    return Event(
        room_id=room_id,
        event_id=text_of(source.get("event_id")),
        sender=text_of(source.get("sender")),
        type=text_of(source.get("type")),
        # The library takes the content of some events out of their source.
        content=object_of(source.get("content") or getattr(event, "content", None)),
        membership_before=str(getattr(event, "prev_membership", None) or ""),
        state_key=source["state_key"] if isinstance(source.get("state_key"), str) else None,  # type: ignore[arg-type]
        is_sealed=isinstance(event, nio.MegolmEvent),
        was_encrypted=bool(getattr(event, "decrypted", False)),
        session_id=str(getattr(event, "session_id", None) or ""),
        source=source,
    )


def since_here(events: Sequence[Event], user_id: str) -> list[Event]:
    """Leave out what was said before the bot was asked into a room, when it has just come."""
    begins = 0
    for place, event in enumerate(events):
        if event.type == MEMBER and event.state_key == user_id:
            is_new = event.membership_before not in ("invite", "join")
            if is_new and event.content.get("membership") in ("invite", "join"):
                begins = place + 1
    return list(events[begins:])


def _invited(room_id: str, state: Sequence[Any], user_id: str) -> Invited | None:
    """Who asks, and whether for a talk between two."""
    for event in state:
        source = object_of(getattr(event, "source", None))
        if source.get("type") != MEMBER or source.get("state_key") != user_id:
            continue
        content = object_of(getattr(event, "content", None))
        if content.get("membership") == "invite":
            is_direct = content.get("is_direct") is True
            return Invited(room_id, text_of(source.get("sender")), is_direct)
    return None
