"""The bell: wakes whoever reads the hub's log, and passes transient progress on.

It carries no facts of its own. A reader keeps its place (a hub_seq) and reads on from there, so
that a missed ring costs time and nothing else.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable

from hub.core.fact import Fact
from hub.ports import NewsListener, ProgressListener
from hub.store import events
from hub.store.ledger import Entry, Ledger
from shared.events import TaskPurged
from shared.ids import JobId, PersonId, WorkerId
from shared.messages import Progress

TASK_PURGED: str = TaskPurged.model_fields["type"].default
RECENT_MAX = 4096
"""Facts kept in memory, so that readers who keep up never touch the store."""
SCAN_MAX = 512
"""A reader of one person's facts who is further behind asks the store's index instead."""


class Feed:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.progress_listeners: list[ProgressListener] = []
        self.news_listeners: list[NewsListener] = []
        self._recent: deque[Fact] = deque(maxlen=RECENT_MAX)
        self._waiting: dict[PersonId | None, list[asyncio.Future[None]]] = {}
        self._last_of: dict[PersonId, int] = {}
        self._headway: dict[JobId, tuple[WorkerId, Progress]] = {}
        ledger.listeners.append(self._ring)

    def position(self) -> int:
        """The hub_seq of the last committed fact; 0 in an empty log."""
        return self._ledger.position

    async def after(
        self, hub_seq: int, limit: int, person_id: PersonId | None = None
    ) -> list[Fact]:
        """Read on: the committed facts after a place, in hub order.

        Args:
            hub_seq: the place.
            limit: how many at most.
            person_id: only those that concern this person; everybody's when None.
        """
        recent = self._recent_after(hub_seq, person_id)
        if recent is None:
            if person_id is None:
                return await self._ledger.read(lambda c: events.after(c, hub_seq, limit))
            return await self._ledger.read(
                lambda c: events.of_person_after(c, person_id, hub_seq, limit)
            )
        mine = (f for f in recent if person_id is None or f.person_id == person_id)
        return [fact for fact, _ in zip(mine, range(limit), strict=False)]

    async def wait(self, after: int, person_id: PersonId | None = None) -> None:
        """Return once the log has grown beyond a place; wakes for nothing now and then.

        Unbounded: the caller may be cancelled. With `person_id`, growth that concerns others
        does not wake.
        """
        last = self._last_of.get(person_id, 0) if person_id else self.position()
        if last > after:
            return
        bell = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(person_id, [])
        waiting.append(bell)
        try:
            await bell
        finally:
            if bell in waiting:
                waiting.remove(bell)

    def tell_progress(self, job_id: JobId, worker_id: WorkerId, progress: Progress) -> None:
        """Pass on how far an attempt is; the last word of each job is kept while it runs."""
        self._headway[job_id] = (worker_id, progress)
        for listener in self.progress_listeners:
            listener(job_id, worker_id, progress)

    def tell_news(self, person_id: PersonId, topic: str) -> None:
        """Ring a person's open pages about what no event tells; it is kept nowhere."""
        for listener in self.news_listeners:
            listener(person_id, topic)

    def progress_of(self, job_id: JobId) -> Progress | None:
        """How far a job that runs was last said to be; None when nothing was said."""
        told = self._headway.get(job_id)
        return told[1] if told else None

    def headways(self) -> Iterable[tuple[JobId, WorkerId, Progress]]:
        """How far each job that runs was last said to be, and by whom."""
        return [(job_id, *told) for job_id, told in self._headway.items()]

    def _recent_after(self, hub_seq: int, person_id: PersonId | None) -> Iterable[Fact] | None:
        """The facts in memory after a place; None when memory does not reach back to it."""
        if hub_seq >= self.position():
            return ()
        if not self._recent or self._recent[0].hub_seq > hub_seq + 1:
            return None
        start = bisect_right(self._recent, hub_seq, key=lambda fact: fact.hub_seq)
        if person_id is not None and len(self._recent) - start > SCAN_MAX:
            return None
        return (self._recent[i] for i in range(start, len(self._recent)))

    def _ring(self, entry: Entry) -> None:
        if self._headway:
            for job in entry.jobs:
                if not job.life.is_held:
                    self._headway.pop(job.job_id, None)
        if not entry.facts:
            return
        if any(fact.type == TASK_PURGED for fact in entry.facts):
            # What was deleted must not be told from memory either.
            self._recent.clear()
        self._recent.extend(entry.facts)
        for person_id in {fact.person_id for fact in entry.facts}:
            self._last_of[person_id] = entry.hub_seq
            self._wake(person_id)
        self._wake(None)

    def _wake(self, person_id: PersonId | None) -> None:
        for bell in self._waiting.pop(person_id, ()):
            if not bell.done():
                bell.set_result(None)
