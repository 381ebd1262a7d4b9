"""What the fake Discord remembers: people, a server, channels, threads, messages, interactions."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
EPOCH_MS = 1_420_070_400_000
_count = itertools.count(1)
TEXT, DM, THREAD = 0, 1, 11
DEFAULT_BYTES_MAX = 10 * 1024 * 1024


def snowflake() -> int:
    """An id of Discord's kind: later ones are larger."""
    return (int(time.time() * 1000) - EPOCH_MS << 22) + next(_count)


def moment(at: float | None = None) -> str:
    return datetime.fromtimestamp(time.time() if at is None else at, UTC).isoformat()


@dataclass(slots=True)
class User:
    user_id: int
    name: str
    is_bot: bool = False

    def payload(self) -> Json:
        return {
            "id": str(self.user_id),
            "username": self.name.lower(),
            "global_name": None if self.is_bot else self.name,
            "discriminator": "0",
            "avatar": None,
            "banner": None,
            "accent_color": None,
            "bot": self.is_bot,
            "system": False,
            "public_flags": 0,
            "primary_guild": None,
        }


@dataclass(slots=True)
class Channel:
    channel_id: int
    kind: int
    name: str = ""
    server_id: int = 0
    parent_id: int = 0
    recipient: User | None = None
    can_write: bool = True
    can_thread: bool = True
    can_embed: bool = True
    is_archived: bool = False
    bytes_max: int = DEFAULT_BYTES_MAX

    def payload(self) -> Json:
        told: Json = {"id": str(self.channel_id), "type": self.kind, "last_message_id": None}
        if self.kind == DM:
            assert self.recipient is not None
            return told | {"recipients": [self.recipient.payload()], "flags": 0}
        told |= {"name": self.name, "guild_id": str(self.server_id), "flags": 0}
        if self.kind == THREAD:
            return told | {
                "parent_id": str(self.parent_id),
                "owner_id": "0",
                "message_count": 0,
                "member_count": 1,
                "rate_limit_per_user": 0,
                "total_message_sent": 0,
                "thread_metadata": {
                    "archived": self.is_archived,
                    "auto_archive_duration": 1440,
                    "archive_timestamp": moment(),
                    "create_timestamp": moment(),
                    "locked": False,
                },
            }
        return told | {
            "position": 0,
            "permission_overwrites": [],
            "nsfw": False,
            "topic": None,
            "parent_id": None,
            "rate_limit_per_user": 0,
            "last_pin_timestamp": None,
        }

    def partial(self) -> Json:
        """As interactions carry it."""
        told = self.payload()
        return told if self.kind == DM else told | {"permissions": "2147483647"}


@dataclass(slots=True)
class Shown:
    """A message as it is now."""

    message_id: int
    channel: Channel
    author: User
    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    rows: list[Json] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    flags: int = 0
    nonce: str = ""
    reply_to: Shown | None = None
    interaction: Interaction | None = None
    """The command it answers."""
    edits: int = 0
    earlier_rows: list[list[Json]] = field(default_factory=list)
    is_thinking: bool = False
    seen_by: User | None = None
    """Of a whisper: the one who sees it."""
    mentions: list[User] = field(default_factory=list)

    @property
    def written(self) -> str:
        """The words, wherever they stand."""
        return self.content or "\n".join(embed.get("description", "") for embed in self.embeds)

    @property
    def buttons(self) -> list[Json]:
        return buttons_in(self.rows)

    @property
    def labels(self) -> list[str]:
        return [told["label"] for told in self.buttons]

    def payload(self, *, deep: bool = True) -> Json:
        told: Json = {
            "id": str(self.message_id),
            "channel_id": str(self.channel.channel_id),
            "author": self.author.payload(),
            "content": self.content,
            "timestamp": moment(),
            "edited_timestamp": moment() if self.edits else None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [user.payload() for user in self.mentions],
            "mention_roles": [],
            "attachments": [
                _attachment(index, name, content)
                for index, (name, content) in enumerate(self.files.items())
            ],
            "embeds": [embed | {"type": "rich"} for embed in self.embeds],
            "components": self.rows,
            "pinned": False,
            "type": 0,
            "flags": self.flags | (1 << 7 if self.is_thinking else 0),
        }
        if self.nonce:
            told["nonce"] = self.nonce
        if self.interaction is not None:
            told["type"] = 20
            told["interaction_metadata"] = {
                "id": str(self.interaction.interaction_id),
                "type": 2,
                "user": self.interaction.user.payload(),
                "authorizing_integration_owners": {"0": "0"},
            }
        if self.reply_to is not None:
            told["type"] = 19
            told["message_reference"] = {
                "type": 0,
                "message_id": str(self.reply_to.message_id),
                "channel_id": str(self.reply_to.channel.channel_id),
            }
            if deep:
                told["referenced_message"] = self.reply_to.payload(deep=False)
        return told


@dataclass(slots=True)
class Interaction:
    """A command or a press, on its way to being answered."""

    interaction_id: int
    token: str
    user: User
    channel: Channel
    asked_at: float
    message: Shown | None = None
    """Whose button was pressed."""
    answer: int = 0
    """The kind of the first answer; 0: none yet."""
    response: Shown | None = None
    whispers: list[Shown] = field(default_factory=list)
    is_gone: bool = False

    @property
    def is_answered(self) -> bool:
        return self.answer != 0


def buttons_in(rows: list[Json]) -> list[Json]:
    """All there is to press: buttons, and the options of menus."""
    found: list[Json] = []
    for row in rows:
        for component in row["components"]:
            if component["type"] == 3:
                found += [
                    {"label": _full(o), "custom_id": component["custom_id"], "value": o["value"]}
                    for o in component["options"]
                ]
            else:
                found.append(component)
    return found


def numbered(rows: list[Json]) -> list[Json]:
    """Give components the numbers that Discord gives those that come without."""
    count = itertools.count(1)
    return [
        row
        | {"id": next(count)}
        | {"components": [component | {"id": next(count)} for component in row["components"]]}
        for row in rows
    ]


def _full(option: Json) -> str:
    detail = option.get("description", "")
    return f"{option['label']} · {detail}" if detail else str(option["label"])


def _attachment(index: int, name: str, content: bytes) -> Json:
    return {
        "id": str(1000 + index),
        "filename": name,
        "size": len(content),
        "url": f"https://cdn.discordapp.com/attachments/{name}",
        "proxy_url": f"https://media.discordapp.net/attachments/{name}",
    }


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that somebody saw, in its order."""

    what: str
    """"said", "chosen", "pressed", "shown", "changed"."""
    channel: Channel
    by: User
    text: str
    labels: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    message_id: int = 0


@dataclass(slots=True)
class State:
    """All of it."""

    bot: User
    server_id: int
    channels: dict[int, Channel] = field(default_factory=dict)
    messages: dict[int, Shown] = field(default_factory=dict)
    interactions: dict[str, Interaction] = field(default_factory=dict)
    commands: list[Json] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    in_server: bool = True

    def note(self, what: str, channel: Channel, by: User, text: str) -> None:
        """Remember what a person did."""
        self.moments.append(Moment(what, channel, by, text))

    def note_shown(self, message: Shown, *, is_new: bool) -> None:
        """Remember what a message of the bot's looks like from now on."""
        labels, files = tuple(message.labels), tuple(message.files)
        what = "shown" if is_new else "changed"
        self.moments.append(
            Moment(
                what,
                message.channel,
                self.bot,
                message.written,
                labels,
                files,
                message.message_id,
            )
        )

    def direct(self, user: User) -> Channel:
        """The channel between somebody and the bot."""
        for channel in self.channels.values():
            if channel.kind == DM and channel.recipient == user:
                return channel
        channel = Channel(snowflake(), DM, recipient=user)
        self.channels[channel.channel_id] = channel
        return channel

    def channel(self, name: str) -> Channel:
        """A channel of the server."""
        for channel in self.channels.values():
            if channel.kind == TEXT and channel.name == name:
                return channel
        channel = Channel(snowflake(), TEXT, name=name, server_id=self.server_id)
        self.channels[channel.channel_id] = channel
        return channel
