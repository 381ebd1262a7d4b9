"""What a lane needs of whoever makes its calls; nothing of HTTP is imported here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.core.webhook import Outcome


@dataclass(frozen=True, slots=True)
class Message:
    message_id: str
    body: bytes


class Post(Protocol):
    """Brings a message to an address."""

    async def send(self, url: str, keys: Sequence[bytes], message: Message) -> Outcome:
        """Make one call, signed with each of the keys."""

    async def close(self) -> None:
        """Let go of all lines."""
