"""What people see of their computers: how each is, what it has in hand, what it could need."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from hub.core.board import Board
from hub.core.condition import Condition, condition_of
from hub.core.job import JobCard
from hub.core.worker import Worker, WorkerCard
from hub.store import machines, people, workers
from hub.store.ledger import Ledger
from shared.capabilities import Lacking
from shared.errors import NotFound
from shared.ids import PersonId, WorkerId

LAST_JOBS_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A computer, as its person looks at it."""

    card: WorkerCard
    condition: Condition
    is_mistrusted: bool
    """Its person was warned today: its reports do not carry its signature."""
    jobs: tuple[JobCard, ...]
    """In its hands now, the oldest first."""
    lacking: tuple[Lacking, ...]
    """Kinds it could run with more tools."""
    owner: str
    """Whose it is."""


class Machines:
    """Reads. `person_id` None means everybody's."""

    def __init__(self, ledger: Ledger, board: Board) -> None:
        self._ledger = ledger
        self._board = board

    async def all(self, person_id: PersonId | None) -> tuple[Machine, ...]:
        """Paired computers that were not shown out, by name."""

        def read(connection: sqlite3.Connection) -> tuple[Machine, ...]:
            return self._machines(connection, workers.of_person(connection, person_id))

        return await self._ledger.look(read)

    async def one(self, person_id: PersonId | None, worker_id: WorkerId) -> Machine:
        """One of them.

        Raises:
            NotFound: `worker_unknown`; also for another person's, and for one that was shown out.
        """

        def read(connection: sqlite3.Connection) -> Machine:
            worker = workers.load(connection, worker_id)
            is_theirs = worker is not None and person_id in (None, worker.person_id)
            if worker is None or worker.is_revoked or not is_theirs:
                raise unknown_machine()
            [machine] = self._machines(connection, [worker])
            return machine

        return await self._ledger.look(read)

    async def last_jobs(self, machine: Machine) -> tuple[JobCard, ...]:
        """What a computer worked on last, the newest first."""
        worker = machine.card.worker
        return tuple(
            await self._ledger.look(
                lambda c: machines.last_jobs(c, worker.person_id, worker.worker_id, LAST_JOBS_MAX)
            )
        )

    async def names(self, person_id: PersonId | None) -> Mapping[WorkerId, str]:
        """What computers are called, those that were shown out included."""
        return await self._ledger.look(lambda c: machines.names(c, person_id))

    def _machines(
        self, connection: sqlite3.Connection, registered: list[Worker]
    ) -> tuple[Machine, ...]:
        ids = [worker.worker_id for worker in registered]
        held = machines.held_jobs(connection, ids)
        lacking = machines.lacking(connection, ids)
        mistrusted = machines.mistrusted(connection, ids, self._ledger.environment.now())
        owners = {person.person_id: person.name for person in people.everyone(connection)}
        made = []
        for worker in registered:
            card = self._board.card_of(worker)
            is_mistrusted = worker.worker_id in mistrusted
            made.append(
                Machine(
                    card=card,
                    condition=condition_of(card, is_mistrusted=is_mistrusted),
                    is_mistrusted=is_mistrusted,
                    jobs=tuple(held[worker.worker_id]),
                    lacking=lacking.get(worker.worker_id, ()),
                    owner=owners.get(worker.person_id, ""),
                )
            )
        return tuple(made)


def unknown_machine() -> NotFound:
    return NotFound(
        "worker_unknown", "There is no such computer.", "The page of your computers lists them."
    )
