"""Checks the keys that programs show; makes, rotates and revokes them.

A key is told once and kept as a hash. What is remembered of a key is forgotten when it is revoked,
and whatever was opened with it (a stream, a chat) is told that it is over.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from hub.core import key as core
from hub.core.access import Access, Scope, is_secret, key_invalid, parse_key
from hub.core.key import KEYS_MAX, OVERLAP, Key
from hub.services import locked
from hub.services.minting import Told, mint
from hub.store import keys
from hub.store.ledger import Entry, Ledger
from shared.errors import AppError, LimitReached, NotFound
from shared.events import KeyMade, KeyRevoked
from shared.ids import PersonId, WorkerId

log = structlog.get_logger()

KNOWN_MAX = 10_000
"""Keys remembered, so that a request costs no read."""
LOOK_SECONDS = 1.0
"""How often open lines are looked at for keys that ran out."""
USED_SECONDS = 300.0
"""How often is written down when keys were used; a request itself writes nothing."""


@dataclass(slots=True)
class _Open:
    """What is held open with one key."""

    ends_at: datetime | None
    lines: list[asyncio.Event] = field(default_factory=list)


class Keys:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: OrderedDict[str, Key] = OrderedDict()
        self._open: dict[str, _Open] = {}
        self._used: dict[str, datetime] = {}
        self._written = ledger.environment.monotonic()

    async def check(self, bearer: str) -> Access:
        """Say what a key allows.

        Args:
            bearer: the key, or a whole Authorization header.

        Raises:
            NotAllowed: `key_invalid`; the same for malformed, unknown, run out and revoked.
        """
        shown = parse_key(bearer)
        key = self._known.get(shown.key_id)
        if key is None:
            key = await self._ledger.read(lambda c: keys.load(c, shown.key_id))
        if key is None or not is_secret(shown.secret, key.digest) or shown.scope is not key.scope:
            raise key_invalid()
        now = self._ledger.environment.now()
        if core.is_over(key, now):
            raise key_invalid()
        self._known[key.key_id] = key
        self._known.move_to_end(key.key_id)
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        if not key.access.is_machine:
            self._used[key.key_id] = now
        return key.access

    async def issue(self, person_id: PersonId, scope: Scope, *, name: str = "") -> str:
        """Make a key for the hub itself to hand out; it is told here once and kept as a hash."""
        told = mint(self._ledger.environment, person_id, scope, name=name)
        await self._ledger.write(lambda entry: keys.insert(entry, told.key))
        return told.text

    async def create(
        self,
        caller: Access,
        person_id: PersonId,
        scope: Scope,
        *,
        name: str,
        kinds: tuple[str, ...] = (),
        expires_at: datetime | None = None,
        by: str,
    ) -> Told:
        """Make a key for a person's program.

        Args:
            caller: whose key asks for it; nobody gives away more than they have.
            person_id: for whom.
            scope: what it may do.
            name: what its person knows it by.
            kinds: the only kinds of jobs that it may run, ask for or look at; any when empty.
            expires_at: when it ends; None: when it is revoked.
            by: who says so, in words that are kept: "anna on the web".

        Raises:
            NotAllowed: `key_scope`, `account_locked`.
            BadInput: `key_name_invalid`, `key_kinds_invalid`, `key_end_invalid`.
            NotFound: `person_unknown`.
            LimitReached: `too_many_keys`.
        """
        core.check_may_make(caller.scope, scope)
        core.check_kinds(scope, kinds)
        core.check_end(expires_at, self._ledger.environment.now())
        told = mint(
            self._ledger.environment,
            person_id,
            scope,
            name=core.checked_name(name),
            kinds=kinds,
            expires_at=expires_at,
        )

        def run(entry: Entry) -> None:
            locked.check_unlocked(entry, person_id)
            _check_room(entry, person_id)
            keys.insert(entry, told.key)
            _tell_made(entry, told.key, by)

        await self._ledger.write(run)
        return told

    async def of_person(self, caller: Access, person_id: PersonId | None) -> tuple[Key, ...]:
        """The keys that a caller may see, the newest first; everybody's when None."""
        found = await self._ledger.read(lambda c: keys.of_person(c, person_id))
        return tuple(self._seen(key) for key in found if core.may_see(caller, key))

    async def rotate(
        self, caller: Access, key_id: str, *, overlap: timedelta = OVERLAP, by: str
    ) -> Told:
        """Make a key that takes another one's place; the old one goes on for a while.

        Raises:
            NotFound: `key_unknown`.
            BadInput: `key_overlap_invalid`.
            Conflict: `key_rotated`.
        """
        environment = self._ledger.environment

        def run(entry: Entry) -> tuple[Key, Told]:
            old = _visible(entry, caller, key_id)
            told = mint(
                environment,
                old.access.person_id,
                old.scope,
                name=old.name,
                kinds=old.access.kinds,
                worker_id=old.access.worker_id,
                expires_at=core.end_of_successor(old, entry.now),
            )
            ending = core.rotated(old, told.key.key_id, overlap, entry.now)
            keys.let_end(entry, ending)
            keys.insert(entry, told.key)
            _tell_made(entry, told.key, by, replaces=ending)
            return ending, told

        ending, told = await self._ledger.write(run)
        self._known.pop(key_id, None)
        if key_id in self._open:
            self._open[key_id].ends_at = ending.expires_at
        self._end_lines()
        return told

    async def revoke(self, caller: Access, key_id: str, *, by: str) -> None:
        """End a key at once, and whatever was opened with it.

        Raises:
            NotFound: `key_unknown`.
        """

        def run(entry: Entry) -> None:
            key = _visible(entry, caller, key_id)
            keys.remove(entry, key_id)
            body = KeyRevoked(key_id=key_id, name=key.name, scope=key.scope, by=by[:100])
            entry.tell(key.access.person_id, body, entity=key_id)

        await self._ledger.write(run, is_vital=True)
        self.forget(key_id)

    def forget(self, key_id: str) -> None:
        """Look a key up anew next time, and end what it opened: it was revoked elsewhere."""
        self._known.pop(key_id, None)
        self._used.pop(key_id, None)
        if (held := self._open.get(key_id)) is not None:
            for line in held.lines:
                line.set()

    def forget_worker(self, worker_id: WorkerId) -> None:
        """The same for all keys of a worker that was shown out."""
        self.forget(worker_id)
        for key in [k for k in self._known.values() if k.access.worker_id == worker_id]:
            self.forget(key.key_id)

    @contextlib.contextmanager
    def line(self, access: Access) -> Iterator[asyncio.Event]:
        """Hold something open with a key; the event is set when the key is over."""
        ended = asyncio.Event()
        known = self._known.get(access.key_id)
        held = self._open.setdefault(access.key_id, _Open(known.expires_at if known else None))
        held.lines.append(ended)
        try:
            yield ended
        finally:
            held.lines.remove(ended)
            if not held.lines:
                self._open.pop(access.key_id, None)

    async def run(self) -> None:
        """End lines of keys that ran out; write down now and then when keys were used."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.run_once()
            except AppError as error:
                log.warning("keys_unwritten", code=error.code, error=str(error))

    async def run_once(self) -> None:
        self._end_lines()
        if self._ledger.environment.monotonic() - self._written >= USED_SECONDS:
            await self.write_used()

    async def write_used(self) -> None:
        """Write down when keys were used last."""
        self._written = self._ledger.environment.monotonic()
        if self._used:
            used, self._used = self._used, {}

            def run(entry: Entry) -> None:
                keys.note_used(entry, used.items())
                keys.drop_old(entry)

            await self._ledger.write(run)

    def _seen(self, key: Key) -> Key:
        return replace(key, used_at=self._used.get(key.key_id, key.used_at))

    def _end_lines(self) -> None:
        now = self._ledger.environment.now()
        for key_id, held in list(self._open.items()):
            if held.ends_at is not None and held.ends_at <= now:
                self.forget(key_id)


def _visible(entry: Entry, caller: Access, key_id: str) -> Key:
    key = keys.load(entry.connection, key_id)
    if key is None or not core.may_see(caller, key):
        raise NotFound("key_unknown", "There is no such key.", "`deskhand-hub keys` lists yours.")
    return key


def _check_room(entry: Entry, person_id: PersonId) -> None:
    if keys.count(entry.connection, person_id) >= KEYS_MAX:
        raise LimitReached(
            "too_many_keys",
            f"There are {KEYS_MAX} keys already.",
            "Revoke those that nobody uses any more.",
        )


def _tell_made(entry: Entry, key: Key, by: str, *, replaces: Key | None = None) -> None:
    body = KeyMade(
        key_id=key.key_id,
        name=key.name,
        scope=key.scope,
        by=by[:100],
        replaces=replaces.key_id if replaces else "",
        until=replaces.expires_at if replaces else None,
    )
    entry.tell(key.access.person_id, body, entity=key.key_id)
