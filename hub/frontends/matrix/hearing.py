"""What an event says, to us or not: decided without waiting for anything.

Ignored: what the bot itself says, notices (other bots), edits, removals, calls, and words in a
room of several people that are not for the bot.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hub.core.view import Inbound, Sender
from hub.frontends.commands import BY_NAME
from hub.frontends.matrix.conversations import NAME, conversation_of
from hub.frontends.matrix.events import (
    Event,
    Room,
    object_of,
    relation_of,
    replied_to,
    text_of,
)
from shared.ids import TaskId
from shared.kinds import JsonObject
from shared.plain_text import plain_line

MESSAGE = "m.room.message"
REACTION = "m.reaction"
NAME_CHARS_MAX = 100
KEY_CHARS_MAX = 40
FILE_SORTS = frozenset({"m.file", "m.image", "m.audio", "m.video"})
_QUOTED = re.compile(r"\A(?:> [^\n]*\n)+\n?")
"""What programs put before a reply for those that know none."""
_PREFIX = re.compile(r"\A!(?=[A-Za-z])")
_COMMAND = re.compile(r"[!/](?P<name>[A-Za-z_]\w*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Words:
    """Somebody said something."""

    inbound: Inbound
    is_to_us: bool
    """Without doubt; else it is if it replies to a message of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """Somebody reacted to a message; whose it is, and what the sign says, is to be looked up."""

    inbound: Inbound
    """Without its text."""
    target: str
    key: str


@dataclass(frozen=True, slots=True)
class Bare:
    """Words without encryption in a room that is encrypted."""

    event: Event


@dataclass(frozen=True, slots=True)
class Closed:
    """Words whose key is not here."""

    event: Event


Heard = Words | Tap | Bare | Closed | None


def heard(event: Event, room: Room, user_id: str, task_id: str = "") -> Heard:
    """Read an event; None when it says nothing to the bot.

    Args:
        event: what was told.
        room: where.
        user_id: the bot's.
        task_id: whose thread it was said in; empty for none of ours.
    """
    if event.sender in ("", user_id) or not event.event_id or event.state_key is not None:
        return None
    relation = relation_of(event.content)
    if relation.get("rel_type") == "m.replace":
        return None
    if event.is_sealed:
        return None if room.is_group else Closed(event)
    if event.type == REACTION:
        return _tap(event, room)
    if event.type != MESSAGE:
        return None
    sort = text_of(event.content.get("msgtype"))
    if sort != "m.text" and sort not in FILE_SORTS:
        return None
    if room.is_encrypted and not event.was_encrypted:
        return None if room.is_group else Bare(event)
    return _words(event, room, user_id, task_id)


def _words(event: Event, room: Room, user_id: str, task_id: str) -> Words | None:
    content = event.content
    has_file = content.get("msgtype") in FILE_SORTS
    body = text_of(content.get("body"))
    if has_file and (not content.get("filename") or content["filename"] == body):
        body = ""
    reply = replied_to(content)
    if reply:
        body = _QUOTED.sub("", body, count=1)
    body, is_named = _without_name(body.strip(), content, room, user_id)
    command = _COMMAND.match(body)
    is_known = command is not None and command["name"].lower() in BY_NAME
    if not (body or has_file):
        return None
    is_to_us = not room.is_group or is_named or is_known or bool(task_id)
    if not is_to_us and not reply:
        return None
    inbound = _inbound(event, room, body, replies_to=reply, has_file=has_file, task_id=task_id)
    return Words(inbound, is_to_us)


def _without_name(body: str, content: JsonObject, room: Room, user_id: str) -> tuple[str, bool]:
    """Take the bot's name off what is said to it; whether it was named."""
    mentioned = object_of(content.get("m.mentions")).get("user_ids")
    is_named = isinstance(mentioned, list) and user_id in mentioned
    names = [user_id, user_id.partition(":")[0], *([room.bot_name] if room.bot_name else [])]
    for name in names:
        if body.lower().startswith(name.lower()):
            rest = body[len(name) :]
            if not rest or rest[0] in ":, ":
                return rest.lstrip(":, ").strip(), True
    if is_named or user_id in body:
        return re.sub(re.escape(user_id), "", body).strip(), True
    return body, False


def _tap(event: Event, room: Room) -> Tap | None:
    relation = relation_of(event.content)
    target, key = text_of(relation.get("event_id")), text_of(relation.get("key"))
    if (
        relation.get("rel_type") != "m.annotation"
        or not target
        or not 0 < len(key) <= KEY_CHARS_MAX
    ):
        return None
    return Tap(inbound=_inbound(event, room, ""), target=target, key=key)


def _inbound(
    event: Event,
    room: Room,
    body: str,
    *,
    replies_to: str = "",
    has_file: bool = False,
    task_id: str = "",
) -> Inbound:
    name = plain_line(room.name_of(event.sender)).strip()[:NAME_CHARS_MAX]
    return Inbound(
        conversation=conversation_of(room.room_id, is_group=room.is_group),
        sender=Sender(frontend=NAME, external_id=event.sender, name=name or event.sender),
        text=_PREFIX.sub("/", body),
        dedupe=event.event_id,
        in_group=room.is_group,
        replies_to=replies_to,
        task_id=TaskId(task_id) if task_id else None,
        has_file=has_file,
        answer_waits=True,
    )
