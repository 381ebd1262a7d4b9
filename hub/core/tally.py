"""Counts the jobs that wait and run, by person, kind and priority; a change costs two additions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from hub.core.job import Job
from shared.ids import JobId, PersonId
from shared.jobs import Priority


class Counted(NamedTuple):
    """What one job counts as."""

    person_id: PersonId
    kind: str
    rank: int
    """Of its priority."""
    is_running: bool
    """In a worker's hands and not asking; else it waits for one."""


@dataclass(slots=True)
class _Pile:
    """Jobs of one sort: changed in place, for it is at every step of every job."""

    counted: Counted
    count: int = 0


class Tally:
    def __init__(self) -> None:
        self._of: dict[JobId, _Pile] = {}
        self._piles: dict[PersonId, dict[tuple[str, Priority, bool], _Pile]] = {}

    def put(self, job: Job, *, is_running: bool) -> None:
        """Count a job that is not counted yet."""
        piles = self._piles.get(job.person_id)
        if piles is None:
            piles = self._piles[job.person_id] = {}
        sort = (job.kind, job.priority, is_running)
        pile = piles.get(sort)
        if pile is None:
            counted = Counted(job.person_id, job.kind, job.priority.rank, is_running)
            pile = piles[sort] = _Pile(counted)
        pile.count += 1
        self._of[job.job_id] = pile

    def take(self, job_id: JobId) -> None:
        """Count it no longer. Idempotent."""
        pile = self._of.pop(job_id, None)
        if pile is not None:
            pile.count -= 1

    def counts(self, person_id: PersonId | None) -> list[tuple[Counted, int]]:
        """How many there are of each sort; everybody's when None."""
        people = tuple(self._piles) if person_id is None else (person_id,)
        return [
            (pile.counted, pile.count)
            for one in people
            for pile in self._piles.get(one, _NONE).values()
            if pile.count
        ]

    def depth(self, person_id: PersonId) -> tuple[int, ...]:
        """How many of a person's jobs wait, by the rank of their priority."""
        waiting = [0] * len(Priority)
        for counted, number in self.counts(person_id):
            if not counted.is_running:
                waiting[counted.rank] += number
        return tuple(waiting)


_NONE: dict[tuple[str, Priority, bool], _Pile] = {}
