"""What happened, for people who look back: everything, or who did what. Changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from hub.core.fact import Fact
from hub.store import chronicle, machines, people
from hub.store.chronicle import About, Stretch, Wanted
from hub.store.ledger import Ledger
from shared.ids import PersonId, WorkerId

PAGE_MAX = 200
DOWNLOAD_PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Events, the newest first, with what is needed to word them."""

    facts: tuple[Fact, ...]
    older: int | None
    """Where to look on; None at the beginning of the log."""
    about: About
    machines: Mapping[WorkerId, str]
    """What computers are called, those that were shown out included."""
    people: Mapping[PersonId, str]


class Chronicle:
    """`person_id` None means the hub's own operator: everybody's."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def activity(
        self,
        person_id: PersonId | None,
        *,
        types: Sequence[str] = (),
        worker_id: WorkerId | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Look:
        """Everything that happened, but for the lines that jobs log.

        A page may be short, or empty, and go on further back: see `hub.store.chronicle`.

        Args:
            person_id: whose.
            types: only these types of events; all when empty.
            worker_id: only what a computer told, and what is about it.
            before: the `older` of the page before; None for the newest.
            limit: 1 to PAGE_MAX.
        """
        wanted = Wanted(person_id=person_id, types=types, worker_id=worker_id, before=before)
        count = max(1, min(limit, PAGE_MAX))
        return await self._ledger.look(
            lambda c: _look(c, chronicle.stretch(c, wanted, count), person_id)
        )

    async def audit(
        self, person_id: PersonId | None, *, before: int | None = None, limit: int = 50
    ) -> Look:
        """Who did what: asked, answered, let in, showed out, made and revoked keys, signed in."""
        wanted = Wanted(person_id=person_id, before=before)
        count = max(1, min(limit, DOWNLOAD_PAGE))
        return await self._ledger.look(
            lambda c: _look(c, chronicle.by_people(c, wanted, count), person_id)
        )

    async def whole_audit(self, person_id: PersonId | None) -> AsyncIterator[Look]:
        """The same from now to the beginning, a stretch at a time."""
        before: int | None = None
        while True:
            look = await self.audit(person_id, before=before, limit=DOWNLOAD_PAGE)
            yield look
            if look.older is None:
                return
            before = look.older


def _look(connection: sqlite3.Connection, found: Stretch, person_id: PersonId | None) -> Look:
    return Look(
        facts=found.facts,
        older=found.older,
        about=chronicle.about(connection, found.facts),
        machines=machines.names(connection, person_id),
        people={person.person_id: person.name for person in people.everyone(connection)},
    )
