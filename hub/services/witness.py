"""Looks whether a worker's reports carry its signature, and warns its person when they do not.

A token alone is not enough to speak for a machine that signs: the key never leaves it.
"""

from __future__ import annotations

from hub.store import signers
from hub.store.ledger import Entry
from shared.errors import NotAllowed
from shared.events import Event, WorkerMistrusted
from shared.ids import PersonId, WorkerId
from shared.signatures import Mark, look


class Witness:
    """Of one stretch of one worker's log, inside the transaction that takes it in."""

    def __init__(self, entry: Entry, worker_id: WorkerId, person_id: PersonId) -> None:
        self._entry = entry
        self._worker_id = worker_id
        self._person_id = person_id
        signer = signers.load(entry.beside, worker_id)
        self._name, self._key, self._since = signer.name, signer.public_key, signer.since

    def check(self, event: Event) -> None:
        """Take an event that its worker wrote.

        Raises:
            NotAllowed: `event_unsigned`, `event_forged`; its person is warned.
        """
        mark = look(event, self._key, self._since)
        if event.signature and event.at.tzinfo is None:
            mark = Mark.WRONG  # it would be kept with a zone, and then the signature fits no more
        if mark is Mark.GOOD and self._since is None:
            self._since = signers.note_first(self._entry, self._worker_id, event)
        if not mark.is_trusted:
            error = unsigned(event) if mark is Mark.MISSING else forged(event)
            self._warn(error.code)
            raise error

    def _warn(self, code: str) -> None:
        if signers.may_warn(self._entry, self._worker_id):
            body = WorkerMistrusted(worker_id=self._worker_id, name=self._name, code=code)
            self._entry.tell(self._person_id, body, entity=self._worker_id)


def unsigned(event: Event) -> NotAllowed:
    return NotAllowed(
        "event_unsigned",
        f"Event {event.seq} carries no signature, and this machine signs what it reports.",
        "Its key is lost, or an older program runs there: pair it again.",
    )


def forged(event: Event) -> NotAllowed:
    return NotAllowed(
        "event_forged",
        f"Event {event.seq} does not carry this machine's signature.",
        "Somebody else may use its token: show the machine out, and pair it again.",
    )
