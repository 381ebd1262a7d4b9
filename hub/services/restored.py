"""After the hub was restored from a backup: what nobody holds may have run since.

A worker that holds a grant tells so itself, in its inventory or its log, and a job it began is
taken over from its word (`hub.services.adoption`). Of the others those that may not run twice ask
their person before anybody runs them.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from hub.core.job import Job
from hub.services import endings
from hub.store import queue, workers
from hub.store.ledger import Entry, Ledger, forget_restored, restored_from
from shared.kinds import Kind
from shared.times import utc_words

log = structlog.get_logger()

HUB_RESTORED = "hub_restored"


class Restored:
    def __init__(self, ledger: Ledger, kinds: Mapping[str, Kind]) -> None:
        self._ledger = ledger
        self._kinds = kinds

    async def settle(self) -> None:
        """Ask about what may have run, once, before any worker is let in."""
        asked = await self._ledger.write(self._settle)
        if asked is not None:
            log.warning("hub_restored", jobs_asked_about=asked)

    def _settle(self, entry: Entry) -> int | None:
        made_at = restored_from(entry.connection)
        if made_at is None:
            return None
        reason = (
            f"The hub was restored from a backup of {utc_words(made_at)}; this may have run since."
        )
        unheld = [*queue.unheld(entry.connection), *_of_fleet(entry)]
        jobs = [job for job in unheld if not self._may_repeat(job)]
        for job in jobs:
            endings.ask_about(
                entry, job, self._ledger.environment, reason=reason, code=HUB_RESTORED
            )
        forget_restored(entry)
        return len(jobs)

    def _may_repeat(self, job: Job) -> bool:
        kind = self._kinds.get(job.kind)
        return kind is not None and kind.may_repeat


def _of_fleet(entry: Entry) -> list[Job]:
    """What the fleet had in hand then: its nodes keep no log that could tell what came of it."""
    return [
        job
        for worker in workers.fleets(entry.connection)
        for job in queue.held(entry.connection, worker.worker_id)
    ]
