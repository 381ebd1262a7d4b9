"""`deskhand-hub keys`: keys for programs, listed, made, rotated, revoked."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hub.frontends.figures import moment
from shared.api.client import Client
from shared.api.keys import KeyRotation, KeyScope, KeyShown, KeyTold, NewKey
from shared.errors import BadInput, Conflict, NotFound
from shared.plain_text import plain_line

DAYS_MAX = 36_500
HOURS_MAX = 90 * 24


def list_keys(client: Client) -> int:
    """Print the keys with what tells them apart; the keys themselves are kept by nobody here."""
    now = datetime.now(UTC)
    people = {person.person_id: person.name for person in client.list_people().people}
    for key in client.list_keys().keys:
        whose = people.get(key.person_id, "somebody")
        told = [f"…{key.last or '?'}", key.scope, f"{key.name or 'unnamed'} ({whose})"]
        if key.kinds:
            told.append(f"only {', '.join(key.kinds)}")
        told.append(f"used {moment(key.used_at, now)}" if key.used_at else "never used")
        told.append(_end(key, now))
        sys.stdout.write(plain_line("  ".join(part for part in told if part)) + "\n")
    return 0


def create(
    client: Client,
    name: str,
    *,
    scope: str,
    kinds: Sequence[str] = (),
    days: int | None = None,
    person: str | None = None,
) -> int:
    """Make a key and print it, once.

    Raises:
        BadInput: `key_days_invalid`.
        NotFound: `person_unknown`.
    """
    if days is not None and not 1 <= days <= DAYS_MAX:
        raise BadInput("key_days_invalid", f"A key lives for 1 to {DAYS_MAX:,} days.")
    told = client.create_key(
        NewKey(
            name=name,
            scope=KeyScope(scope),
            kinds=tuple(kinds),
            expires_at=None if days is None else datetime.now(UTC) + timedelta(days=days),
            person_id=_person(client, person) if person else None,
        )
    )
    _print(told)
    return 0


def rotate(client: Client, name: str, *, hours: int) -> int:
    """Make a key that takes another one's place, and print it, once.

    Raises:
        BadInput: `key_overlap_invalid`.
        NotFound: `key_unknown`.
        Conflict: `key_ambiguous`.
    """
    if not 0 <= hours <= HOURS_MAX:
        raise BadInput("key_overlap_invalid", f"An old key goes on for 0 to {HOURS_MAX} hours.")
    old = _named(client, name)
    _print(client.rotate_key(old.key_id, KeyRotation(overlap_seconds=hours * 3600)))
    rest = f"works for {hours} more hours" if hours else "is over"
    sys.stderr.write(f"The old one {rest}.\n")
    return 0


def revoke(client: Client, name: str) -> int:
    """End a key at once.

    Raises:
        NotFound: `key_unknown`.
        Conflict: `key_ambiguous`.
    """
    key = _named(client, name)
    client.revoke_key(key.key_id)
    sys.stdout.write(plain_line(f"The key {key.name} (…{key.last}) works no more.") + "\n")
    return 0


def _print(told: KeyTold) -> None:
    sys.stdout.write(f"{told.key}\n")
    if sys.stdout.isatty():
        sys.stderr.write("Keep it now: it is shown once, and the hub has only its hash.\n")


def _end(key: KeyShown, now: datetime) -> str:
    if key.expires_at is None:
        return ""
    is_over = key.expires_at <= now
    successor = ", rotated" if key.successor else ""
    return f"{'ended' if is_over else 'ends'} {moment(key.expires_at, now)}{successor}"


def _person(client: Client, name: str) -> str:
    people = client.list_people().people
    for person in people:
        if person.name.casefold() == name.casefold():
            return person.person_id
    known = ", ".join(plain_line(person.name) for person in people)
    raise NotFound(
        "person_unknown", f"Nobody here is called '{name[:40]}'.", f"This hub knows: {known}."
    )


def _named(client: Client, name: str) -> KeyShown:
    """Find a key by its id, its last characters, or its name."""
    wanted = name.removeprefix("…")
    found = [
        key
        for key in client.list_keys().keys
        if wanted in (key.key_id, key.last) or wanted.casefold() == key.name.casefold()
    ]
    if len(found) > 1:
        ends = ", ".join(f"…{key.last}" for key in found)
        raise Conflict(
            "key_ambiguous", f"More than one key is called so: {ends}.", "Name its last characters."
        )
    if not found:
        raise NotFound(
            "key_unknown", f"There is no key '{name[:40]}'.", "`deskhand-hub keys` lists them."
        )
    return found[0]
