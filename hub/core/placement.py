"""Why a job does not run yet, as facts for one sentence. Who gets which job: `hub.core.board`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from hub.core.board import Board
from hub.core.fleet_rules import may_leave
from hub.core.job import Job
from hub.core.lane import Place, Ready
from hub.core.worker import Worker
from shared.capabilities import Lacking, Needs, fits, lacks
from shared.ids import WorkerId


class WaitingReason(StrEnum):
    NO_WORKER = "no_worker"
    """The person has paired none; or none but the fleet, and it is not for that."""
    KIND_MISSING = "kind_missing"
    """None of the person's workers can run the kind."""
    TOOLS_MISSING = "tools_missing"
    """None of the workers that can run the kind has `missing`; `worker` comes nearest."""
    WORKER_OFFLINE = "worker_offline"
    """`worker` must run it (or is the only one that can) and is away since `since`."""
    ALL_OFFLINE = "all_offline"
    """Every worker that can run it is away; `worker` was seen last, at `since`."""
    PAUSED = "paused"
    """Every worker that can run it and is here takes nothing new now."""
    BUSY = "busy"
    """Every worker that can run it and is here is full; `ahead` jobs come first."""
    DECLINED = "declined"
    """Those that could run it said no; `detail` is the last reason."""
    RETRY_WAIT = "retry_wait"
    """It failed and is tried again at `until`."""
    STARTING = "starting"
    """Offered to `worker`, or about to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Facts for the sentence that tells a person why a job does not run yet."""

    reason: WaitingReason
    kind: str
    worker_id: WorkerId | None = None
    worker: str = ""
    """A worker's name."""
    since: datetime | None = None
    until: datetime | None = None
    ahead: int = 0
    detail: str = ""
    is_light: bool = False
    """With BUSY: it takes no slot, and they have as many of its like as they take."""
    lacking: Lacking | None = None
    """With KIND_MISSING: what `worker` would need."""
    missing: tuple[str, ...] = ()
    """With TOOLS_MISSING: the tools or specializations that `worker` does not have."""
    had: tuple[str, ...] = ()
    """With TOOLS_MISSING: those that it has."""
    is_fleet: bool = False
    """With WORKER_OFFLINE: `worker` stands for the fleet, whose broker is away."""
    alternatives: tuple[str, ...] = ()
    """Names of workers that are here and could run it if the job were not pinned."""


def why(
    ready: Ready | None,
    job: Job,
    board: Board,
    registered: Sequence[Worker],
    *,
    now: float,
    wall: datetime,
    lacking: Mapping[WorkerId, Sequence[Lacking]] = MappingProxyType({}),
    counts_ahead: bool = True,
) -> Waiting | None:
    """Say why a job does not run; None when it is not waiting.

    Args:
        ready: its place on the board, None when it is not there.
        job: as stored.
        board: who is here and what else waits.
        registered: its person's workers, revoked ones left out.
        now: monotonic seconds.
        wall: the wall clock.
        lacking: what each of them said it has no tools for.
        counts_ahead: whether to count the jobs before it, which takes a look at each that waits.
    """
    if ready is None:
        return None
    offered = board.offer_of(job.job_id)
    if offered is not None:
        name = next((w.name for w in registered if w.worker_id == offered.worker_id), "")
        return Waiting(
            reason=WaitingReason.STARTING,
            kind=job.kind,
            worker_id=offered.worker_id,
            worker=name,
        )
    if ready.place is Place.WAITING and job.life.not_before is not None:
        return Waiting(
            reason=WaitingReason.RETRY_WAIT, kind=job.kind, until=max(wall, job.life.not_before)
        )
    if not registered or _only_others(job, registered):
        return Waiting(reason=WaitingReason.NO_WORKER, kind=job.kind)
    waiting = _with_remedy(_among(ready, job, board, registered), registered, lacking)
    if counts_ahead and waiting.reason is WaitingReason.BUSY:
        return replace(waiting, ahead=board.ahead_of(ready, now))
    return waiting


def _only_others(job: Job, registered: Sequence[Worker]) -> bool:
    """Whether there is but the fleet, and the job is not for it: a computer is what is missing."""
    return job.pinned_to is None and all(
        worker.is_fleet
        and not (may_leave(job) and any(able.kind == job.kind for able in worker.capabilities))
        for worker in registered
    )


def _with_remedy(
    waiting: Waiting,
    registered: Sequence[Worker],
    lacking: Mapping[WorkerId, Sequence[Lacking]],
) -> Waiting:
    """Name the machine that could be made able, the one seen last, and how."""
    if waiting.reason is not WaitingReason.KIND_MISSING:
        return waiting
    for worker in sorted(registered, key=lambda w: w.last_seen_at, reverse=True):
        if waiting.worker_id in (None, worker.worker_id):
            for lack in lacking.get(worker.worker_id, ()):
                if lack.kind == waiting.kind:
                    return replace(
                        waiting, worker_id=worker.worker_id, worker=worker.name, lacking=lack
                    )
    return waiting


def _among(ready: Ready, job: Job, board: Board, registered: Sequence[Worker]) -> Waiting:
    needs = Needs(kind=job.kind, tools=job.tools, worker_id=job.pinned_to)
    unpinned = needs.model_copy(update={"worker_id": None})
    if not may_leave(job):
        registered = [w for w in registered if not w.is_fleet]
    able = [w for w in registered if fits(w.worker_id, w.capabilities, needs)]
    others = tuple(
        w.name
        for w in registered
        if w not in able
        and w.worker_id in board.present
        and fits(w.worker_id, w.capabilities, unpinned)
    )
    if not able and (nearest := _nearest(job, board, registered)) is not None:
        return replace(nearest, alternatives=others)
    if not able:
        pinned = next((w for w in registered if w.worker_id == job.pinned_to), None)
        return Waiting(
            reason=WaitingReason.KIND_MISSING,
            kind=job.kind,
            worker_id=job.pinned_to,
            worker=pinned.name if pinned else "",
            alternatives=others,
        )
    willing = [w for w in able if w.worker_id not in ready.key.barred]
    if not willing:
        return Waiting(
            reason=WaitingReason.DECLINED,
            kind=job.kind,
            worker_id=able[0].worker_id,
            worker=able[0].name,
            detail=ready.said,
            alternatives=others,
        )
    return _here_or_not(job, board, willing, others)


def _nearest(job: Job, board: Board, registered: Sequence[Worker]) -> Waiting | None:
    """Say what the worker lacks that lacks least; None when none can run the kind at all."""
    found = [
        (lacks(capability, job.tools), worker, capability)
        for worker in registered
        if job.pinned_to in (None, worker.worker_id)
        for capability in worker.capabilities
        if capability.kind == job.kind
    ]
    if not found:
        return None
    missing, worker, capability = min(
        found,
        key=lambda one: (
            len(one[0]),
            one[1].worker_id not in board.present,
            -one[1].last_seen_at.timestamp(),
        ),
    )
    return Waiting(
        reason=WaitingReason.TOOLS_MISSING,
        kind=job.kind,
        worker_id=worker.worker_id,
        worker=worker.name,
        missing=missing,
        had=(*capability.tools, *capability.specializations),
    )


def _here_or_not(job: Job, board: Board, willing: list[Worker], others: tuple[str, ...]) -> Waiting:
    here = [board.present[w.worker_id] for w in willing if w.worker_id in board.present]
    if not here:
        last = max(willing, key=lambda w: w.last_seen_at)
        is_only_one = len(willing) == 1
        return Waiting(
            reason=WaitingReason.WORKER_OFFLINE if is_only_one else WaitingReason.ALL_OFFLINE,
            kind=job.kind,
            worker_id=last.worker_id,
            worker=last.name,
            since=last.last_seen_at,
            is_fleet=is_only_one and last.is_fleet,
            alternatives=others,
        )
    first = max(here, key=lambda p: board.rooms.room_for(p, job.kind))
    awake = [p for p in here if not p.is_paused and p.slots > 0]
    if any(board.rooms.room_for(p, job.kind) > 0 for p in awake):
        reason = WaitingReason.STARTING
    else:
        reason = WaitingReason.BUSY if awake else WaitingReason.PAUSED
    return Waiting(
        reason=reason,
        kind=job.kind,
        worker_id=first.worker_id,
        worker=first.name,
        is_light=board.rooms.is_light(job.kind),
        alternatives=others,
    )
