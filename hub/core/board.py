"""The board: what is ready, who is here, what is offered. All in memory; a restart rebuilds it.

It follows the store (`update`, after each commit) and decides which job is offered to whom
(`place`). It sends nothing. Times are seconds of a monotonic clock.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count, islice
from typing import NamedTuple

from hub.core.choice import can_run, most_able
from hub.core.job import WORKING_STATES, Job
from hub.core.lane import Lane, LaneKey, Place, Ready
from hub.core.retry import RETRY_AFTER_SECONDS_MAX
from hub.core.room import Rooms
from hub.core.tally import Tally
from hub.core.worker import Presence, Worker, WorkerCard
from shared.ids import JobId, PersonId, SessionId, WorkerId
from shared.jobs import NO_SESSION, JobState, Origin, Priority

OFFER_SECONDS = 30.0
REST_SECONDS = 30.0
"""How long a worker that said "not now" is left alone with a job."""

AHEAD_MAX = 1000
"""Nobody is told a longer queue than this to the last job."""


@dataclass(slots=True, eq=False)
class Placement:
    """A job offered to a worker."""

    ready: Ready
    worker_id: WorkerId
    attempt: int
    expires_at: float
    is_accepted: bool = False
    """The grant is being committed; it cannot run out any more."""
    session_id: SessionId = NO_SESSION
    """The session that the worker was told of: the job's own, or one that the grant opens."""


class No(NamedTuple):
    """A worker's word on a job that it does not take."""

    worker_id: WorkerId
    is_for_now: bool
    reason: str


class Board:
    def __init__(self, light: frozenset[str] = frozenset()) -> None:
        """Know nobody and nothing yet. `light`: kinds that take no slot."""
        self.rooms = Rooms(light)
        self.present: dict[WorkerId, Presence] = {}
        self._present_of: dict[PersonId, dict[WorkerId, Presence]] = {}
        self.gone_until: dict[WorkerId, float] = {}
        """Workers with grants that are away: when their idempotent work goes elsewhere."""
        self.stopped: set[WorkerId] = set()
        """Workers that said goodbye when they went: their person, or their machine, ended them."""
        self._ready: dict[JobId, Ready] = {}
        self._ready_of: dict[PersonId, dict[JobId, Ready]] = {}
        self.tally = Tally()
        self._lanes: dict[PersonId, dict[LaneKey, Lane]] = {}
        self._offers: dict[JobId, Placement] = {}
        self._running_out: deque[Placement] = deque()
        self._waits: list[tuple[float, int, Ready]] = []
        self._numbers = count()
        self._rests: deque[tuple[float, Ready, WorkerId]] = deque()
        self._given_back: dict[JobId, No] = {}
        """Grants that are being taken back, as their workers said no to them."""
        self._holders: dict[JobId, WorkerId] = {}
        self._with_light: set[PersonId] = set()
        """People in whose lanes there may be jobs that take no slot."""
        self._stirred: set[PersonId] = set()
        """People for whom something changed since the last `place`."""

    # Following the store.

    def update(
        self,
        job: Job,
        now: float,
        wall: datetime,
        wait_seconds_max: float = RETRY_AFTER_SECONDS_MAX,
    ) -> None:
        """Take over a job as it was committed; it waits so long at most, whatever `wall` says."""
        self._forget(job)
        self.tally.take(job.job_id)
        life = job.life
        if life.is_held:
            assert life.worker_id is not None
            self._holders[job.job_id] = life.worker_id
            if job.is_kept_part:
                return  # its worker sees to it: it takes no slot, and waits for nobody
            self.rooms.hold(life.worker_id, job)
            if life.state in WORKING_STATES:
                self.tally.put(job, is_running=True)
        elif life.state is JobState.QUEUED:
            self._admit(job, now, wall, wait_seconds_max)
            self.tally.put(job, is_running=False)
        self._stirred.add(job.person_id)

    def _forget(self, job: Job) -> None:
        job_id = job.job_id
        if (ready := self._ready.pop(job_id, None)) is not None:
            ready.place = Place.GONE
            del self._ready_of[job.person_id][job_id]
            self._drop_offer(job_id)
        if self._holders.pop(job_id, None) is not None:
            self.rooms.let_go(job_id)

    def _admit(self, job: Job, now: float, wall: datetime, wait_seconds_max: float) -> None:
        age_seconds = max(0.0, (wall - job.created_at).total_seconds())
        ready = Ready(job, now - age_seconds, job.life.attempt)
        self._ready[job.job_id] = ready
        self._ready_of.setdefault(job.person_id, {})[job.job_id] = ready
        if (no := self._given_back.pop(job.job_id, None)) is not None:
            self._note_no(ready, no, now)
        not_before = job.life.not_before
        if not_before is not None and not_before > wall:
            ready.place = Place.WAITING
            # A wall clock that was set back must not keep a job waiting for days.
            wait_seconds = min((not_before - wall).total_seconds(), wait_seconds_max)
            due = now + wait_seconds
            heapq.heappush(self._waits, (due, next(self._numbers), ready))
        else:
            self._enter(ready)

    def _enter(self, ready: Ready) -> None:
        ready.place = Place.LANE
        key = ready.key
        lanes = self._lanes.setdefault(key.person_id, {})
        lane = lanes.get(key)
        if lane is None:
            lane = lanes[key] = Lane(key, is_light=self.rooms.is_light(key.kind))
        if lane.is_light:
            self._with_light.add(key.person_id)
        lane.put(ready)
        self._stirred.add(key.person_id)

    # Workers.

    def arrive(self, presence: Presence) -> None:
        """A worker is here, or tells anew what it can."""
        self.present[presence.worker_id] = presence
        self._present_of.setdefault(presence.person_id, {})[presence.worker_id] = presence
        self.gone_until.pop(presence.worker_id, None)
        self.stopped.discard(presence.worker_id)
        self._stirred.add(presence.person_id)

    def depart(self, worker_id: WorkerId, gone_until: float) -> None:
        """A worker went: offers to it come back, grants stay with it until `gone_until`."""
        presence = self.present.pop(worker_id, None)
        if presence is not None:
            del self._present_of[presence.person_id][worker_id]
        self.gone_until[worker_id] = gone_until
        for placement in [p for p in self._offers.values() if p.worker_id == worker_id]:
            if not placement.is_accepted:
                self._return(placement)

    def stir(self, person_id: PersonId) -> None:
        """Something about a person's workers changed (slots, a pause)."""
        self._stirred.add(person_id)

    # Offers.

    def place(self, now: float) -> list[Placement]:
        """Offer what can be offered; the caller sends the offers."""
        self._wake(now)
        placements = []
        for person_id in self._stirred:
            while (pair := self._best_pair(person_id, now)) is not None:
                placements.append(self._offer(*pair, now))
        self._stirred.clear()
        return placements

    def accept(self, worker_id: WorkerId, job_id: JobId, attempt: int) -> Placement | None:
        """Note that an offer was accepted; None when it is not (or no longer) this worker's."""
        placement = self._offers.get(job_id)
        if placement is None or placement.is_accepted:
            return None
        if (placement.worker_id, placement.attempt) != (worker_id, attempt):
            return None
        placement.is_accepted = True
        self.present[worker_id].asks_first = False
        return placement

    def is_unasked(self, placement: Placement, origin: Origin) -> bool:
        """Say whether an offer need not be made: its worker has said yes ahead."""
        presence = self.present.get(placement.worker_id)
        kind = placement.ready.job.kind
        return presence is not None and presence.takes_unasked(kind, origin)

    def take_back(self, placement: Placement) -> None:
        """Make an offer void that came to nothing; the job is ready again."""
        if self._offers.get(placement.ready.job.job_id) is placement:
            self._return(placement)

    def decline(
        self,
        worker_id: WorkerId,
        job_id: JobId,
        attempt: int,
        *,
        is_for_now: bool,
        reason: str,
        now: float,
    ) -> Ready | None:
        """Note a no; None when the offer was not (or no longer) this worker's."""
        placement = self._offers.get(job_id)
        if placement is None or (placement.worker_id, placement.attempt) != (worker_id, attempt):
            return None
        ready = placement.ready
        self._note_no(ready, No(worker_id, is_for_now, reason), now)
        self._return(placement)
        return ready

    def note_given_back(self, job_id: JobId, no: No) -> None:
        """A worker will not begin what it was granted unasked, and is asked first from now on.

        Once the job is ready again, it is not for that worker.
        """
        self.ask_first(no.worker_id)
        self._given_back[job_id] = no

    def ask_first(self, worker_id: WorkerId) -> None:
        """Grant a worker nothing unasked until it has said yes to an offer, or comes anew."""
        if (presence := self.present.get(worker_id)) is not None:
            presence.asks_first = True

    def forget_given_back(self, job_id: JobId) -> None:
        """The job was taken back, or had moved on. Idempotent."""
        self._given_back.pop(job_id, None)

    def _note_no(self, ready: Ready, no: No, now: float) -> None:
        ready.said = no.reason
        if no.is_for_now:
            ready.resting.add(no.worker_id)
            self._rests.append((now + REST_SECONDS, ready, no.worker_id))
        else:
            ready.barred.add(no.worker_id)

    def next_due(self) -> float | None:
        """When `place` has something to do even if nothing happens; None: never."""
        while self._running_out and not self._is_running_out(self._running_out[0]):
            self._running_out.popleft()
        times = []
        if self._running_out:
            times.append(self._running_out[0].expires_at)
        if self._waits:
            times.append(self._waits[0][0])
        if self._rests:
            times.append(self._rests[0][0])
        return min(times, default=None)

    def _wake(self, now: float) -> None:
        while self._running_out and self._running_out[0].expires_at <= now:
            placement = self._running_out.popleft()
            if self._is_running_out(placement):
                self._return(placement)
        while self._waits and self._waits[0][0] <= now:
            _, _, ready = heapq.heappop(self._waits)
            if ready.place is Place.WAITING:
                self._enter(ready)
        while self._rests and self._rests[0][0] <= now:
            _, ready, worker_id = self._rests.popleft()
            ready.resting.discard(worker_id)
            if ready.place is Place.LANE:
                self._enter(ready)

    def _is_running_out(self, placement: Placement) -> bool:
        is_open = self._offers.get(placement.ready.job.job_id) is placement
        return is_open and not placement.is_accepted

    def _best_pair(self, person_id: PersonId, now: float) -> tuple[Ready, WorkerId] | None:
        lanes = self._lanes.get(person_id)
        if not lanes:
            return None
        free = self.rooms.free(self.workers_of(person_id))
        free_light = self._free_light(person_id) if person_id in self._with_light else []
        best: tuple[Ready, WorkerId] | None = None
        for lane in list(lanes.values()) if free or free_light else ():
            those = free_light if lane.is_light else free
            if not those:
                continue
            head = lane.head(now)
            if head is None:
                del lanes[lane.key]
                continue
            if best is not None and best[0].rank(now) <= head.rank(now):
                continue
            if (worker_id := most_able(lane, those, self.rooms)) is not None:
                best = head, worker_id
        return best

    def _free_light(self, person_id: PersonId) -> list[tuple[int, Presence]]:
        """A person's workers that could take a job that takes no slot, if one is there."""
        if not any(lane.is_light for lane in self._lanes[person_id].values()):
            self._with_light.discard(person_id)
            return []
        return self.rooms.free(self.workers_of(person_id), is_light=True)

    def _offer(self, ready: Ready, worker_id: WorkerId, now: float) -> Placement:
        ready.place = Place.OFFERED
        claims = self.present[worker_id].claims
        if claims is not None:
            # One offer for each fetch; whoever fetches asks again when nothing comes of it.
            claims.remove(next(kinds for kinds in claims if ready.job.kind in kinds))
        placement = Placement(ready, worker_id, ready.attempt, now + OFFER_SECONDS)
        self._offers[ready.job.job_id] = placement
        self._running_out.append(placement)
        self.rooms.reserve(worker_id, ready.job.kind)
        return placement

    def _drop_offer(self, job_id: JobId) -> Placement | None:
        placement = self._offers.pop(job_id, None)
        if placement is not None:
            self.rooms.reserve(placement.worker_id, placement.ready.job.kind, -1)
        return placement

    def _return(self, placement: Placement) -> None:
        ready = placement.ready
        self._drop_offer(ready.job.job_id)
        # The number grows, so that a late accept of this offer is refused by it.
        ready.attempt += 1
        self._enter(ready)

    # Looking.

    def card_of(self, worker: Worker) -> WorkerCard:
        """A worker as registered, with how it is now."""
        presence = self.present.get(worker.worker_id)
        seen = presence.last_seen_at if presence else worker.last_seen_at
        return WorkerCard(
            worker=replace(worker, last_seen_at=seen),
            is_online=presence is not None,
            slots=presence.slots if presence else 0,
            working=self.rooms.working(worker.worker_id),
            asking=self.rooms.asking(worker.worker_id),
            light=self.rooms.light(worker.worker_id),
            metrics=presence.metrics if presence else None,
        )

    def workers_of(self, person_id: PersonId) -> Iterable[Presence]:
        """A person's workers that are here; not to be kept while the board changes."""
        return self._present_of.get(person_id, _NOBODY).values()

    def ready_of(self, job_id: JobId) -> Ready | None:
        return self._ready.get(job_id)

    @property
    def granted(self) -> int:
        """How many jobs are in workers' hands."""
        return len(self._holders)

    def offers(self) -> Iterator[Placement]:
        """Offers that are open; not to be kept while the board changes."""
        return iter(self._offers.values())

    def ready_count(self, person_id: PersonId) -> int:
        """How many of a person's jobs wait; readable from any thread."""
        return len(self._ready_of.get(person_id, ()))

    def longest_waits(self, person_id: PersonId | None, now: float) -> tuple[float, ...]:
        """How long the oldest job waits, in seconds, by the rank of its priority; 0 for none."""
        people = tuple(self._lanes) if person_id is None else (person_id,)
        heads = [
            ready
            for one in people
            for lane in self._lanes.get(one, _NO_LANES).values()
            for ready in lane.heads()
        ]
        others = [p.ready for p in self._offers.values()]
        # After a failure: few, and made long before they are due.
        others += [ready for _, _, ready in self._waits if ready.place is Place.WAITING]
        waits = [0.0] * len(Priority)
        for ready in (*heads, *(r for r in others if person_id in (None, r.job.person_id))):
            rank = ready.job.priority.rank
            waits[rank] = max(waits[rank], now - ready.since)
        return tuple(waits)

    def people_waiting(self) -> tuple[PersonId, ...]:
        """Whose jobs wait now."""
        return tuple(person_id for person_id, ready in self._ready_of.items() if ready)

    def waiting_of(self, person_id: PersonId) -> Iterator[Ready]:
        """A person's jobs that wait, as they came; not to be kept while the board changes."""
        return iter(self._ready_of.get(person_id, {}).values())

    def offer_of(self, job_id: JobId) -> Placement | None:
        return self._offers.get(job_id)

    def has_worker_for(self, ready: Ready) -> bool:
        """Say whether somebody who takes it is here: it starts at once, or when a slot is free."""
        lane = Lane(ready.key)
        here = self._present_of.get(ready.job.person_id, _NOBODY).values()
        return ready.place in (Place.OFFERED, Place.LANE) and any(
            not p.is_paused and p.slots > 0 and can_run(p, lane) for p in here
        )

    def is_holder(self, worker_id: WorkerId, job_id: JobId) -> bool:
        """Say whether a worker has the job's grant, or is being given it now."""
        offered = self._offers.get(job_id)
        if offered is not None and offered.is_accepted and offered.worker_id == worker_id:
            return True
        return self._holders.get(job_id) == worker_id

    def ahead_of(self, ready: Ready, now: float) -> int:
        """How many ready jobs of the same person are served before this one, up to AHEAD_MAX."""
        mine, is_light = ready.rank(now), self.rooms.is_light(ready.job.kind)
        others = self._ready_of.get(ready.job.person_id, {}).values()
        ahead = (
            other
            for other in others
            if other is not ready
            and other.rank(now) < mine
            and self.rooms.is_light(other.job.kind) == is_light
        )
        return sum(1 for _ in islice(ahead, AHEAD_MAX))

    def contents(self) -> tuple[object, ...]:
        """What a rebuilt board must equal: ready jobs, holders; offers count as ready."""
        ready = {job_id: r.job for job_id, r in self._ready.items()}
        return ready, dict(self._holders)


_NOBODY: dict[WorkerId, Presence] = {}
_NO_LANES: dict[LaneKey, Lane] = {}
