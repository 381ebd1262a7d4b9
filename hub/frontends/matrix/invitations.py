"""Invitations: accepted from people who are linked; from others into a talk between two alone.

Who is not linked meets fixed words and a way to link, as everywhere; nothing they say is carried
out. Their rooms are few, so that nobody fills the homeserver's list with them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from hub.core.pace import Bucket
from hub.core.view import Pace, Sender
from hub.frontends.matrix.client import Client
from hub.frontends.matrix.conversations import NAME
from hub.frontends.matrix.events import Invited, Room
from hub.frontends.matrix.kept import GUESTS_MAX, INVITES_MAX, Invite, Kept, Shelf
from shared.backoff import Backoff
from shared.environment import Environment
from shared.errors import AppError

logger = logging.getLogger(__name__)

ROOMS_MAX = 1000
"""Rooms the bot is in; beyond that it declines."""
TRIES_MAX = 6
AGAIN = Backoff(first_seconds=1.0, max_seconds=60.0)
STRANGERS = Pace(burst=10, per_second=1 / 60)
"""How often somebody who is not linked may open a room."""

Knows = Callable[[Sender], Awaitable[bool]]


class Invitations:
    """Takes them one by one, apart from what is said: a join can take its time."""

    def __init__(
        self, client: Client, knows: Knows, kept: Kept, shelf: Shelf, environment: Environment
    ) -> None:
        self._client = client
        self._knows = knows
        self._kept = kept
        self._shelf = shelf
        self._environment = environment
        self._strangers = Bucket(STRANGERS, tokens=STRANGERS.burst, now=environment.monotonic())
        self._bell = asyncio.Event()

    def note(self, invited: Invited) -> None:
        """Somebody asks; kept with the place up to which was read."""
        if len(self._kept.invites) >= INVITES_MAX and invited.room_id not in self._kept.invites:
            logger.warning("Too many invitations at once; one is left: %s", invited.room_id)
            return
        self._kept.invites[invited.room_id] = Invite(
            inviter=invited.inviter, is_direct=invited.is_direct
        )
        self._bell.set()

    async def run(self) -> None:
        """Deal with them until cancelled."""
        failures = 0
        while True:
            if not self._kept.invites:
                self._bell.clear()
                await self._bell.wait()
            room_id, invite = next(iter(self._kept.invites.items()))
            try:
                await self.deal(room_id, invite)
                failures = 0
                self._kept.invites.pop(room_id, None)
            except AppError as error:
                failures += 1
                self._again(room_id, invite, error)
                wait = error.retry_after_seconds
                await asyncio.sleep(
                    AGAIN.wait_seconds(failures, self._environment.random())
                    if wait is None
                    else wait
                )
            await self._shelf.save(self._kept)

    def _again(self, room_id: str, invite: Invite, error: AppError) -> None:
        """Put it behind the others, or leave it."""
        self._kept.invites.pop(room_id, None)
        if error.retryable and error.code != "chat_blocked" and invite.tries + 1 < TRIES_MAX:
            again = invite.model_copy(update={"tries": invite.tries + 1})
            self._kept.invites[room_id] = again
        else:
            logger.info("An invitation came to nothing: %s", error.code)

    async def deal(self, room_id: str, invite: Invite) -> None:
        """Accept or decline one.

        Raises:
            AppError: when the homeserver does not take part.
        """
        is_known = await self._is_known(invite.inviter)
        if not is_known and not self._may_guest(invite):
            logger.info("An invitation of %s into %s is declined.", invite.inviter, room_id)
            await self._client.leave(room_id)
            return
        if len(self._client.rooms) >= ROOMS_MAX:
            logger.warning("The bot is in %d rooms, and declines more.", ROOMS_MAX)
            await self._client.leave(room_id)
            return
        await self._client.join(room_id)
        if not is_known:
            self._kept.guests[room_id] = invite.inviter
            await self._make_room()

    def _may_guest(self, invite: Invite) -> bool:
        now = self._environment.monotonic()
        if not invite.is_direct or self._strangers.wait(now) > 0:
            return False
        self._strangers.take(now)
        return True

    async def _make_room(self) -> None:
        """Leave the oldest room of somebody who never linked, when there are too many."""
        while len(self._kept.guests) > GUESTS_MAX:
            room_id = next(iter(self._kept.guests))
            inviter = self._kept.guests.pop(room_id)
            if not await self._is_known(inviter):
                await self._client.leave(room_id)

    async def is_unwanted(self, room: Room) -> bool:
        """Whether a talk with somebody who is not linked has become a room of several."""
        inviter = self._kept.guests.get(room.room_id)
        if inviter is None:
            return False
        if await self._is_known(inviter):
            del self._kept.guests[room.room_id]
            return False
        return room.is_group

    async def _is_known(self, user_id: str) -> bool:
        return await self._knows(Sender(frontend=NAME, external_id=user_id, name=user_id))
