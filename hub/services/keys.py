"""Checks the keys that programs show, and makes and revokes them."""

from __future__ import annotations

from collections import OrderedDict

from hub.core.access import (
    SECRET_BYTES,
    Access,
    Scope,
    digest,
    is_secret,
    key_invalid,
    make_secret,
    parse_key,
    write_key,
)
from hub.store import people
from hub.store.ledger import Entry, Ledger
from shared.ids import PersonId

KNOWN_MAX = 10_000
"""Keys remembered, so that a request costs no read."""


class Keys:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: OrderedDict[str, tuple[Access, str]] = OrderedDict()

    async def check(self, bearer: str) -> Access:
        """Say what a key allows.

        Args:
            bearer: the key, or a whole Authorization header.

        Raises:
            NotAllowed: `key_invalid`; the same for malformed, unknown and revoked.
        """
        key = parse_key(bearer)
        found = self._known.get(key.key_id)
        if found is None:
            found = await self._ledger.read(lambda c: people.key(c, key.key_id))
        if found is None:
            raise key_invalid()
        access, stored = found
        if not is_secret(key.secret, stored) or key.scope is not access.scope:
            raise key_invalid()
        self._known[key.key_id] = found
        self._known.move_to_end(key.key_id)
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        return access

    async def issue(self, person_id: PersonId, scope: Scope) -> str:
        """Make a key; it is told here once and kept as a hash."""
        environment = self._ledger.environment
        secret = make_secret(environment.entropy(SECRET_BYTES))
        access = Access(person_id=person_id, scope=scope, key_id=environment.new_id())

        def run(entry: Entry) -> None:
            people.add_key(entry, access, digest(secret))

        await self._ledger.write(run)
        return write_key(scope, access.key_id, secret)

    async def revoke(self, key_id: str) -> None:
        """End a key at once. Idempotent."""
        self.forget(key_id)
        await self._ledger.write(lambda entry: people.remove_key(entry, key_id))
        self.forget(key_id)

    def forget(self, key_id: str) -> None:
        """Look a key up anew next time: it was revoked elsewhere."""
        self._known.pop(key_id, None)
