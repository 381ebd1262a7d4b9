"""Asks the homeserver for news, and moves on only after the hub has dealt with all of it.

    ask from the kept place ─▶ deal with each event ─▶ keep the new place ─▶ ask from there

A hub that dies anywhere in between asks from the old place again: nothing is missed, and what
comes twice is known to the inbox by its id.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

from hub.core.view import View
from hub.frontends.matrix.client import Client
from hub.frontends.matrix.conversations import conversation_of
from hub.frontends.matrix.events import Event
from hub.frontends.matrix.invitations import Invitations
from hub.frontends.matrix.kept import Kept, Shelf
from hub.frontends.matrix.reception import Reception
from hub.frontends.matrix.sealed import Render, SealedEvents
from shared.errors import AppError, Unavailable
from shared.ids import ConversationId

logger = logging.getLogger(__name__)

POLL_SECONDS = 25.0
"""How long the homeserver may hold a question for news open."""
SOON_SECONDS = 2.0
"""While somebody is to be told that a key is missing."""
READ_ROOMS_MAX = 10
"""Rooms whose newest message is marked as read after one answer."""


UNVERIFIED = (
    "This room is encrypted. I do not check which sessions are verified: every session of the two "
    "of us can read what is written here."
)


class Listening:
    """One question after the other."""

    def __init__(
        self,
        *,
        client: Client,
        kept: Kept,
        shelf: Shelf,
        reception: Reception,
        invitations: Invitations,
        sealed: SealedEvents,
        arrived: Callable[[ConversationId], None],
        render: Render,
    ) -> None:
        self._client = client
        self._kept = kept
        self._shelf = shelf
        self._reception = reception
        self._invitations = invitations
        self._sealed = sealed
        self._arrived = arrived
        self._render = render
        self._has_looked = False
        """Whether the rooms are known that the bot was in all along."""
        self._waiting: deque[Event] = deque()
        """What the last answer brought and is not yet dealt with."""
        self._read: dict[str, str] = {}
        self._place = kept.place
        """Where the last answer ended; kept once all of it is dealt with."""

    async def run_once(self, wait_seconds: float = POLL_SECONDS) -> None:
        """Ask once, and deal with what comes; what was left over from before comes first.

        Raises:
            AppError: when the homeserver, or the store, does not take part. What was at hand is
                dealt with the next time.
        """
        if not self._waiting and self._place == self._kept.place:
            await self._ask(SOON_SECONDS if self._sealed.is_waiting else wait_seconds)
        for event in self._sealed.opened():
            await self._take(event)
            self._sealed.done(event)
        while self._waiting:
            await self._take(self._waiting[0])
            done = self._waiting.popleft()
            if done.state_key is None and done.sender != self._client.user_id:
                self._read[done.room_id] = done.event_id
        is_told = await self._sealed.tell()
        if self._place != self._kept.place or is_told:
            self._kept.place = self._place
            await self._shelf.save(self._kept)
        await self._mark_read()

    async def _ask(self, wait_seconds: float) -> None:
        is_new = not self._kept.place
        was_in = frozenset(self._client.rooms)
        batch = await self._client.sync(self._kept.place, wait_seconds)
        self._place = batch.place
        for invited in batch.invites:
            self._invitations.note(invited)
        for room_id in batch.left:
            self._kept.guests.pop(room_id, None)
        if self._has_looked:
            for room_id in frozenset(self._client.rooms) - was_in:
                await self._come_in(room_id)
        self._has_looked = True
        # Of a history that nobody noted how far it was read, nothing is carried out.
        self._waiting.extend(() if is_new else batch.events)

    async def _come_in(self, room_id: str) -> None:
        """The bot is in a room that it was not in before."""
        for is_group in (False, True):
            self._arrived(conversation_of(room_id, is_group=is_group))
        room = self._client.room(room_id)
        if room is None or room.is_group or not room.is_encrypted:
            return
        try:
            view = View(text=UNVERIFIED, is_quiet=True, key=f"welcome {room_id}")
            await self._render(conversation_of(room_id, is_group=False), view, None)
        except AppError as error:
            logger.info("A room was not told how it is read: %s", error.code)

    async def _take(self, event: Event) -> None:
        try:
            await self._reception.take(event)
        except AppError:
            raise
        except Exception:
            logger.exception("An event broke us and is tried again.")
            raise Unavailable(
                "event_unread", "An event could not be dealt with.", retryable=True
            ) from None

    async def _mark_read(self) -> None:
        """Tell people that they were heard; how well that goes is of no importance."""
        read, self._read = self._read, {}
        for room_id, event_id in list(read.items())[-READ_ROOMS_MAX:]:
            try:
                await self._client.mark_read(room_id, event_id)
            except AppError as error:
                logger.debug("Nothing was marked as read: %s", error.code)
                return
