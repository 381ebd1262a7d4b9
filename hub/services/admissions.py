"""What people decide about who comes in: computers and chat accounts, and their way out again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from hub.core.access import Person
from hub.core.joining import (
    ACCOUNT_LIFE,
    ACCOUNTS_WAITING_MAX,
    KNOCK_WAIT,
    JoinRequest,
    decide,
    join_unknown,
    printable,
)
from hub.core.joining import NAME_CHARS_MAX as JOIN_NAME_CHARS_MAX
from hub.core.view import Sender
from hub.services import arrivals, locked
from hub.store import deliveries, joins, people
from hub.store.ledger import Entry, Ledger
from shared.errors import NotFound
from shared.events import PersonAdmitted
from shared.ids import ConversationId, PersonId, short
from shared.pairing import JoinKind, JoinState


@dataclass(frozen=True, slots=True)
class Unlinked:
    name: str
    frontend: str


class Admissions:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.unlink_listeners: list[Callable[[ConversationId], None]] = []
        """Told of a chat that must be told nothing more; must not wait."""

    async def requests(self, person_id: PersonId | None) -> tuple[JoinRequest, ...]:
        """A person's requests of the last day, the newest last; everybody's when None."""
        found = await self._ledger.read(lambda c: joins.of_person(c, person_id))
        now = self._ledger.environment.now()
        return tuple(_as_of(request, now) for request in found)

    async def find(self, person_id: PersonId | None, text: str) -> JoinRequest:
        """Find a request by its id, or the four characters of it; one that waits comes first.

        Raises:
            NotFound: `join_unknown`, also when it is somebody else's.
        """
        wanted = text.strip().removeprefix("#")
        found = [
            request
            for request in await self.requests(person_id)
            if wanted in (request.join_id, short(request.join_id))
            or wanted.upper() == short(request.join_id)
        ]
        if not found:
            raise join_unknown()
        return max(found, key=lambda r: (r.state is JoinState.WAITING, r.join_id))

    async def decide(
        self, person_id: PersonId, join_id: str, *, is_approved: bool, by: str
    ) -> JoinRequest:
        """Let in, or turn away; the first decision counts.

        Args:
            person_id: who was asked.
            join_id: what about.
            is_approved: yes or no.
            by: in words that are kept: "anna on Telegram".

        Raises:
            NotFound: `join_unknown`, also when somebody else was asked.
            NotAllowed: `account_locked`.
            Conflict: `join_decided`, `join_expired`, `worker_key_taken`.
            LimitReached: `too_many_workers`.
        """
        new_id = PersonId(self._ledger.environment.new_id())

        def run(entry: Entry) -> JoinRequest:
            request = joins.load(entry.connection, join_id)
            if request is None or request.person_id != person_id:
                raise join_unknown()
            decided = decide(request, is_approved=is_approved, by=by, now=entry.now)
            if is_approved:
                locked.check_unlocked(entry, person_id)
            if is_approved and request.kind is JoinKind.ACCOUNT:
                _admit(entry, request, new_id)
            elif is_approved:
                asked = people.load(entry.connection, person_id)
                assert asked is not None
                arrivals.check_room(entry, asked, request.public_key)
            arrivals.settle(entry, decided)
            return decided

        return await self._ledger.write(run)

    async def knock(self, sender: Sender, conversation: ConversationId) -> bool:
        """Ask the hub's owner about an account that nobody knows; False when that must not be.

        At most three wait in all, each account asks once an hour, and a no is final for a day.
        """
        join_id = self._ledger.environment.new_id()

        def run(entry: Entry) -> bool:
            joins.drop_old(entry)
            before = joins.last_of_account(entry, sender.frontend, sender.external_id)
            if before is not None and not _may_ask_again(before, entry.now):
                return False
            owner = arrivals.owner(entry)
            if owner is None or joins.accounts_waiting(entry) >= ACCOUNTS_WAITING_MAX:
                return False
            request = JoinRequest(
                join_id=join_id,
                kind=JoinKind.ACCOUNT,
                person_id=owner,
                name=printable(sender.name, JOIN_NAME_CHARS_MAX) or "Somebody",
                frontend=sender.frontend,
                external_id=sender.external_id,
                conversation=conversation,
                asked_at=entry.now,
                expires_at=entry.now + ACCOUNT_LIFE,
            )
            joins.insert(entry, request)
            arrivals.ask(entry, request)
            return True

        return await self._ledger.write(run)

    async def unlink(self, person_id: PersonId, frontend: str, external_id: str) -> Unlinked:
        """Let an account speak for its person no more; its chat is told nothing from now on.

        Raises:
            NotFound: `identity_unknown`.
        """

        def run(entry: Entry) -> tuple[Unlinked, ConversationId]:
            found = people.unlink(entry, person_id, frontend, external_id)
            if found is None:
                raise NotFound(
                    "identity_unknown",
                    "That account does not speak for you.",
                    "Nothing was changed.",
                )
            name, conversation = found
            if conversation:
                deliveries.forget(entry.connection, ConversationId(conversation), person_id)
            return Unlinked(name, frontend), ConversationId(conversation)

        gone, conversation = await self._ledger.write(run)
        for listener in self.unlink_listeners:
            listener(conversation)
        return gone


def _may_ask_again(before: JoinRequest, now: datetime) -> bool:
    if before.state is JoinState.REJECTED:
        # Forgotten when its day is over.
        return False
    is_open = before.state is JoinState.WAITING and before.expires_at > now
    return not is_open and before.asked_at + KNOCK_WAIT <= now


def _admit(entry: Entry, request: JoinRequest, new_id: PersonId) -> None:
    """Make a person of an account that was let in."""
    assert request.conversation is not None
    person = Person(person_id=new_id, name=request.name, created_at=entry.now)
    people.insert(entry, person)
    sender = Sender(frontend=request.frontend, external_id=request.external_id, name=request.name)
    arrivals.link(entry, person, sender, request.conversation)
    body = PersonAdmitted(frontend=request.frontend, conversation=request.conversation)
    entry.tell(person.person_id, body)


def _as_of(request: JoinRequest, now: datetime) -> JoinRequest:
    """Say that a request has expired, even before that is written down."""
    if request.state is JoinState.WAITING and request.expires_at <= now:
        return replace(request, state=JoinState.EXPIRED)
    return request
