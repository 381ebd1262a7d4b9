"""A program's key: what it is called, how long it lives, and who may make which.

A key that is rotated gets a successor; the old one goes on for a while, so that programs can be
changed over one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hub.core.access import Access, Scope
from shared.errors import BadInput, Conflict, NotAllowed
from shared.plain_text import plain_line

NAME_CHARS_MAX = 100
KEYS_MAX = 200
"""Of one person, machines' tokens not counted."""
KINDS_MAX = 64
LIMITED = frozenset({Scope.WORKER, Scope.ENQUEUE, Scope.READ})
"""Scopes whose keys may be limited to kinds."""
OWNERS_ALONE = frozenset({Scope.ADMIN, Scope.FLEET, Scope.METRICS})
"""Scopes that reach beyond one person: only an owner of the hub makes such keys."""
LAST_CHARS = 4
OVERLAP = timedelta(hours=24)
"""How long a key that was rotated goes on, unless its person says otherwise."""
OVERLAP_MAX = timedelta(days=90)
KEPT = timedelta(days=30)
"""How long a key is listed that has run out."""
PREFIX_CHARS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    access: Access
    digest: str = field(repr=False)
    """Of its secret; the secret itself was told once."""
    name: str = ""
    last: str = ""
    """The last characters of the secret, to tell keys apart; empty for one of an old hub."""
    created_at: datetime
    expires_at: datetime | None = None
    """None: it works until it is revoked."""
    used_at: datetime | None = None
    """About when it was shown last; None for never."""
    successor: str = ""
    """The key that took its place, once it was rotated."""

    @property
    def key_id(self) -> str:
        return self.access.key_id

    @property
    def scope(self) -> Scope:
        return self.access.scope

    @property
    def prefix(self) -> str:
        """How the key's text begins, as far as it tells keys apart."""
        return f"dh_{self.scope}_{self.key_id[:PREFIX_CHARS]}"


def is_over(key: Key, now: datetime) -> bool:
    """Say whether a key has run out."""
    return key.expires_at is not None and key.expires_at <= now


def seconds_left(key: Key, now: datetime) -> float | None:
    """How long a key still works; None without an end."""
    return None if key.expires_at is None else max(0.0, (key.expires_at - now).total_seconds())


def check_may_make(maker: Scope, wanted: Scope) -> None:
    """Let nobody give away more than they have.

    Raises:
        NotAllowed: `key_scope`.
    """
    if maker is Scope.ADMIN or (maker is Scope.PERSON and wanted not in OWNERS_ALONE):
        return
    raise NotAllowed(
        "key_scope",
        f"A key with the scope '{maker}' cannot make one with the scope '{wanted}'.",
        "It needs a key with the scope 'admin'."
        if wanted in OWNERS_ALONE
        else "It needs a key with the scope 'person'.",
    )


def may_see(caller: Access, key: Key) -> bool:
    """Say whether a caller may list, rotate and revoke a key: their own, none above their own."""
    if key.access.is_machine:
        return False  # it is the machine that is shown out, and its token with it
    if caller.scope is Scope.ADMIN:
        return True
    return caller.person_id == key.access.person_id and key.scope not in OWNERS_ALONE


def checked_name(name: str) -> str:
    """Clean a key's name.

    Raises:
        BadInput: `key_name_invalid`.
    """
    cleaned = " ".join(plain_line(name).split())
    if not 0 < len(cleaned) <= NAME_CHARS_MAX:
        raise BadInput(
            "key_name_invalid",
            f"A key's name has 1 to {NAME_CHARS_MAX} characters.",
            "Name it after the program that uses it.",
        )
    return cleaned


def check_kinds(scope: Scope, kinds: tuple[str, ...]) -> None:
    """Only keys to work, to ask for work and to look at it are limited to kinds.

    Raises:
        BadInput: `key_kinds_invalid`.
    """
    if (kinds and scope not in LIMITED) or len(kinds) > KINDS_MAX:
        raise BadInput(
            "key_kinds_invalid",
            f"A key with the scope '{scope}' is not limited to kinds."
            if scope not in LIMITED
            else f"A key is limited to at most {KINDS_MAX} kinds.",
            "Leave the kinds out.",
        )


def check_may_register(access: Access, kinds: tuple[str, ...]) -> None:
    """Let a key register a worker of some kinds: a person's, or one made for that.

    Raises:
        NotAllowed: `key_scope`, `key_kinds`.
    """
    if access.worker_id is not None:
        raise NotAllowed(
            "key_scope",
            "This is a worker's own key: it registers no other.",
            "It needs a key with the scope 'worker' made for that, or 'person'.",
        )
    beyond = [kind for kind in kinds if access.kinds and kind not in access.kinds]
    if beyond:
        raise NotAllowed(
            "key_kinds",
            f"This key is not for {', '.join(beyond)[:200]}.",
            f"It is for {', '.join(access.kinds)[:400]}.",
        )


def check_end(expires_at: datetime | None, now: datetime) -> None:
    """Make sure that a new key works at all.

    Raises:
        BadInput: `key_end_invalid`.
    """
    if expires_at is not None and (expires_at.tzinfo is None or expires_at <= now):
        raise BadInput(
            "key_end_invalid",
            "A key's end lies in the future, with a time zone.",
            "Write it like 2030-01-31T12:00:00Z.",
        )


def end_of_successor(old: Key, now: datetime) -> datetime | None:
    """A key that was to live for a time is followed by one that lives as long."""
    return None if old.expires_at is None else now + (old.expires_at - old.created_at)


def rotated(old: Key, successor: str, overlap: timedelta, now: datetime) -> Key:
    """Let a key go on for a while beside its successor; never longer than it was to.

    Raises:
        BadInput: `key_overlap_invalid`.
        Conflict: `key_rotated`.
    """
    if old.successor or is_over(old, now):
        raise Conflict(
            "key_rotated",
            "This key was rotated already, or has run out.",
            "Rotate the one that took its place, or make a new one.",
        )
    if not timedelta() <= overlap <= OVERLAP_MAX:
        raise BadInput(
            "key_overlap_invalid",
            f"An old key goes on for 0 to {OVERLAP_MAX.days} days.",
            "24 hours are the default.",
        )
    until = now + overlap
    ends = until if old.expires_at is None else min(old.expires_at, until)
    return replace(old, expires_at=ends, successor=successor)
