"""Keeps what every conversation still has to be shown, and which message shows what.

The outbox of the frontends is its only writer; decisions about wording and pace are made there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from hub.core.delivery import NewDelivery, Waiting
from hub.core.view import Inbound, View
from hub.store import deliveries as store
from shared.database import Database
from shared.environment import Environment
from shared.ids import ConversationId, PersonId
from shared.times import to_ms


class Deliveries:
    """The durable side of showing things to people."""

    def __init__(self, database: Database, environment: Environment) -> None:
        self._database = database
        self._environment = environment
        self.listeners: list[Callable[[Waiting, int], None]] = []
        """Told of each message that was shown, and when (milliseconds since the Unix epoch)."""

    @property
    def _now_ms(self) -> int:
        return to_ms(self._environment.now())

    async def cursor(self) -> int:
        """The hub_seq up to which events have been worded."""
        return await self._database.read(store.cursor)

    async def put(self, views: Sequence[tuple[ConversationId, View, float]], upto: int) -> None:
        """Write messages and move the cursor over the events they tell, in one transaction.

        Args:
            views: where, what, and how many seconds from now at the earliest.
            upto: the hub_seq of the last event dealt with.
        """
        now_ms = self._now_ms
        new = [NewDelivery(where, view, now_ms + round(wait * 1000)) for where, view, wait in views]
        await self._database.write(lambda connection: store.put(connection, new, upto))

    async def waiting_conversations(self) -> tuple[ConversationId, ...]:
        return await self._database.read(store.waiting_conversations)

    async def next_waiting(self, conversation: ConversationId) -> tuple[Waiting, float] | None:
        """The next message of a conversation, and in how many seconds it is due (at least 0)."""
        now_ms = self._now_ms
        waiting = await self._database.read(lambda c: store.next_waiting(c, conversation, now_ms))
        if waiting is None:
            return None
        return waiting, max(0.0, (waiting.due_ms - self._now_ms) / 1000)

    async def sent(self, message: Waiting, ref: str) -> None:
        now_ms = self._now_ms
        await self._database.write(lambda connection: store.sent(connection, message, ref, now_ms))
        for listener in self.listeners:
            listener(message, now_ms)

    async def postponed(self, message: Waiting, wait_seconds: float) -> None:
        """Try again later; its whole conversation rests until then."""
        until_ms = self._now_ms + round(wait_seconds * 1000)
        await self._database.write(lambda c: store.postponed(c, message, until_ms))

    async def rest(self, conversation: ConversationId, seconds: float) -> None:
        """Leave a conversation alone for a while, also if the hub starts again meanwhile."""
        until_ms = self._now_ms + round(seconds * 1000)
        await self._database.write(lambda c: store.rest(c, conversation, until_ms))

    async def rest_of(self, conversation: ConversationId) -> float:
        """Seconds for which a conversation must still be left alone."""
        until_ms = await self._database.read(lambda c: store.resting_until(c, conversation))
        return max(0.0, (until_ms - self._now_ms) / 1000)

    async def given_up(self, message: Waiting) -> None:
        """Drop a message that can never be shown."""
        await self._database.write(lambda connection: store.remove(connection, message.row))

    async def hurried(self, conversation: ConversationId) -> None:
        """Somebody is there again: try at once what was postponed."""
        await self._database.write(lambda c: store.hurried(c, conversation))

    async def shown_ref(self, conversation: ConversationId, subject: str) -> str | None:
        """The message that shows a subject now; None when none does."""
        return await self._database.read(lambda c: store.shown_ref(c, conversation, subject))

    async def forget_shown(self, conversation: ConversationId, subject: str) -> None:
        """No message shows this subject any more."""
        await self._database.write(lambda c: store.forget_shown(c, conversation, subject))

    async def subject_at(self, conversation: ConversationId, ref: str) -> str | None:
        """What a message shows, or showed last; None when it is unknown or too old."""
        return await self._database.read(lambda c: store.subject_at(c, conversation, ref))

    async def subjects_shown(self, conversation: ConversationId, prefix: str) -> frozenset[str]:
        """The subjects of a sort that a conversation shows, settled ones included."""
        return await self._database.read(lambda c: store.subjects_shown(c, conversation, prefix))

    async def note_shown(self, conversation: ConversationId, subject: str, ref: str) -> None:
        now_ms = self._now_ms
        await self._database.write(
            lambda c: store.note_shown(c, conversation, subject, ref, now_ms)
        )

    async def conversations_showing(self, subject: str) -> tuple[ConversationId, ...]:
        return await self._database.read(lambda c: store.conversations_showing(c, subject))

    async def said(self, conversation: ConversationId, person_id: PersonId) -> None:
        """Remember that a person speaks in a conversation."""
        now_ms = self._now_ms
        await self._database.write(lambda c: store.said(c, conversation, person_id, now_ms))

    async def conversations_of(self, person_id: PersonId) -> tuple[ConversationId, ...]:
        """A person's conversations, the one spoken in last first."""
        return await self._database.read(lambda c: store.conversations_of(c, person_id))

    async def was_heard(self, inbound: Inbound) -> bool:
        """Whether an update has been dealt with before."""
        frontend, dedupe = inbound.sender.frontend, inbound.dedupe
        return await self._database.read(lambda c: store.was_heard(c, frontend, dedupe))

    async def note_heard(self, inbound: Inbound, answers: Sequence[View] = ()) -> None:
        """Note an update as dealt with, and write down the answers to it, in one transaction.

        Of an update that was noted before, nothing is written.
        """
        frontend, dedupe = inbound.sender.frontend, inbound.dedupe
        now_ms = self._now_ms
        new = [NewDelivery(inbound.conversation, view, now_ms) for view in answers]

        def run(connection: sqlite3.Connection) -> None:
            if store.note_heard(connection, frontend, dedupe):
                store.add(connection, new)

        await self._database.write(run)
