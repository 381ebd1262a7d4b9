"""What Discord brings says, to us or not: decided without waiting for anything.

Ignored: what bots and webhooks say, service messages, words in a server that neither name the bot
nor reply to it, and all of servers that the owner did not name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import hikari

from hub.core.view import Sender
from hub.frontends.discord.conversations import NAME
from hub.frontends.discord.menu import said_by_options
from hub.frontends.discord.rooms import THREADS
from shared.plain_text import plain_line

NAME_CHARS_MAX = 100
NAME_SPLIT = "/"
"""Between a button's name and the anchor of its conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Somebody said something to the bot."""

    event_id: int
    channel_id: int
    in_server: bool
    sender: Sender
    text: str
    has_file: bool = False
    replies_to: str = ""
    """The MessageRef of the message it replies to."""
    anchor_id: int = 0
    """Of the conversation that the message it replies to belongs to; 0 when it names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Discord waits for an answer to it."""

    interaction_id: int
    token: str = field(repr=False)
    channel_id: int
    parent_id: int
    """Of the channel, when the first one is a thread; else 0."""
    in_server: bool
    sender: Sender
    bytes_max: int
    """What may be uploaded there."""


@dataclass(frozen=True, slots=True)
class Command:
    """Somebody chose a command."""

    asked: Asked
    text: str


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody pressed a button."""

    asked: Asked
    name: str
    """What the button is called; what it says is still to be looked up."""
    anchor_id: int


@dataclass(frozen=True, slots=True)
class ForeignServer:
    """Words in a server that the owner did not name."""

    server_id: int


Heard = Words | Command | Press | ForeignServer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """Who the bot is, and where it listens."""

    bot_id: int
    servers: frozenset[int]

    def message(self, message: hikari.Message) -> Heard:
        """Read a message; None when it says nothing to the bot."""
        if message.author.is_bot or message.webhook_id is not None:
            return None
        if message.type not in (hikari.MessageType.DEFAULT, hikari.MessageType.REPLY):
            return None
        server_id = message.guild_id
        text = self._to_us(message, server_id is not None)
        has_file = bool(message.attachments)
        if text is None or not (text or has_file):
            return None
        if server_id is not None and server_id not in self.servers:
            return ForeignServer(int(server_id))
        replied = message.referenced_message
        return Words(
            event_id=int(message.id),
            channel_id=int(message.channel_id),
            in_server=server_id is not None,
            sender=_sender(message.author),
            text=text,
            has_file=has_file,
            replies_to=f"{replied.channel_id}:{replied.id}" if replied is not None else "",
            anchor_id=self._anchor_of(replied) if replied is not None else 0,
        )

    def interaction(self, told: hikari.PartialInteraction) -> Heard:
        """Read a command or a press; None for what we never asked for."""
        match told:
            case hikari.CommandInteraction():
                values = {o.name: _value(o.value) for o in told.options or ()}
                text = said_by_options(told.command_name, values)
                return self._foreign(told) or Command(_asked(told), text)
            case hikari.ComponentInteraction():
                name, _, anchor = _pressed(told).partition(NAME_SPLIT)
                anchor_id = int(anchor) if anchor.isdecimal() else 0
                return self._foreign(told) or Press(_asked(told), name, anchor_id)
            case _:
                return None

    def _foreign(self, told: hikari.PartialInteraction) -> ForeignServer | None:
        server_id = getattr(told, "guild_id", None)
        if server_id is None or server_id in self.servers:
            return None
        return ForeignServer(int(server_id))

    def _to_us(self, message: hikari.Message, in_server: bool) -> str | None:  # noqa: FBT001
        """What is said to the bot, without its name; None when it is not for it."""
        text = (message.content or "").strip()
        if not in_server:
            return text
        mention = re.compile(rf"<@!?{self.bot_id}>[,:]?")
        if mention.search(text):
            return mention.sub("", text).strip()
        replied = message.referenced_message
        is_ours = replied is not None and replied.author and replied.author.id == self.bot_id
        return text if is_ours else None

    def _anchor_of(self, replied: hikari.PartialMessage) -> int:
        """The anchor of what one of our messages in a channel belongs to."""
        if not replied.author or replied.author.id != self.bot_id:
            return 0
        if isinstance(replied, hikari.Message) and replied.interaction_metadata is not None:
            return int(replied.id)
        reference = replied.message_reference
        return int(reference.id) if reference and reference.id else 0


def _asked(told: hikari.CommandInteraction | hikari.ComponentInteraction) -> Asked:
    channel = told.channel
    is_thread = channel.type in THREADS and channel.parent_id is not None
    return Asked(
        interaction_id=int(told.id),
        token=told.token,
        channel_id=int(channel.id),
        parent_id=int(channel.parent_id or 0) if is_thread else 0,
        in_server=told.guild_id is not None,
        sender=_sender(told.user),
        bytes_max=told.attachment_size_limit,
    )


def _pressed(told: hikari.ComponentInteraction) -> str:
    return told.values[0] if told.values else told.custom_id


def _value(value: object) -> str | bool:
    return value if isinstance(value, bool) else str(value)


def _sender(user: hikari.User) -> Sender:
    name = plain_line(user.global_name or user.username).strip()[:NAME_CHARS_MAX]
    return Sender(frontend=NAME, external_id=str(user.id), name=name or str(user.id))
