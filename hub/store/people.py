"""People, the accounts that speak for them, their keys and their open invitations."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from hub.core.access import Access, Person, Scope
from hub.store.ledger import Entry
from shared.ids import PersonId
from shared.times import from_ms, to_ms


def insert(entry: Entry, person: Person) -> None:
    entry.connection.execute(
        "INSERT INTO people VALUES (?, ?, ?)",
        (person.person_id, person.name, to_ms(person.created_at)),
    )


def load(connection: sqlite3.Connection, person_id: PersonId) -> Person | None:
    row = connection.execute("SELECT * FROM people WHERE person_id = ?", (person_id,)).fetchone()
    return _to_person(row) if row else None


def everyone(connection: sqlite3.Connection) -> list[Person]:
    return [
        _to_person(row) for row in connection.execute("SELECT * FROM people ORDER BY person_id")
    ]


def of_identity(connection: sqlite3.Connection, frontend: str, external_id: str) -> Person | None:
    row = connection.execute(
        "SELECT p.* FROM people AS p JOIN identities AS i ON i.person_id = p.person_id"
        " WHERE i.frontend = ? AND i.external_id = ?",
        (frontend, external_id),
    ).fetchone()
    return _to_person(row) if row else None


def link(entry: Entry, person_id: PersonId, frontend: str, external_id: str, name: str) -> None:
    entry.connection.execute(
        "INSERT OR IGNORE INTO identities (frontend, external_id, name, person_id, linked_ms)"
        " VALUES (?, ?, ?, ?, ?)",
        (frontend, external_id, name, person_id, to_ms(entry.now)),
    )


def add_key(entry: Entry, access: Access, digest: str) -> None:
    entry.connection.execute(
        "INSERT INTO keys (key_id, scope, person_id, digest, created_ms) VALUES (?, ?, ?, ?, ?)",
        (access.key_id, access.scope, access.person_id, digest, to_ms(entry.now)),
    )


def key(connection: sqlite3.Connection, key_id: str) -> tuple[Access, str] | None:
    """What a key allows, and the digest of its secret."""
    row = connection.execute(
        "SELECT scope, person_id, digest FROM keys WHERE key_id = ?", (key_id,)
    ).fetchone()
    if row is None:
        return None
    access = Access(person_id=PersonId(row[1]), scope=Scope(row[0]), key_id=key_id)
    return access, str(row[2])


def remove_key(entry: Entry, key_id: str) -> None:
    entry.connection.execute("DELETE FROM keys WHERE key_id = ?", (key_id,))


def add_invitation(entry: Entry, digest: str, person_id: PersonId, expires_at: datetime) -> None:
    entry.connection.execute(
        "INSERT INTO invitations (digest, person_id, expires_ms) VALUES (?, ?, ?)",
        (digest, person_id, to_ms(expires_at)),
    )


def drop_old_invitations(entry: Entry) -> None:
    entry.connection.execute("DELETE FROM invitations WHERE expires_ms <= ?", (to_ms(entry.now),))


def invitation_count(connection: sqlite3.Connection, person_id: PersonId) -> int:
    row = connection.execute(
        "SELECT count(*) FROM invitations WHERE person_id = ?", (person_id,)
    ).fetchone()
    return int(row[0])


def use_invitation(entry: Entry, digest: str) -> Person | None:
    """Take an invitation out, so that it is good once; None when there is none that is good."""
    row = entry.connection.execute(
        "DELETE FROM invitations WHERE digest = ? AND expires_ms > ? RETURNING person_id",
        (digest, to_ms(entry.now)),
    ).fetchone()
    return load(entry.connection, PersonId(row[0])) if row else None


def _to_person(row: tuple[str, str, int]) -> Person:
    return Person(person_id=PersonId(row[0]), name=row[1], created_at=from_ms(row[2]))
