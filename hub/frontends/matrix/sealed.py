"""Messages whose key is not here: kept for a while, asked for, and told of.

Keys travel apart from messages and are often late by seconds; what can be read then is dealt with
as if it had just come. Who waits in vain is told what to do.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from hub.core.view import View
from hub.frontends.matrix.client import Client
from hub.frontends.matrix.conversations import conversation_of
from hub.frontends.matrix.events import Event
from hub.frontends.matrix.kept import SEALED_MAX, Kept, Sealed
from hub.ports import MessageRef
from shared.environment import Environment
from shared.errors import AppError
from shared.ids import ConversationId

logger = logging.getLogger(__name__)

GRACE_SECONDS = 4.0
"""How late a key may be before anybody is told."""
KEPT_SECONDS = 3600.0
UNREADABLE = (
    "I could not read your message: it is encrypted, and its key did not reach me.\n"
    "Say it again; that sends the key anew. Should that not help, type /discardsession here (in "
    "Element) and say it once more, or open a new room with me."
)

Render = Callable[[ConversationId, View, MessageRef | None], Awaitable[MessageRef]]


class SealedEvents:
    """What cannot be read yet."""

    def __init__(
        self, client: Client, kept: Kept, environment: Environment, render: Render
    ) -> None:
        self._client = client
        self._kept = kept
        self._environment = environment
        self._render = render

    @property
    def is_waiting(self) -> bool:
        """Whether somebody is still to be told: look again soon."""
        return any(not sealed.is_told for sealed in self._kept.sealed.values())

    async def hold(self, event: Event) -> None:
        """Keep an event, and ask for its key."""
        if event.event_id in self._kept.sealed:
            return
        while len(self._kept.sealed) >= SEALED_MAX:
            del self._kept.sealed[next(iter(self._kept.sealed))]
        self._kept.sealed[event.event_id] = Sealed(
            room_id=event.room_id,
            source=event.source,
            since=self._environment.now().timestamp(),
        )
        try:
            await self._client.ask_for_key(event.room_id, event.source)
        except AppError as error:
            logger.info("A key could not be asked for: %s", error.code)

    def opened(self) -> list[Event]:
        """What can be read by now; it is kept until `done`."""
        found = []
        for sealed in list(self._kept.sealed.values()):
            event = self._client.unsealed(sealed.room_id, sealed.source)
            if event is not None:
                found.append(event)
        return found

    def done(self, event: Event) -> None:
        self._kept.sealed.pop(event.event_id, None)

    async def tell(self) -> bool:
        """Tell of what is still sealed after a while, once for each key; whether anything changed.

        What has been kept for long is forgotten.
        """
        now = self._environment.now().timestamp()
        told = {_key_of(s) for s in self._kept.sealed.values() if s.is_told}
        is_changed = False
        for event_id, sealed in list(self._kept.sealed.items()):
            age = now - sealed.since
            if age > KEPT_SECONDS:
                del self._kept.sealed[event_id]
                is_changed = True
            elif age > GRACE_SECONDS and not sealed.is_told:
                if _key_of(sealed) not in told:
                    await self._say(sealed.room_id, event_id)
                    told.add(_key_of(sealed))
                self._kept.sealed[event_id] = sealed.model_copy(update={"is_told": True})
                is_changed = True
        return is_changed

    async def _say(self, room_id: str, event_id: str) -> None:
        conversation = conversation_of(room_id, is_group=False)
        try:
            await self._render(conversation, View(text=UNREADABLE, key=f"sealed {event_id}"), None)
        except AppError as error:
            logger.info("Nobody was told of a message that cannot be read: %s", error.code)


def _key_of(sealed: Sealed) -> str:
    content = sealed.source.get("content")
    return str(content.get("session_id", "")) if isinstance(content, dict) else ""
