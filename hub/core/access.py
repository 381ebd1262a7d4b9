"""Who may ask the hub for what: people, their identities, and the keys of programs.

A key reads `dh_<scope>_<id>_<secret>`; the store keeps the SHA-256 of the secret alone. A plain
hash is enough for 256 random bits (OWASP ASVS 5.0, 6.5.2).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.errors import NotAllowed
from shared.ids import PersonId

SECRET_BYTES = 32
KEY_CHARS_MAX = 200


class Scope(StrEnum):
    ADMIN = "admin"
    """Everything on this hub; the key of its own command line."""
    PERSON = "person"
    """All that belongs to one person."""
    WORKER = "worker"
    """The worker socket, for one worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    person_id: PersonId
    name: str
    created_at: datetime
    locked_at: datetime | None = None
    """Since when chats can start nothing for them; None: they can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a checked key allows."""

    person_id: PersonId
    scope: Scope
    key_id: str
    """Of a worker's key: the worker's id."""


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
