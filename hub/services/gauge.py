"""Measures queues and computers: what waits and why, and how the last hour was.

It follows what is committed and looks at the board every few seconds; nothing of it is stored.
"""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import datetime
from itertools import islice

from hub.core.backlog import LOOKED_AT_MAX, Backlog, Piles
from hub.core.board import Board
from hub.core.depths import Depths, depths_of
from hub.core.job import Job
from hub.core.meter import SAMPLE_SECONDS, Hour, Load, Loads, Meter
from hub.store import said
from hub.store.ledger import Entry, Ledger
from shared.histogram import Histogram
from shared.ids import JobId, PersonId, WorkerId
from shared.jobs import JobState

WAIT_SECONDS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0)
"""Bounds of the buckets in which waits are counted."""


class Gauge:
    """Reads. `person_id` None means everybody's."""

    def __init__(self, ledger: Ledger, board: Board) -> None:
        self._ledger = ledger
        self._board = board
        self._meters: dict[PersonId | None, Meter] = {}
        self._loads: dict[WorkerId, Loads] = {}
        self._ready_at: dict[JobId, datetime] = {}
        """Since when each waiting job could have started; not of those that waited at the start."""
        self.wait_seconds = Histogram(WAIT_SECONDS)
        """How long jobs waited that were given to a worker, of all people."""
        ledger.listeners.append(self._follow)

    async def run(self) -> None:
        """Look at the board every SAMPLE_SECONDS."""
        while True:
            self.run_once()
            await asyncio.sleep(SAMPLE_SECONDS)

    def run_once(self) -> None:
        """Note how deep each queue is, and how busy each computer."""
        now = self._ledger.environment.monotonic()
        for waiting in self._board.people_waiting():
            self._meter(waiting)
        total: tuple[int, ...] = ()
        for person_id, meter in list(self._meters.items()):
            if person_id is not None:
                depth = self._board.tally.depth(person_id)
                meter.sample(now, depth)
                total = tuple(map(sum, zip(total, depth, strict=True))) if total else depth
                if meter.is_forgotten(now):
                    del self._meters[person_id]
        self._meter(None).sample(now, total)
        self._note_loads(now)

    def hour(self, person_id: PersonId | None) -> Hour:
        """How a queue was in the last hour."""
        meter = self._meters.get(person_id) or Meter()
        return meter.hour(self._ledger.environment.monotonic())

    def loads(self, worker_id: WorkerId) -> tuple[Load, ...]:
        """How busy a computer was in the last hour, the oldest first; empty while it is away."""
        return tuple(self._loads.get(worker_id, ()))

    def depths(self) -> Depths:
        """How deep all queues are now, and how much room there is; from memory alone."""
        return depths_of(self._board, self._ledger.environment.monotonic())

    async def backlog(self, person_id: PersonId | None) -> Backlog:
        """What waits now, in groups with their reasons."""
        people = self._board.people_waiting() if person_id is None else (person_id,)

        def read(connection: sqlite3.Connection) -> dict[PersonId, said.Candidates]:
            return {one: said.candidates(connection, one) for one in people}

        candidates = await self._ledger.look(read)
        environment = self._ledger.environment
        piles = Piles()
        for one, (registered, lacking) in candidates.items():
            piles.take(
                islice(self._board.waiting_of(one), LOOKED_AT_MAX),
                self._board,
                registered,
                now=environment.monotonic(),
                wall=environment.now(),
                lacking=lacking,
            )
        return piles.backlog()

    def _note_loads(self, now: float) -> None:
        present = self._board.present
        for worker_id in self._loads.keys() - present.keys():
            del self._loads[worker_id]
        for worker_id, presence in present.items():
            if (metrics := presence.metrics) is not None:
                total = metrics.memory_total_bytes
                share = metrics.memory_used_bytes / total if total else 0.0
                kept = self._loads.get(worker_id)
                if kept is None:
                    kept = self._loads[worker_id] = Loads()
                kept.append(Load(now, metrics.cpu_share, share))

    def _follow(self, entry: Entry) -> None:
        for job in entry.jobs:
            match job.life.state:
                case JobState.QUEUED:
                    self._ready_at[job.job_id] = max(entry.now, job.life.not_before or entry.now)
                case JobState.GRANTED:
                    self._note_start(job, entry.now)
                case _:
                    self._ready_at.pop(job.job_id, None)

    def _note_start(self, job: Job, at: datetime) -> None:
        now = self._ledger.environment.monotonic()
        ready_at = self._ready_at.pop(job.job_id, job.created_at)
        waited_seconds = (at - ready_at).total_seconds()
        self.wait_seconds.note(max(0.0, waited_seconds))
        for person_id in (job.person_id, None):
            self._meter(person_id).note_start(now, waited_seconds)

    def _meter(self, person_id: PersonId | None) -> Meter:
        # Asked for at every start of a job: none is made for nothing.
        meter = self._meters.get(person_id)
        if meter is None:
            meter = self._meters[person_id] = Meter()
        return meter
