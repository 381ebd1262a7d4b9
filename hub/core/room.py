"""How much each worker could take now: slots for most jobs, a number for those that take none."""

from __future__ import annotations

from collections.abc import Iterable

from hub.core.job import WORKING_STATES, Job
from hub.core.worker import Presence
from shared.capabilities import family_of
from shared.ids import JobId, WorkerId
from shared.jobs import LIGHT_MAX

SLOTS_MAX = 1000
"""More than any worker has."""


class Rooms:
    """Follows what workers hold and are being offered; whoever asks is told from memory."""

    def __init__(self, light: frozenset[str]) -> None:
        """Know of nothing yet. `light`: kinds that take no slot."""
        self._light = light
        self._held: dict[JobId, set[JobId]] = {}
        """Which of the sets below a job is in."""
        self._working: dict[WorkerId, set[JobId]] = {}
        self._light_working: dict[WorkerId, set[JobId]] = {}
        self._asking: dict[WorkerId, set[JobId]] = {}
        self._family: dict[JobId, str] = {}
        """Of the jobs that take a slot now."""
        self._reserved: dict[WorkerId, int] = {}
        self._family_reserved: dict[tuple[WorkerId, str], int] = {}
        self._light_reserved: dict[WorkerId, int] = {}

    def is_light(self, kind: str) -> bool:
        """Whether jobs of a kind take no slot."""
        return kind in self._light

    def hold(self, worker_id: WorkerId, job: Job) -> None:
        """A worker has a job in hand that stood nowhere here."""
        if job.life.state not in WORKING_STATES:
            those = self._asking
        elif job.kind in self._light:
            those = self._light_working
        else:
            those = self._working
            self._family[job.job_id] = family_of(job.kind)
        held = self._held[job.job_id] = those.setdefault(worker_id, set())
        held.add(job.job_id)

    def let_go(self, job_id: JobId) -> None:
        """A job is in nobody's hand any more. Idempotent."""
        self._family.pop(job_id, None)
        if (held := self._held.pop(job_id, None)) is not None:
            held.discard(job_id)

    def reserve(self, worker_id: WorkerId, kind: str, count: int = 1) -> None:
        """A worker is being offered a job; -1 when the offer is over."""
        reserved = self._light_reserved if kind in self._light else self._reserved
        reserved[worker_id] = reserved.get(worker_id, 0) + count
        key = worker_id, family_of(kind)
        self._family_reserved[key] = self._family_reserved.get(key, 0) + count

    def room(self, presence: Presence) -> int:
        """Slots that could take a job now; attempts that ask take none."""
        if presence.is_paused:
            return 0
        worker_id = presence.worker_id
        taken = len(self._working.get(worker_id, ())) + self._reserved.get(worker_id, 0)
        if presence.claims is not None or presence.is_fleet:
            # It counts what it has in hand, whatever that takes.
            taken += self._light_taken(worker_id)
        return presence.slots - taken

    def light_room(self, presence: Presence) -> int:
        """How many jobs that take no slot a worker could take now, its slots full or not."""
        if presence.claims is not None or presence.is_fleet:
            return self.room(presence)
        if presence.is_paused or presence.slots < 1:  # 0 is how a machine says it is paused
            return 0
        return LIGHT_MAX - self._light_taken(presence.worker_id)

    def free(
        self, workers: Iterable[Presence], *, is_light: bool = False
    ) -> list[tuple[int, Presence]]:
        """Who of them has room, and how much: slots, or places for jobs that take none."""
        room_of = self.light_room if is_light else self.room
        return [(room, presence) for presence in workers if (room := room_of(presence)) > 0]

    def room_for(self, presence: Presence, kind: str) -> int:
        """How many jobs of a kind a worker could take now."""
        if kind in self._light:
            return self.light_room(presence)
        return min(self.room(presence), self._family_room(presence, kind))

    def is_full_of(self, presence: Presence, kind: str) -> bool:
        """Whether a worker has as many jobs like this one as it runs at once, slots or not."""
        if not presence.limits or kind in self._light:
            return False
        return self._family_room(presence, kind) < 1

    def _family_room(self, presence: Presence, kind: str) -> int:
        family, worker_id = family_of(kind), presence.worker_id
        limit = presence.limits.get(family)
        if limit is None:
            return SLOTS_MAX
        working = self._working.get(worker_id, ())
        taken = sum(self._family[job_id] == family for job_id in working)
        return limit - taken - self._family_reserved.get((worker_id, family), 0)

    def working(self, worker_id: WorkerId) -> int:
        """Jobs in a worker's hands that take a slot now."""
        return len(self._working.get(worker_id, ()))

    def light(self, worker_id: WorkerId) -> int:
        """Jobs that it works on and that take none."""
        return len(self._light_working.get(worker_id, ()))

    def asking(self, worker_id: WorkerId) -> int:
        """Jobs there that wait for a person."""
        return len(self._asking.get(worker_id, ()))

    def _light_taken(self, worker_id: WorkerId) -> int:
        taken = len(self._light_working.get(worker_id, ()))
        return taken + self._light_reserved.get(worker_id, 0)
