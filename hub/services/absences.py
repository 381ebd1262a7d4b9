"""Tells a person when one of their workers is gone for a minute, and when it is back: once each.

Laptops sleep and networks stutter: what is shorter is nobody's business. What was told is in the
store, so that a restart of the hub neither repeats it nor forgets the return.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial

import structlog

from hub.core.board import Board
from hub.core.session import EndReason
from hub.core.worker import Presence
from hub.services import session_steps
from hub.store import losses, queue, workers
from hub.store.ledger import Entry, Ledger
from shared.errors import AppError
from shared.events import WorkerBack, WorkerLost
from shared.ids import WorkerId

log = structlog.get_logger()

LOST_SECONDS = 60.0
"""An absence this long is told; after a start of the hub it counts from there."""
LOOK_SECONDS = 1.0


class Absences:
    def __init__(self, ledger: Ledger, board: Board) -> None:
        self._ledger = ledger
        self._board = board
        self._here: dict[WorkerId, Presence] = {}
        """Who was here at the last look."""
        self._missing: dict[WorkerId, tuple[float, datetime]] = {}
        """Who has been away for less than a minute: when that is over (monotonic), since when."""
        self._told: set[WorkerId] = set()

    async def rebuild(self) -> None:
        """After a start: whoever was here before has a minute to come back."""
        known, self._told = await self._ledger.read(
            lambda c: (workers.of_person(c, None), losses.told(c))
        )
        until = self._ledger.environment.monotonic() + LOST_SECONDS
        for worker in known:
            # One that was paired and never came is not lost.
            if worker.worker_id not in self._told and worker.last_seen_at > worker.paired_at:
                self._missing[worker.worker_id] = (until, worker.last_seen_at)

    async def run(self) -> None:
        """Look once a second."""
        while True:
            try:
                await self.run_once()
            except AppError as error:
                log.warning("absences_untold", code=error.code, error=str(error))
            await asyncio.sleep(LOOK_SECONDS)

    async def run_once(self) -> None:
        """Note who came and went; tell who has been away for long, and who is back."""
        now = self._ledger.environment.monotonic()
        here, before = dict(self._board.present), self._here
        self._here = here
        for worker_id in before.keys() - here.keys():
            # Paused on the machine itself before it went: nobody waits for it.
            if before[worker_id].slots > 0:
                since = before[worker_id].last_seen_at
                self._missing[worker_id] = (now + LOST_SECONDS, since)
        for worker_id in here.keys() & self._missing.keys():
            del self._missing[worker_id]
        for worker_id in here.keys() & self._told:
            await self._ledger.write(partial(_tell_back, worker_id=worker_id))
            self._told.discard(worker_id)
        for worker_id, (until, since) in list(self._missing.items()):
            if until <= now:
                run = partial(self._tell_lost, worker_id=worker_id, since=since)
                if await self._ledger.write(run):
                    self._told.add(worker_id)
                del self._missing[worker_id]

    def _tell_lost(self, entry: Entry, worker_id: WorkerId, since: datetime) -> bool:
        worker = workers.load(entry.connection, worker_id)
        if worker is None or worker.is_revoked or worker.is_paused:
            return False
        if worker_id in self._board.present:
            return False
        if losses.since(entry.connection, worker_id) is None:
            losses.note(entry, worker_id, since)
            lost = WorkerLost(
                worker_id=worker_id,
                name=worker.name,
                since=since,
                was_stopped=worker_id in self._board.stopped,
                jobs=len(queue.held(entry.connection, worker_id)),
            )
            entry.tell(worker.person_id, lost, entity=worker_id)
            # What is in its hands stays with it, and so does the folder that it is done in.
            session_steps.end_of_worker(entry, worker_id, EndReason.WORKER_LOST, is_all=False)
        return True


def _tell_back(entry: Entry, worker_id: WorkerId) -> None:
    worker = workers.load(entry.connection, worker_id)
    since = losses.since(entry.connection, worker_id)
    if worker is None or since is None:
        return
    losses.forget(entry, worker_id)
    back = WorkerBack(worker_id=worker_id, name=worker.name, since=since, until=entry.now)
    entry.tell(worker.person_id, back, entity=worker_id)
