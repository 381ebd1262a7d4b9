"""Knows people and their workers: who speaks, which machines they have, which are here."""

from __future__ import annotations

from hub.core.access import Person
from hub.core.view import Sender
from shared.ids import PersonId, WorkerId
from shared.messages import Beat, Hello, Verdict


class Registry:
    # People.
    async def person_of(self, sender: Sender) -> Person | None:
        """The person behind an account of a frontend; None when the hub does not know it."""
        raise NotImplementedError

    async def person(self, person_id: PersonId) -> Person:
        """Raises: NotFound: `person_unknown`."""
        raise NotImplementedError

    async def people(self) -> tuple[Person, ...]:
        raise NotImplementedError

    async def add_person(self, name: str) -> Person:
        raise NotImplementedError

    async def link(self, person_id: PersonId, sender: Sender) -> None:
        """Let an account speak for a person. Idempotent.

        Raises:
            Conflict: `identity_taken`, it speaks for somebody else.
        """
        raise NotImplementedError

    # Workers, by people.
    async def pause(self, person_id: PersonId, worker_id: WorkerId, *, is_paused: bool) -> None:
        """Send a worker nothing new, or do so again. Idempotent.

        Raises:
            NotFound: `worker_unknown`.
        """
        raise NotImplementedError

    async def revoke(self, person_id: PersonId, worker_id: WorkerId) -> None:
        """Show a worker out: its token is dead, its connection ends, its jobs go elsewhere or ask.

        Raises:
            NotFound: `worker_unknown`.
        """
        raise NotImplementedError

    # Workers, by themselves.
    async def hello(self, hello: Hello) -> tuple[int, tuple[Verdict, ...]]:
        """Take a worker in: reconcile its inventory; return its acked seq and the verdicts."""
        raise NotImplementedError

    def beat(self, worker_id: WorkerId, beat: Beat) -> None:
        """Note that a worker is here, and how it is."""
        raise NotImplementedError

    def goodbye(self, worker_id: WorkerId, *, was_silent: bool) -> None:
        """Note that a worker's connection has ended."""
        raise NotImplementedError
