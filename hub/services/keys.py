"""Checks the keys that programs show, and makes and revokes them."""

from __future__ import annotations

from hub.core.access import Access, Scope
from shared.ids import PersonId


class Keys:
    async def check(self, bearer: str) -> Access:
        """Say what a key allows.

        Args:
            bearer: the key, or a whole Authorization header.

        Raises:
            NotAllowed: `key_invalid`; the same for malformed, unknown and revoked.
        """
        raise NotImplementedError

    async def issue(self, person_id: PersonId, scope: Scope) -> str:
        """Make a key; it is told here once and kept as a hash."""
        raise NotImplementedError

    async def revoke(self, key_id: str) -> None:
        """End a key at once. Idempotent."""
        raise NotImplementedError
