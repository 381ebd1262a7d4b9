"""This machine's own log and its copy of the hub's, as one: written together, told of together.

A transaction appends what it tells and copies what it heard; after the commit the link is told
that there is more to send, and windows what may have changed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from desktop.core.news import News
from desktop.store import copies, facts, outbox, purging, rebuilt, stamps
from desktop.store.hearing import Hearing
from shared.database import Database
from shared.environment import Environment
from shared.events import Event, OwnEventBody
from shared.messages import Events
from shared.signatures import Sign

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far both logs have come, for a hello."""

    epoch: int
    outbox_seq: int
    hub_epoch: str
    hub_seq: int


class OwnLog:
    """One instance per store."""

    def __init__(
        self,
        database: Database,
        environment: Environment,
        on_growth: Callable[[], None],
        on_news: Callable[[frozenset[News]], None] = lambda _news: None,
        sign: Sign | None = None,
    ) -> None:
        self._sign = sign
        self._database = database
        self._environment = environment
        self._on_growth = on_growth
        self._on_news = on_news
        self._news: set[News] = set()
        """Of the transactions since the last commit; added to on the database thread."""
        self._is_scrub_due = False
        """Whether words were deleted since the last commit."""
        self.outbox_seq = 0
        """The number of the last event that is committed."""
        self.on_purged: Callable[[], None] = lambda: None
        """Told when words were deleted: what lies beside the store is to go as well."""

    async def position(self) -> Position:
        def read(connection: sqlite3.Connection) -> Position:
            hub_epoch, hub_seq = facts.hub_cursor(connection)
            epoch = facts.epoch(connection)
            return Position(
                epoch=epoch,
                outbox_seq=outbox.last_seq(connection, epoch),
                hub_epoch=hub_epoch,
                hub_seq=hub_seq,
            )

        position = await self._database.read(read)
        self.outbox_seq = position.outbox_seq
        return position

    async def events(self, start: int, count_max: int) -> list[Event]:
        return await self._database.read(
            lambda connection: outbox.read(connection, start=start, count_max=count_max)
        )

    async def fork(self, hub_epoch: str, upto: int) -> None:
        """The hub was restored from a backup: go on with its log from a number on."""

        def note(connection: sqlite3.Connection) -> None:
            rebuilt.fork(connection, upto)
            facts.move_hub_cursor(connection, hub_epoch, upto)

        await self.write(note)

    async def continues(self, seq: int, digest: str) -> bool:
        """Say whether our log goes on after that event, the last one that the hub has of it."""
        return await self._database.read(lambda c: outbox.continues(c, seq, digest))

    def append(self, connection: sqlite3.Connection, body: OwnEventBody) -> int:
        """Write an event of this machine, inside its transaction; return its number."""
        event = outbox.append(connection, body, at=self._environment.now(), sign=self._sign)
        self._news |= copies.wrote(connection, event)
        self._obey(connection, event)
        return event.seq

    def copy(self, connection: sqlite3.Connection, hub_epoch: str, events: Events) -> None:
        """Take in what the hub tells, inside the transaction that moves its cursor."""
        if facts.hub_cursor(connection)[0] not in ("", hub_epoch):
            rebuilt.begin_anew(connection)
        own = facts.get(connection, "worker_id")
        hearing = Hearing(connection, events.events)
        for entry in events.events:
            if entry.event.device != own or not outbox.is_unwritten(connection, entry.event):
                self._news |= hearing.hear(entry)
                self._obey(connection, entry.event)
        hearing.write()
        stamps.hear(connection, events)

    def _obey(self, connection: sqlite3.Connection, event: Event) -> None:
        self._is_scrub_due |= purging.obey(connection, event)

    async def write(self, note: Callable[[sqlite3.Connection], T]) -> T:
        """Commit a change that may have written events, then say that the outbox has grown."""

        def noted(connection: sqlite3.Connection) -> tuple[T, int]:
            result = note(connection)
            return result, outbox.last_seq(connection, facts.epoch(connection))

        result, self.outbox_seq = await self._database.write(noted)
        self._on_growth()
        if self._is_scrub_due:
            self._is_scrub_due = False
            self._database.scrub()
            self.on_purged()
        if self._news:
            news, self._news = frozenset(self._news), set()
            self._on_news(news)
        return result
