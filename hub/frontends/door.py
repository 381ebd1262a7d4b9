"""Who is at the door: a bearer key becomes a person, for the chat socket and the REST API."""

from __future__ import annotations

from dataclasses import dataclass

from hub.core.access import (
    Access,
    Person,
    Scope,
    account_locked,
    check_scope,
    check_unlimited,
)
from hub.services import Services
from shared.errors import NotAllowed
from shared.ids import PersonId


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a checked key."""

    person: Person
    access: Access

    def may_see(self, kind: str) -> bool:
        """Whether jobs of a kind are there for this key."""
        return self.access.is_for(kind)

    @property
    def sees(self) -> PersonId | None:
        """Whose things this key may read; None means everybody's."""
        return None if self.access.scope is Scope.ADMIN else self.person.person_id


async def admit(
    services: Services, header: str, *needed: Scope, minds_kinds: bool = False
) -> Caller:
    """Check an Authorization header; a key with any of the scopes, or with all its person may do.

    Args:
        services: of the hub.
        header: as it was sent.
        needed: the scopes.
        minds_kinds: whoever asks sees to it that a key which is limited to kinds goes no further.

    Raises:
        NotAllowed: `key_missing`, `key_invalid`, `key_scope`, `key_kinds`, `account_locked`.
    """
    access = await services.keys.check(bearer_in(header))
    check_scope(access, *needed)
    if not minds_kinds:
        check_unlimited(access)
    person = await services.registry.person(access.person_id)
    if person.locked_at is not None and access.scope is not Scope.ADMIN:
        raise account_locked(person)
    return Caller(person, access)


def bearer_in(header: str) -> str:
    """Make sure that an Authorization header holds something.

    Raises:
        NotAllowed: `key_missing`.
    """
    if header.strip().casefold() in ("", "bearer"):
        raise NotAllowed(
            "key_missing",
            "This needs a key.",
            "Send it as a header: Authorization: Bearer KEY.",
        )
    return header
