"""Which ready job goes to which worker, and why one waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.ids import WorkerId


class WaitingReason(StrEnum):
    NO_WORKER = "no_worker"
    """The person has paired none."""
    KIND_MISSING = "kind_missing"
    """None of the person's workers can run the kind."""
    WORKER_OFFLINE = "worker_offline"
    """`worker` must run it (or is the only one that can) and is away since `since`."""
    ALL_OFFLINE = "all_offline"
    """Every worker that can run it is away; `worker` was seen last, at `since`."""
    PAUSED = "paused"
    """Every worker that can run it and is here takes nothing new now."""
    BUSY = "busy"
    """Every worker that can run it and is here has its slots full; `ahead` jobs come first."""
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
    alternatives: tuple[str, ...] = ()
    """Names of workers that are here and could run it if the job were not pinned."""
