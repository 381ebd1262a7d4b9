"""Who may ask the hub for what: people, their identities, and the keys of programs.

A key reads `dh_<scope>_<id>_<secret>`; the store keeps the SHA-256 of the secret alone. A plain
hash is enough for 256 random bits (OWASP ASVS 5.0, 6.5.2). How long a key lives, and who may make
which, is in `hub.core.key`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.errors import NotAllowed
from shared.ids import PersonId, WorkerId

SECRET_BYTES = 32
KEY_CHARS_MAX = 200


class Scope(StrEnum):
    ADMIN = "admin"
    """Everything on this hub; the key of its own command line."""
    PERSON = "person"
    """All that belongs to one person."""
    READ = "read"
    """Look at all that belongs to one person, and change nothing."""
    ENQUEUE = "enqueue"
    """Ask for work in a person's name, and look at that person's tasks and jobs."""
    WORKER = "worker"
    """Run work: a paired machine's token, or the key of workers that fetch their work."""
    ENROL = "enrol"
    """Make codes that let a person's machines in without asking: for containers."""
    FLEET = "fleet"
    """Run what the hub has handed to the fleet, and nothing else: for its nodes."""
    METRICS = "metrics"
    """Read the hub's figures, which name nobody."""


class Role(StrEnum):
    OWNER = "owner"
    """Runs this hub: brings people in, and may look at everybody's things."""
    MEMBER = "member"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    person_id: PersonId
    name: str
    created_at: datetime
    role: Role = Role.MEMBER
    locked_at: datetime | None = None
    """Since when chats can start nothing for them; None: they can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A chat account that speaks for a person."""

    frontend: str
    external_id: str
    name: str
    linked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a checked key allows."""

    person_id: PersonId
    scope: Scope
    key_id: str
    """Of a machine's token: the worker's id."""
    is_machine: bool = False
    """It is the token that a paired machine got: it opens the worker socket."""
    worker_id: WorkerId | None = None
    """The worker that speaks by it over REST; None for any other key."""
    kinds: tuple[str, ...] = ()
    """Only jobs of these kinds are fetched, asked for and seen with it; any when empty. Of keys
    with the scopes `worker`, `enqueue` and `read`."""

    def is_for(self, kind: str) -> bool:
        """Whether it may have to do with jobs of a kind."""
        return not self.kinds or kind in self.kinds


@dataclass(frozen=True, slots=True)
class Bearer:
    """A key, taken apart; not checked yet."""

    scope: Scope
    key_id: str
    secret: str

    def __repr__(self) -> str:
        return f"<Bearer {self.scope} {self.key_id}>"


def make_secret(random: bytes) -> str:
    """Write `SECRET_BYTES` random bytes as text."""
    assert len(random) == SECRET_BYTES
    return base64.urlsafe_b64encode(random).decode().rstrip("=")


def write_key(scope: Scope, key_id: str, secret: str) -> str:
    assert "_" not in key_id
    return f"dh_{scope}_{key_id}_{secret}"


def parse_key(text: str) -> Bearer:
    """Take a key apart; an Authorization header's "Bearer " in front is allowed.

    Raises:
        NotAllowed: `key_invalid`.
    """
    head, _, rest = text.strip().partition(" ")
    key = rest.strip() if head.casefold() == "bearer" else text.strip()
    parts = key.split("_", 3)
    if len(key) > KEY_CHARS_MAX or len(parts) != 4 or parts[0] != "dh" or parts[1] not in _SCOPES:
        raise key_invalid()
    return Bearer(Scope(parts[1]), parts[2], parts[3])


def digest(secret: str) -> str:
    """Return what the store keeps of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_secret(secret: str, stored: str) -> bool:
    """Compare a secret with its stored digest, in a time that tells nothing."""
    return hmac.compare_digest(digest(secret), stored)


def machine_of(access: Access) -> WorkerId:
    """Return the paired machine whose token a key is.

    Raises:
        NotAllowed: `key_scope`.
    """
    if access.scope is not Scope.WORKER or not access.is_machine:
        raise NotAllowed(
            "key_scope",
            "This takes the token of a connected computer.",
            "A computer gets its token when it is paired.",
        )
    return WorkerId(access.key_id)


def puller_of(access: Access) -> WorkerId:
    """Return the worker that fetches its work and whose own key this is.

    Raises:
        NotAllowed: `key_scope`.
    """
    if access.scope is not Scope.WORKER or access.worker_id is None:
        raise NotAllowed(
            "key_scope",
            "This takes the key of a worker that fetches its work.",
            "POST /workers registers one and answers with its key, scope 'worker'.",
        )
    return access.worker_id


def check_scope(access: Access, *needed: Scope) -> None:
    """Let a key pass that has one of the scopes; a person's and the operator's own always do.

    Raises:
        NotAllowed: `key_scope`, which says what is needed.
    """
    if access.is_machine:
        raise NotAllowed(
            "key_scope",
            "A worker's token opens the worker socket and nothing else.",
            "Use a person's key.",
        )
    if access.scope in (*needed, Scope.PERSON, Scope.ADMIN):
        return
    scopes = [f"'{scope}'" for scope in dict.fromkeys((*needed, Scope.PERSON))]
    raise NotAllowed(
        "key_scope",
        f"A key with the scope '{access.scope}' cannot do this.",
        f"It needs a key with the scope {' or '.join(scopes)}.",
    )


def check_kind(access: Access, kind: str) -> None:
    """Let a key that is limited to kinds ask for work of those alone.

    Raises:
        NotAllowed: `key_kinds`.
    """
    if not access.is_for(kind):
        raise NotAllowed(
            "key_kinds",
            f"This key is not for {kind[:100]}.",
            f"It is for {', '.join(access.kinds)[:400]}.",
        )


def check_unlimited(access: Access) -> None:
    """Refuse a key that is limited to kinds where kinds cannot be told apart.

    Raises:
        NotAllowed: `key_kinds`.
    """
    if access.kinds and access.scope in (Scope.READ, Scope.ENQUEUE):
        raise NotAllowed(
            "key_kinds",
            f"This key is limited to {', '.join(access.kinds)[:400]}: tasks and jobs of that are "
            "all that it opens.",
            "Use a key that is not limited to kinds.",
        )


def account_locked(person: Person) -> NotAllowed:
    assert person.locked_at is not None
    return NotAllowed(
        "account_locked",
        "This account is locked: nothing can be started, answered or connected from a chat.",
        "Unlock it where the hub runs: `deskhand-hub unlock`; or on a connected computer: "
        "`deskhand unlock`.",
    )


def key_invalid() -> NotAllowed:
    """Say the same for malformed, unknown and revoked: an attacker learns nothing from it."""
    return NotAllowed(
        "key_invalid",
        "This key is wrong or was revoked.",
        "Pair the computer again, or make a new key.",
    )


_SCOPES = frozenset(Scope)
