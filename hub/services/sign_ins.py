"""Lets people into the dashboard: one-time links, and the browsers that are signed in by them."""

from __future__ import annotations

import contextlib
from collections import OrderedDict, deque

from hub.core.access import SECRET_BYTES, Person, account_locked, digest, make_secret
from hub.core.pairing import bucket
from hub.core.sign_in import (
    LINK_LIFE,
    SECRET_CHARS_MAX,
    TRIES_PER_MINUTE_MAX,
    Link,
    SignedIn,
    SignIn,
    browser_of,
    is_over,
    is_to_be_noted,
    link_wrong,
    needed,
    too_many_tries,
)
from hub.services import locked
from hub.store import people, sign_ins
from hub.store.ledger import Entry, Ledger
from shared.environment import Environment
from shared.errors import NotFound, Unavailable
from shared.events import BrowserSignedIn, BrowserSignedOut
from shared.ids import PersonId

ADDRESSES_MAX = 10_000
MINUTE_SECONDS = 60.0


class SignIns:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._tries = Tries()

    # Links.

    async def link(self, person_id: PersonId) -> Link:
        """Make a link that signs its person in, once; its secret is told here alone.

        Raises:
            NotFound: `person_unknown`.
            NotAllowed: `account_locked`.
        """
        environment = self._ledger.environment
        secret = make_secret(environment.entropy(SECRET_BYTES))
        expires_at = environment.now() + LINK_LIFE

        def run(entry: Entry) -> None:
            if people.load(entry.connection, person_id) is None:
                raise NotFound("person_unknown", "This hub does not know that person.")
            locked.check_unlocked(entry, person_id)
            sign_ins.add_link(entry, digest(secret), person_id, expires_at)

        await self._ledger.write(run)
        return Link(secret=secret, expires_at=expires_at)

    async def look(self, secret: str, address: str) -> Person:
        """Say whom a link would sign in; it stays as good as it was.

        Raises:
            NotFound: `sign_in_link_wrong`; the same for wrong, used and expired.
            LimitReached: `sign_in_paused`.
        """
        self._tries.check(address, self._ledger.environment)
        now = self._ledger.environment.now()
        found = await self._ledger.read(lambda c: sign_ins.of_link(c, _digest(secret), now))
        if found is None or found.locked_at is not None:
            self._tries.note_wrong(address, self._ledger.environment)
            raise link_wrong()
        return found

    async def open(self, secret: str, *, user_agent: str, address: str) -> tuple[SignedIn, str]:
        """Use a link up: sign a browser in, under a secret of its own.

        Args:
            secret: of the link.
            user_agent: what the browser calls itself.
            address: where it is.

        Returns:
            Who is signed in, and the secret that the browser keeps.

        Raises:
            NotFound: `sign_in_link_wrong`.
            LimitReached: `sign_in_paused`.
        """
        environment = self._ledger.environment
        self._tries.check(address, environment)
        kept = make_secret(environment.entropy(SECRET_BYTES))
        sign_in_id, browser = environment.new_id(), browser_of(user_agent)

        def run(entry: Entry) -> SignedIn | None:
            person = sign_ins.use_link(entry, _digest(secret))
            if person is None or person.locked_at is not None:
                return None
            sign_in = SignIn(
                sign_in_id=sign_in_id,
                person_id=person.person_id,
                browser=browser,
                opened_at=entry.now,
                seen_at=entry.now,
            )
            sign_ins.insert(entry, sign_in, digest(kept))
            told = BrowserSignedIn(sign_in_id=sign_in_id, browser=browser, address=address)
            entry.tell(person.person_id, told, entity=sign_in_id)
            return SignedIn(person=person, sign_in=sign_in)

        opened = await self._ledger.write(run)
        if opened is None:
            self._tries.note_wrong(address, environment)
            raise link_wrong()
        return opened, kept

    # Browsers that are signed in.

    async def check(self, secret: str, *, is_use: bool = True) -> SignedIn:
        """Say who looks through a browser.

        Args:
            secret: what the browser shows.
            is_use: somebody is there, which keeps the sign-in alive; not a page by itself.

        Raises:
            NotAllowed: `sign_in_needed`, `account_locked`.
        """
        if not secret:
            raise needed()
        found = await self._ledger.look(lambda c: sign_ins.by_digest(c, _digest(secret)))
        now = self._ledger.environment.now()
        if found is None or is_over(found.sign_in, now):
            raise needed()
        if found.person.locked_at is not None:
            raise account_locked(found.person)
        if is_use and is_to_be_noted(found.sign_in, now):
            sign_in_id = found.sign_in.sign_in_id
            # On a full disk people must still be able to look, above all at that.
            with contextlib.suppress(Unavailable):
                await self._ledger.write(lambda entry: sign_ins.note_seen(entry, sign_in_id))
        return found

    async def of_person(self, person_id: PersonId) -> tuple[SignIn, ...]:
        """Where a person is signed in, the one used last first."""
        now = self._ledger.environment.now()
        listed = await self._ledger.read(lambda c: sign_ins.of_person(c, person_id))
        return tuple(sign_in for sign_in in listed if not is_over(sign_in, now))

    async def end(self, person_id: PersonId, sign_in_id: str, by: str) -> None:
        """Sign one browser out. Idempotent."""

        def run(entry: Entry) -> None:
            ended = sign_ins.remove(entry, person_id, sign_in_id)
            if ended is not None:
                _tell_end(entry, ended, by)

        await self._ledger.write(run)

    async def end_all(self, person_id: PersonId, by: str, *, but: str = "") -> int:
        """Sign a person out everywhere, and end their unused links; how many browsers it were.

        Args:
            person_id: whose.
            by: who says so, in words that are kept.
            but: a sign-in that stays.
        """

        def run(entry: Entry) -> int:
            ended = sign_ins.remove_all(entry, person_id, but=but)
            for sign_in in ended:
                _tell_end(entry, sign_in, by)
            return len(ended)

        return await self._ledger.write(run)


class Tries:
    """Counts wrong links by address, in memory: nobody guesses 256 bits, but some will try."""

    def __init__(self) -> None:
        self._wrong_at: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, address: str, environment: Environment) -> None:
        """Let a try pass, or not.

        Raises:
            LimitReached: `sign_in_paused`.
        """
        now, wrong_at = environment.monotonic(), self._wrong_at.get(bucket(address), deque())
        while wrong_at and wrong_at[0] <= now - MINUTE_SECONDS:
            wrong_at.popleft()
        if len(wrong_at) >= TRIES_PER_MINUTE_MAX:
            raise too_many_tries(wrong_at[0] + MINUTE_SECONDS - now)

    def note_wrong(self, address: str, environment: Environment) -> None:
        key = bucket(address)
        self._wrong_at.setdefault(key, deque(maxlen=TRIES_PER_MINUTE_MAX)).append(
            environment.monotonic()
        )
        self._wrong_at.move_to_end(key)
        if len(self._wrong_at) > ADDRESSES_MAX:
            self._wrong_at.popitem(last=False)


def _digest(secret: str) -> str:
    return digest(secret[:SECRET_CHARS_MAX])


def _tell_end(entry: Entry, sign_in: SignIn, by: str) -> None:
    told = BrowserSignedOut(sign_in_id=sign_in.sign_in_id, browser=sign_in.browser, by=by)
    entry.tell(sign_in.person_id, told, entity=sign_in.sign_in_id)
