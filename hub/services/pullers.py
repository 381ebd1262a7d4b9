"""Knows the workers that fetch their work over REST: registers them, and notes who waits for some.

Everything else about them (pausing, showing out, silence, what they report) is as of any worker.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from hub.core import job as core
from hub.core.access import Scope
from hub.core.board import Board
from hub.core.worker import Worker
from hub.services import arrivals, locked, offering
from hub.services.minting import Told, mint
from hub.services.requests import fence_stale, job_unknown
from hub.store import keys, people, queue, workers
from hub.store.ledger import Entry, Ledger
from shared.capabilities import Capability
from shared.errors import BadInput, NotFound
from shared.events import WorkerPaired
from shared.ids import JobId, PersonId, WorkerId
from shared.kinds import Kind
from shared.kinds.catalogue import kind_named

SLOTS_MAX = 1000


class Pullers:
    def __init__(self, ledger: Ledger, board: Board, kinds: Mapping[str, Kind]) -> None:
        self._ledger = ledger
        self._board = board
        self._kinds = kinds

    async def register(
        self,
        person_id: PersonId,
        *,
        name: str,
        capabilities: tuple[Capability, ...],
        slots: int,
        app_version: str = "",
    ) -> tuple[Worker, Told]:
        """Make a worker that fetches its work, with a key of its own.

        Args:
            person_id: whose it is.
            name: as people call it; one that is taken gets a number.
            capabilities: kinds that this hub knows.
            slots: how many jobs it may have in hand at once, 1 to SLOTS_MAX.
            app_version: of its program.

        Raises:
            BadInput: `kind_unknown`, `worker_name_invalid`, `worker_slots_invalid`.
            LimitReached: `too_many_workers`.
            NotAllowed: `account_locked`.
            NotFound: `person_unknown`.
        """
        for capability in capabilities:
            kind_named(capability.kind, self._kinds)
        if not capabilities or not 1 <= slots <= SLOTS_MAX:
            raise BadInput(
                "worker_slots_invalid",
                f"A worker runs at least one kind, and 1 to {SLOTS_MAX} jobs at once.",
            )
        environment = self._ledger.environment
        worker_id = WorkerId(environment.new_id())
        cleaned = arrivals.worker_name(name)
        told = mint(environment, person_id, Scope.WORKER, name=cleaned, worker_id=worker_id)

        def run(entry: Entry) -> Worker:
            locked.check_unlocked(entry, person_id)
            person = people.load(entry.connection, person_id)
            if person is None:
                raise NotFound("person_unknown", "This hub does not know that person.")
            arrivals.check_count(entry, person)
            others = workers.of_person(entry.connection, person_id)
            worker = Worker(
                worker_id=worker_id,
                person_id=person_id,
                name=arrivals.free_name(cleaned, {other.name.casefold() for other in others}),
                platform="REST",
                app_version=app_version,
                capabilities=capabilities,
                paired_at=entry.now,
                last_seen_at=entry.now,
                pull_slots=slots,
            )
            workers.insert(entry, worker)
            keys.insert(entry, told.key)
            body = WorkerPaired(worker_id=worker_id, name=worker.name, pulls=True)
            entry.tell(person_id, body, entity=worker_id)
            offering.tell(entry, worker)
            return worker

        return await self._ledger.write(run), told

    async def worker(self, worker_id: WorkerId) -> Worker:
        """Find such a worker.

        Raises:
            NotFound: `worker_unknown`, also when it was shown out.
        """
        worker = await self._ledger.read(lambda c: workers.load(c, worker_id))
        if worker is None or worker.is_revoked or not worker.pulls:
            raise NotFound(
                "worker_unknown", "This hub does not know that worker.", "Register it anew."
            )
        return worker

    def expect(self, worker_id: WorkerId, claims: list[frozenset[str]]) -> None:
        """A worker waits for that many jobs now, each of one of some kinds."""
        presence = self._board.present.get(worker_id)
        if presence is not None and presence.claims is not None:
            presence.claims = claims
            self._board.stir(presence.person_id)

    async def check_held(self, worker_id: WorkerId, job_id: JobId, attempt: int, fence: int) -> str:
        """Make sure that a worker holds exactly this grant; return why it is to stop, or nothing.

        Raises:
            NotFound: `job_unknown`, it never had the job.
            Conflict: `fence_stale`.
        """

        def judge(connection: sqlite3.Connection) -> str:
            job = queue.load(connection, job_id)
            if job is not None and core.is_held_by(job.life, worker_id, attempt, fence):
                return f"Cancelled by {job.life.cancel_by}." if job.life.cancel_by else ""
            known = job is not None and queue.was_granted(
                connection, job_id, worker_id, attempt, fence
            )
            raise fence_stale(job_id) if known else job_unknown()

        return await self._ledger.read(judge)
