"""The bell: wakes whoever reads the hub's log, and passes transient progress on.

It carries no facts of its own. A reader keeps its place (a hub_seq) and reads on from there, so
that a missed ring costs time and nothing else.
"""

from __future__ import annotations

from hub.core.fact import Fact
from hub.ports import ProgressListener
from hub.store.ledger import Ledger
from shared.ids import JobId, WorkerId
from shared.messages import Progress


class Feed:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.progress_listeners: list[ProgressListener] = []

    def position(self) -> int:
        """The hub_seq of the last committed fact; 0 in an empty log."""
        raise NotImplementedError

    async def after(self, hub_seq: int, limit: int) -> list[Fact]:
        """Read on: the committed facts after a place, in hub order, of every person."""
        raise NotImplementedError

    async def wait(self, after: int) -> None:
        """Return once the log has grown beyond a place. Unbounded: the caller may be cancelled."""
        raise NotImplementedError

    def tell_progress(self, job_id: JobId, worker_id: WorkerId, progress: Progress) -> None:
        """Pass on how far an attempt is; it is kept nowhere."""
        for listener in self.progress_listeners:
            listener(job_id, worker_id, progress)
