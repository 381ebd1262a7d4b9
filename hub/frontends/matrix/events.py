"""What a homeserver tells, as plain values: nothing of the library's leaves `client`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from shared.kinds import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of a room."""

    room_id: str
    event_id: str
    sender: str
    type: str
    content: JsonObject
    state_key: str | None = None
    membership_before: str = ""
    """Of an event about a member: "invite", "join", "leave"; empty when there was none."""
    is_sealed: bool = False
    """It is encrypted, and its key is not here."""
    was_encrypted: bool = False
    session_id: str = ""
    source: JsonObject
    """As the homeserver told it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A room that the bot is in."""

    room_id: str
    is_group: bool
    """Others than one person read it, or could."""
    is_encrypted: bool
    others: int
    """People beside the bot, those invited included."""
    bot_name: str
    """What the bot is called there."""
    names: Mapping[str, str | None]
    """What those who spoke call themselves there."""

    def name_of(self, user_id: str) -> str:
        return self.names.get(user_id) or user_id[1:].partition(":")[0] or user_id


@dataclass(frozen=True, slots=True)
class Invited:
    room_id: str
    inviter: str
    is_direct: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one question for news brought."""

    place: str
    """From where to ask on."""
    events: tuple[Event, ...]
    """In each room in their order."""
    invites: tuple[Invited, ...]
    left: tuple[str, ...]
    """Rooms that the bot is not in any more."""


def text_of(value: JsonValue | None) -> str:
    """A value where a text should be; empty for anything else."""
    return value if isinstance(value, str) else ""


def object_of(value: JsonValue | None) -> JsonObject:
    """A value where an object should be; empty for anything else."""
    return value if isinstance(value, dict) else {}


def relation_of(content: JsonObject) -> JsonObject:
    """How an event relates to an earlier one."""
    return object_of(content.get("m.relates_to"))


def replied_to(content: JsonObject) -> str:
    """The event that this one is a reply to, as its person meant it; empty for none.

    In a thread, clients name the newest event of it for those who know no threads
    (spec.matrix.org, client-server API, 11.10.1): that is no reply.
    """
    relation = relation_of(content)
    if relation.get("rel_type") == "m.thread" and relation.get("is_falling_back") is not False:
        return ""
    return text_of(object_of(relation.get("m.in_reply_to")).get("event_id"))


def edit_of(event: Event) -> JsonObject:
    """The newest edit of an event, as the homeserver tells it along with the event."""
    relations = object_of(object_of(event.source.get("unsigned")).get("m.relations"))
    return object_of(relations.get("m.replace"))
