"""Probe runs for those who look at them. All of it is read: what runs do, they do as jobs."""

from __future__ import annotations

import sqlite3

from hub.core import run as core
from hub.core.job import JobCard
from hub.core.run import Probe, ProbeShelf, RunCard, RunCounts
from hub.services.feed import Feed
from hub.store import jobs, runs, workers
from hub.store.ledger import Ledger
from shared.errors import NotFound
from shared.ids import JobId, PersonId

PAGE_MAX = 100
FRESH_SECONDS = 2.0
"""How old counts of a run that goes on may be: 10,000 probes are counted in 50 ms."""


class Runs:
    """`person_id` None means the hub's own operator: everybody's."""

    def __init__(self, ledger: Ledger, feed: Feed) -> None:
        self._ledger = ledger
        self._feed = feed
        self._counted: dict[JobId, tuple[float, RunCounts]] = {}
        """Of runs that go on, and when; written by the reading thread alone."""

    async def page(
        self, person_id: PersonId | None, *, limit: int = 50, before: JobId | None = None
    ) -> tuple[RunCard, ...]:
        """A page of runs, the newest first; `limit` is 1 to PAGE_MAX."""
        count = max(1, min(limit, PAGE_MAX))

        def read(connection: sqlite3.Connection) -> list[RunCard]:
            cards = runs.page(connection, person_id, count, before)
            return [self._read(connection, card) for card in cards]

        return tuple(await self._ledger.look(read))

    async def get(self, person_id: PersonId | None, run: JobId) -> RunCard:
        """One run.

        Raises:
            NotFound: `run_unknown`; also for another person's.
        """

        def read(connection: sqlite3.Connection) -> RunCard | None:
            card = jobs.card(connection, run)
            if card is None or card.kind != core.RUN or not _may_see(person_id, card):
                return None
            return self._read(connection, card)

        found = await self._ledger.look(read)
        if found is None:
            raise _unknown()
        return found

    async def probes(
        self, run: RunCard, shelf: ProbeShelf = "all", *, limit: int, before: JobId | None = None
    ) -> tuple[Probe, ...]:
        """A page of a run's probes, the newest first."""
        run_id, count = run.card.job_id, max(1, min(limit, PAGE_MAX + 1))
        cards = await self._ledger.look(lambda c: runs.probes(c, run_id, shelf, count, before))
        return tuple(core.probe_of(card) for card in cards)

    async def probe(self, run: RunCard, index: int) -> Probe | None:
        """One probe by its number, as it was asked last; None when this hub knows none."""
        card = await self._ledger.look(lambda c: runs.probe(c, run.card.job_id, index))
        return core.probe_of(card) if card else None

    async def statistics(self, run: RunCard) -> JobCard | None:
        """The job that makes, or has made, the statistics of a run."""
        task_id, name = run.card.job.task_id, run_id_of(run.card)
        return await self._ledger.look(lambda c: runs.statistics(c, task_id, name))

    async def transcript(self, run: RunCard, index: int) -> JobCard | None:
        """The job that fetches, or has fetched, what was said in a probe."""
        task_id, name = run.card.job.task_id, run_id_of(run.card)
        return await self._ledger.look(lambda c: runs.transcript(c, task_id, name, index))

    def _read(self, connection: sqlite3.Connection, card: JobCard) -> RunCard:
        output = core.output_of(card)
        told = self._feed.progress_of(card.job_id)
        worker = workers.load(connection, card.worker_id) if card.worker_id else None
        total = round(told.total) if told is not None and told.total > 0 else None
        return RunCard(
            card=card,
            worker=worker.name if worker else "",
            counts=core.final_counts(output) if output else self._count(connection, card),
            total=output.total if output else total,
        )

    def _count(self, connection: sqlite3.Connection, card: JobCard) -> RunCounts:
        """Count a run's probes, not more often than anybody could read."""
        now = self._ledger.environment.monotonic()
        known = self._counted.get(card.job_id)
        if known is not None and now - known[0] < FRESH_SECONDS:
            return known[1]
        counts = runs.counts(connection, card.job_id)
        old = [job_id for job_id, (at, _) in self._counted.items() if now - at >= FRESH_SECONDS]
        for job_id in old:
            del self._counted[job_id]
        self._counted[card.job_id] = now, counts
        return counts


def run_id_of(card: JobCard) -> str:
    """Name a run as its machine does: a run that goes on with another keeps that one's name."""
    output = core.output_of(card)
    again = card.inputs.get("again")
    if output is not None:
        return output.run
    return again if isinstance(again, str) and again else card.job_id


def _may_see(person_id: PersonId | None, card: JobCard) -> bool:
    return person_id in (None, card.job.person_id)


def _unknown() -> NotFound:
    return NotFound(
        "run_unknown", "There is no such run.", "The page of runs lists those there are."
    )
