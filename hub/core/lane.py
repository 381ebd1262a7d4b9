"""Ready jobs that any of the same workers may take, in the order they are served.

Three heaps, one for each priority, the oldest on top. Waiting raises a job: every ten minutes it
counts as one priority higher, so that low work is late but never starves.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import NamedTuple

from hub.core.job import Job
from shared.capabilities import Needs
from shared.ids import PersonId, WorkerId
from shared.jobs import Priority

AGEING_SECONDS = 600.0


class LaneKey(NamedTuple):
    """What jobs of one lane have in common."""

    person_id: PersonId
    kind: str
    tools: tuple[str, ...]
    pinned_to: WorkerId | None
    barred: frozenset[WorkerId]
    """Workers that said no: for now, or for good."""
    is_part: bool
    """Steps of plans, which stay on their person's own computers."""


class Place(StrEnum):
    """Where a ready job is kept."""

    LANE = "lane"
    WAITING = "waiting"
    """For its time, after a failure."""
    OFFERED = "offered"
    GONE = "gone"


@dataclass(slots=True, eq=False)
class Ready:
    """A queued job on the board."""

    job: Job
    since: float
    """When it was made, in seconds of the monotonic clock; may be before the clock's start."""
    attempt: int
    place: Place = Place.LANE
    barred: set[WorkerId] = field(default_factory=set)
    """For good."""
    resting: set[WorkerId] = field(default_factory=set)
    """For now."""
    said: str = ""
    """The last reason for a no."""

    @property
    def key(self) -> LaneKey:
        job = self.job
        barred = frozenset(self.barred | self.resting) if self.barred or self.resting else _NONE
        return LaneKey(
            job.person_id, job.kind, job.tools, job.pinned_to, barred, job.part_of is not None
        )

    def rank(self, now: float) -> tuple[int, float]:
        """The order of service: effective priority, then age."""
        raised = int((now - self.since) // AGEING_SECONDS)
        return max(0, self.job.priority.rank - max(0, raised)), self.since


Item = tuple[float, str, int, Ready]
"""Age, name, and a number of its own: a job may stand in a heap twice, once as a leftover."""


class Lane:
    def __init__(self, key: LaneKey, *, is_light: bool = False) -> None:
        """Make it empty. `is_light`: its jobs take no slot."""
        self.key = key
        self.is_light = is_light
        self.needs = Needs(kind=key.kind, tools=key.tools, worker_id=key.pinned_to)
        self._heaps: tuple[list[Item], ...] = tuple([] for _ in Priority)

    def put(self, ready: Ready) -> None:
        heap = self._heaps[ready.job.priority.rank]
        heapq.heappush(heap, (ready.since, ready.job.job_id, next(_numbers), ready))

    def head(self, now: float) -> Ready | None:
        """The job to serve next; None when the lane is empty."""
        heads = self.heads()
        return min(heads, key=lambda ready: ready.rank(now)) if heads else None

    def heads(self) -> list[Ready]:
        """The oldest job of each priority."""
        return [ready for heap in self._heaps if (ready := self._top(heap)) is not None]

    def _top(self, heap: list[Item]) -> Ready | None:
        # Jobs that left or changed lanes stay in the heap until they come up.
        while heap:
            ready = heap[0][3]
            if ready.place is Place.LANE and ready.key == self.key:
                return ready
            heapq.heappop(heap)
        return None


_NONE: frozenset[WorkerId] = frozenset()
_numbers = count()
