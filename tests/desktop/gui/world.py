"""A desk for windows to stand on in tests: a real store of events, and paper for deeds."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import shiboken6

from desktop.core.link import LinkState, LinkStatus
from desktop.core.news import News
from desktop.desk.desk import Desk
from desktop.gui.bridge import Bridge
from desktop.store import copies, facts, outbox
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from desktop.system.paths import find_paths
from shared.database import Database
from shared.events import EventBody, OwnEventBody, RequestEventBody, write_event
from shared.ids import WorkerId
from shared.messages import Numbered
from tests.fresh_stores import lay_worker_store

HERE = WorkerId("01900000-0000-7000-8000-00000000aaaa")
ELSEWHERE = WorkerId("01900000-0000-7000-8000-00000000bbbb")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PAIRING = Pairing(
    hub_url="http://127.0.0.1:8765",
    worker_id=HERE,
    worker_name="anna-pc",
    hub_name="Anna's hub",
    person_name="Anna",
)


class PaperDesk(Desk):
    """A desk whose deeds are written on paper instead of being told to a hub."""

    def __init__(self, home: Path, database: Database) -> None:
        super().__init__(find_paths(home), database)
        self.said: list[RequestEventBody] = []
        self.pairing = PAIRING
        self.link = LinkStatus(state=LinkState.ONLINE)
        self._seq = 0

    async def _say(self, body: RequestEventBody) -> None:
        self.said.append(body)
        await self.writes(body)

    async def writes(self, *bodies: OwnEventBody, minutes: float = 0) -> None:
        """Write events of this machine that no hub has got: into its log, and into the copy."""
        at = NOON + timedelta(minutes=minutes)

        def note(connection: sqlite3.Connection) -> frozenset[News]:
            events = [outbox.append(connection, body, at=at) for body in bodies]
            return frozenset().union(*(copies.apply(connection, event) for event in events))

        self.ring(*await self.database.write(note))

    async def happens(self, *bodies: EventBody, device: str = "hub", minutes: float = 0) -> None:
        """Let events come in: into the copy, and the bell rings."""
        at = NOON + timedelta(minutes=minutes)
        # The hub tells what this machine wrote before; what it writes now has numbers of its own.
        epoch = 0 if device == HERE else 1
        news = await self.database.write(
            lambda connection: frozenset().union(
                *(
                    copies.hear(
                        connection,
                        Numbered(
                            hub_seq=(number := self._next()),
                            event=write_event(
                                body, device=_writer(body, device), epoch=epoch, seq=number, at=at
                            ),
                        ),
                    )
                    for body in bodies
                )
            )
        )
        self.ring(*news)

    def _next(self) -> int:
        self._seq += 1
        return self._seq


@contextlib.asynccontextmanager
async def open_desk(home: Path) -> AsyncIterator[tuple[PaperDesk, Bridge]]:
    """Open a paired desk in a folder, with a bridge to it; on a Qt loop (`on_qt_loop`)."""
    paths = find_paths(home)
    paths.make()
    lay_worker_store(paths.store)
    with open_store(paths.store) as database:
        await database.write(lambda connection: facts.save_pairing(connection, PAIRING))
        desk = PaperDesk(home, database)
        bridge: Bridge | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                bridge = Bridge(desk, tasks)
                yield desk, bridge
        finally:
            desk.close()
            # Left to the garbage collector it might end in a reader's thread, timers and all.
            if bridge is not None:
                shiboken6.delete(bridge)


def _writer(body: EventBody, device: str) -> str:
    """What only machines write comes from one, as it does from a real hub."""
    return HERE if device == "hub" and isinstance(body, OwnEventBody) else device
