"""People that were read, remembered until something of them changes: a request costs no read.

Written on the database thread alone, where reads and changes are in order, so that nobody is told
of a person as they were before a change that is done. What changes one has them forgotten
(`hub.store.people`).
"""

from __future__ import annotations

from hub.core.access import Person
from shared.database import Database
from shared.ids import PersonId

KNOWN_MAX = 10_000


class KnownPeople:
    def __init__(self, database: Database) -> None:
        self._known: dict[PersonId, Person] = {}
        # What shared a commit that failed may have been read and is not true.
        database.rollback_listeners.append(self._known.clear)

    def get(self, person_id: PersonId) -> Person | None:
        """Return a person who is remembered; on any thread."""
        return self._known.get(person_id)

    def note(self, person: Person) -> None:
        """Remember a person as they were just read."""
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        self._known[person.person_id] = person

    def forget(self, person_id: PersonId) -> None:
        """Read a person anew next time: in the transaction that changes them."""
        self._known.pop(person_id, None)
