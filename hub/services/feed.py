"""The bell: wakes whoever reads the hub's log, and passes transient progress on.

It carries no facts of its own. A reader keeps its place (a hub_seq) and reads on from there, so
that a missed ring costs time and nothing else.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from hub.core.fact import Fact
from hub.ports import NewsListener, ProgressListener
from hub.store import events
from hub.store.ledger import Entry, Ledger
from shared.events import (
    JobGranted,
    JobQueued,
    JobStarted,
    JobSucceeded,
    SessionOpened,
    TaskChanged,
    TaskCreated,
    TaskPurged,
)
from shared.ids import JobId, PersonId, WorkerId
from shared.messages import Progress

TASK_PURGED: str = TaskPurged.model_fields["type"].default
GATHER_SECONDS = 0.03
"""How long a reader that keeps a record waits for more, when what came is for the record alone."""
FOR_THE_RECORD: frozenset[str] = frozenset(
    body.model_fields["type"].default
    for body in (
        JobGranted,
        JobQueued,
        JobStarted,
        JobSucceeded,
        SessionOpened,
        TaskChanged,
        TaskCreated,
    )
)
"""Types of facts that nobody's work waits for: offers and grants have frames of their own."""
RECENT_MAX = 4096
"""Facts kept in memory, so that readers who keep up never touch the store."""


class Feed:
    def __init__(
        self,
        ledger: Ledger,
        *,
        recent_max: int = RECENT_MAX,
        gather_seconds: float = GATHER_SECONDS,
    ) -> None:
        self._ledger = ledger
        self._gather_seconds = gather_seconds
        self._recent_max = recent_max
        self.progress_listeners: list[ProgressListener] = []
        self.news_listeners: list[NewsListener] = []
        self._recent = _Recent()
        self._recent_of: dict[PersonId, _Recent] = {}
        """The same facts by person: a worker that is woken looks at its own, not at everybody's."""
        self._began = ledger.position
        """Memory holds nothing of before this place."""
        self._waiting: dict[PersonId | None, list[asyncio.Future[None]]] = {}
        self._gathering: dict[PersonId, _Gathering] = {}
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
        return list(islice(recent, limit))

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

    def gather(self, after: int, person_id: PersonId, bell: Callable[[], None]) -> bool:
        """Have a bell rung once the log has grown beyond a place by what concerns a person.

        GATHER_SECONDS later, when it is only for the record. All of a person's bells are rung
        together, and each once: their readers need the same. A bell must not wait, and whoever
        gives it up says so with `leave`. False: the log has grown already, nothing will be rung.
        """
        if self._last_of.get(person_id, 0) > after:
            return False
        bells = self._gathering.setdefault(person_id, _Gathering()).bells
        if bell not in bells:
            bells.append(bell)
        return True

    def leave(self, person_id: PersonId, bell: Callable[[], None]) -> None:
        """Have a bell rung no more; idempotent."""
        gathering = self._gathering.get(person_id)
        if gathering is not None and bell in gathering.bells:
            gathering.bells.remove(bell)
            if not gathering.bells:
                self._end_gathering(person_id)

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
        if hub_seq < self._began:
            return None
        recent = self._recent if person_id is None else self._recent_of.get(person_id)
        if recent is None:
            return ()
        return recent.after(hub_seq)

    def _ring(self, entry: Entry) -> None:
        if self._headway:
            for job in entry.jobs:
                if not job.life.is_held:
                    self._headway.pop(job.job_id, None)
        if not entry.facts:
            return
        if any(fact.type == TASK_PURGED for fact in entry.facts):
            # What was deleted must not be told from memory either.
            self._forget(entry.facts[0].hub_seq - 1)
        is_urgent: dict[PersonId, bool] = {}
        for fact in entry.facts:
            self._keep(fact)
            if fact.type not in FOR_THE_RECORD:
                is_urgent[fact.person_id] = True
            else:
                is_urgent.setdefault(fact.person_id, False)
        for person_id, cannot_wait in is_urgent.items():
            self._last_of[person_id] = entry.hub_seq
            self._wake(person_id)
            self._gather(person_id, cannot_wait=cannot_wait)
        self._wake(None)

    def _gather(self, person_id: PersonId, *, cannot_wait: bool) -> None:
        gathering = self._gathering.get(person_id)
        if gathering is None:
            return
        if cannot_wait:
            self._end_gathering(person_id)
        elif gathering.timer is None:
            loop = asyncio.get_running_loop()
            gathering.timer = loop.call_later(self._gather_seconds, self._end_gathering, person_id)

    def _end_gathering(self, person_id: PersonId) -> None:
        gathering = self._gathering.pop(person_id, None)
        if gathering is None:
            return
        if gathering.timer is not None:
            gathering.timer.cancel()
        for ring in gathering.bells:
            ring()

    def _keep(self, fact: Fact) -> None:
        """Remember a fact, and forget the oldest of all when there are too many."""
        self._recent.facts.append(fact)
        recent = self._recent_of.get(fact.person_id)
        if recent is None:
            recent = self._recent_of[fact.person_id] = _Recent()
        recent.facts.append(fact)
        if len(self._recent.facts) > self._recent_max:
            oldest = self._recent.drop()
            self._recent_of[oldest.person_id].drop()

    def _forget(self, upto: int) -> None:
        self._recent, self._recent_of, self._began = _Recent(), {}, upto

    def _wake(self, person_id: PersonId | None) -> None:
        for bell in self._waiting.pop(person_id, ()):
            if not bell.done():
                bell.set_result(None)


class _Gathering:
    """Readers of a person's facts that wait, and what ends their wait once something came."""

    __slots__ = ("bells", "timer")

    def __init__(self) -> None:
        self.bells: list[Callable[[], None]] = []
        self.timer: asyncio.TimerHandle | None = None


class _Recent:
    """Facts in memory, in order, and up to where older ones were let go."""

    __slots__ = ("dropped_upto", "facts")

    def __init__(self) -> None:
        self.facts: deque[Fact] = deque()
        self.dropped_upto = 0

    def drop(self) -> Fact:
        """Let the oldest go."""
        fact = self.facts.popleft()
        self.dropped_upto = fact.hub_seq
        return fact

    def after(self, hub_seq: int) -> Iterator[Fact] | None:
        """The facts after a place; None when one of them was let go."""
        if hub_seq < self.dropped_upto:
            return None
        start = bisect_right(self.facts, hub_seq, key=lambda fact: fact.hub_seq)
        # By number: a deque finds what is near either end at once.
        return (self.facts[i] for i in range(start, len(self.facts)))
