"""Puts signs to tap on messages, and takes them off again when there is nothing more to choose.

A message never waits for its signs: when the homeserver says "too fast", they come after a while,
and until then its choices are typed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from hub.frontends.matrix.client import Client
from hub.frontends.matrix.hearing import REACTION
from hub.frontends.matrix.kept import Kept, Shelf
from shared.errors import AppError
from shared.kinds import JsonObject

logger = logging.getLogger(__name__)

LATE_MAX = 200
"""Signs that wait; the oldest give way, whose messages are history."""


@dataclass(frozen=True, slots=True)
class _Deed:
    """A sign to be put, or an event of ours to be taken off."""

    room_id: str
    event_id: str
    sign: str = ""


class Reactions:
    """The signs on the bot's own messages."""

    def __init__(self, client: Client, kept: Kept, shelf: Shelf) -> None:
        self._client = client
        self._kept = kept
        self._shelf = shelf
        self._late: deque[_Deed] = deque(maxlen=LATE_MAX)
        self._bell = asyncio.Event()

    async def show(self, room_id: str, event_id: str, signs: Sequence[str]) -> None:
        """Let a message have these signs, and no others of ours."""
        known = self._kept.signs.get(event_id, {})
        deeds = [_Deed(room_id, event_id, sign) for sign in signs if sign not in known]
        deeds += [_Deed(room_id, put) for sign, put in known.items() if sign not in signs]
        self._kept.note_signs(event_id, {s: put for s, put in known.items() if s in signs})
        for place, deed in enumerate(deeds):
            if self._late or not await self._is_done(deed):
                self._late.extend(deeds[place:])
                self._bell.set()
                break
        if deeds:
            await self._shelf.save(self._kept)

    async def run(self) -> None:
        """Do what had to wait, until cancelled."""
        while True:
            await self._bell.wait()
            while self._late:
                if await self._is_done(self._late[0]):
                    self._late.popleft()
                    await self._shelf.save(self._kept)
            self._bell.clear()

    async def _is_done(self, deed: _Deed) -> bool:
        """Do it; False when it should be tried again, after the wait that was asked for."""
        try:
            await self._do(deed)
        except AppError as error:
            if not error.retryable or error.retry_after_seconds is None:
                # Somebody forbids signs there, or the message is gone: its choices are typed.
                logger.info("A sign was not put or taken: %s", error.code)
                return True
            if self._late and self._late[0] is deed:
                await asyncio.sleep(error.retry_after_seconds)
            return False
        return True

    async def _do(self, deed: _Deed) -> None:
        if not deed.sign:
            await self._client.redact(deed.room_id, deed.event_id, f"off-{deed.event_id}")
            return
        relation: JsonObject = {
            "rel_type": "m.annotation",
            "event_id": deed.event_id,
            "key": deed.sign,
        }
        put = await self._client.send(
            deed.room_id,
            REACTION,
            {"m.relates_to": relation},
            f"sign-{deed.event_id}-{deed.sign}",
        )
        known = self._kept.signs.get(deed.event_id, {})
        self._kept.note_signs(deed.event_id, {**known, deed.sign: put})
