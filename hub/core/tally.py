"""Counts the jobs that wait and run, by person, kind and priority; a change costs two additions."""

from __future__ import annotations

from collections import Counter
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


class Tally:
    def __init__(self) -> None:
        self._of: dict[JobId, Counted] = {}
        self._counts: dict[PersonId, Counter[Counted]] = {}

    def put(self, job: Job, *, is_running: bool) -> None:
        """Count a job that is not counted yet."""
        counted = Counted(job.person_id, job.kind, job.priority.rank, is_running)
        self._of[job.job_id] = counted
        counts = self._counts.get(job.person_id)
        if counts is None:
            counts = self._counts[job.person_id] = Counter()
        counts[counted] += 1

    def take(self, job_id: JobId) -> None:
        """Count it no longer. Idempotent."""
        counted = self._of.pop(job_id, None)
        if counted is None:
            return
        counts = self._counts[counted.person_id]
        counts[counted] -= 1
        if not counts[counted]:
            del counts[counted]

    def counts(self, person_id: PersonId | None) -> list[tuple[Counted, int]]:
        """How many there are of each sort; everybody's when None."""
        chosen = (
            list(self._counts.values())
            if person_id is None
            else [self._counts.get(person_id, Counter())]
        )
        return [pair for counts in chosen for pair in counts.items()]

    def depth(self, person_id: PersonId) -> tuple[int, ...]:
        """How many of a person's jobs wait, by the rank of their priority."""
        waiting = [0] * len(Priority)
        for counted, number in self._counts.get(person_id, Counter()).items():
            if not counted.is_running:
                waiting[counted.rank] += number
        return tuple(waiting)
