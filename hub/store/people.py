"""People, the accounts that speak for them, and their open invitations."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from hub.core.access import Account, Person, Role
from hub.store.known_people import KnownPeople
from hub.store.ledger import Entry
from shared.ids import PersonId
from shared.pairing import Purpose
from shared.times import from_ms, to_ms

_PERSON = "p.person_id, p.name, p.created_ms, p.locked_ms, p.role"


def insert(entry: Entry, person: Person) -> None:
    entry.connection.execute(
        "INSERT INTO people (person_id, name, created_ms, role) VALUES (?, ?, ?, ?)",
        (person.person_id, person.name, to_ms(person.created_at), person.role),
    )


def load(connection: sqlite3.Connection, person_id: PersonId) -> Person | None:
    row = connection.execute(
        f"SELECT {_PERSON} FROM people AS p WHERE person_id = ?", (person_id,)
    ).fetchone()
    return _to_person(row) if row else None


def look(
    connection: sqlite3.Connection, person_id: PersonId, remembered: KnownPeople
) -> Person | None:
    """Load a person, and have them remembered."""
    person = load(connection, person_id)
    if person is not None:
        remembered.note(person)
    return person


def known(entry: Entry, person_id: PersonId) -> Person | None:
    """The same in a transaction, from memory where they are remembered."""
    return entry.people.get(person_id) or load(entry.beside, person_id)


def everyone(connection: sqlite3.Connection) -> list[Person]:
    return [
        _to_person(row)
        for row in connection.execute(f"SELECT {_PERSON} FROM people AS p ORDER BY person_id")
    ]


def has_any(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM people LIMIT 1").fetchone() is not None


def owners(connection: sqlite3.Connection) -> list[PersonId]:
    """Who runs this hub."""
    rows = connection.execute("SELECT person_id FROM people WHERE role = ?", (Role.OWNER,))
    return [PersonId(row[0]) for row in rows]


def rename(entry: Entry, person_id: PersonId, name: str) -> None:
    entry.people.forget(person_id)
    entry.connection.execute("UPDATE people SET name = ? WHERE person_id = ?", (name, person_id))


def set_role(entry: Entry, person_id: PersonId, role: Role) -> None:
    entry.people.forget(person_id)
    entry.connection.execute("UPDATE people SET role = ? WHERE person_id = ?", (role, person_id))


def accounts(connection: sqlite3.Connection, person_id: PersonId) -> list[Account]:
    """The chat accounts that speak for a person, the first one first."""
    rows = connection.execute(
        "SELECT frontend, external_id, name, linked_ms FROM identities WHERE person_id = ?"
        " ORDER BY linked_ms",
        (person_id,),
    )
    return [
        Account(frontend=row[0], external_id=row[1], name=row[2], linked_at=from_ms(row[3]))
        for row in rows
    ]


def of_identity(connection: sqlite3.Connection, frontend: str, external_id: str) -> Person | None:
    row = connection.execute(
        f"SELECT {_PERSON} FROM people AS p JOIN identities AS i ON i.person_id = p.person_id"
        " WHERE i.frontend = ? AND i.external_id = ?",
        (frontend, external_id),
    ).fetchone()
    return _to_person(row) if row else None


def link(
    entry: Entry,
    person_id: PersonId,
    frontend: str,
    external_id: str,
    name: str,
    conversation: str = "",
) -> None:
    entry.connection.execute(
        "INSERT OR IGNORE INTO identities"
        " (frontend, external_id, name, person_id, linked_ms, conversation)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (frontend, external_id, name, person_id, entry.now_ms, conversation),
    )


def unlink(
    entry: Entry, person_id: PersonId, frontend: str, external_id: str
) -> tuple[str, str] | None:
    """Take an account's voice away; its name and its chat, None when it had none."""
    row = entry.connection.execute(
        "DELETE FROM identities WHERE frontend = ? AND external_id = ? AND person_id = ?"
        " RETURNING name, conversation",
        (frontend, external_id, person_id),
    ).fetchone()
    return (str(row[0]), str(row[1])) if row else None


def add_invitation(
    entry: Entry,
    digest: str,
    person_id: PersonId,
    purpose: Purpose,
    expires_at: datetime,
    *,
    is_approved: bool = False,
) -> None:
    """Write a code down; it ends the person's older one for the same purpose."""
    entry.connection.execute(
        "DELETE FROM invitations WHERE expires_ms <= ? OR (person_id = ? AND purpose = ?)",
        (entry.now_ms, person_id, purpose),
    )
    entry.connection.execute(
        "INSERT INTO invitations (digest, person_id, expires_ms, purpose, is_approved)"
        " VALUES (?, ?, ?, ?, ?)",
        (digest, person_id, to_ms(expires_at), purpose, int(is_approved)),
    )


def drop_invitations(entry: Entry, person_id: PersonId) -> None:
    """End all of a person's codes."""
    entry.connection.execute("DELETE FROM invitations WHERE person_id = ?", (person_id,))


def use_invitation(entry: Entry, digest: str, purpose: Purpose) -> tuple[Person, bool] | None:
    """Take an invitation out, so that it is good once; None when there is none that is good.

    Returns whose it is, and whether what comes with it is approved already.
    """
    row = entry.connection.execute(
        "DELETE FROM invitations WHERE digest = ? AND purpose = ? AND expires_ms > ?"
        " RETURNING person_id, is_approved",
        (digest, purpose, entry.now_ms),
    ).fetchone()
    person = load(entry.connection, PersonId(row[0])) if row else None
    return (person, bool(row[1])) if person else None


def set_locked(entry: Entry, person_id: PersonId, locked_at: datetime | None) -> None:
    entry.people.forget(person_id)
    entry.connection.execute(
        "UPDATE people SET locked_ms = ? WHERE person_id = ?",
        (None if locked_at is None else to_ms(locked_at), person_id),
    )


def zone(connection: sqlite3.Connection, person_id: PersonId) -> str:
    """The time zone that a person named for themselves; empty when they did not."""
    row = connection.execute("SELECT zone FROM people WHERE person_id = ?", (person_id,)).fetchone()
    return str(row[0]) if row else ""


def set_zone(entry: Entry, person_id: PersonId, name: str) -> None:
    entry.connection.execute("UPDATE people SET zone = ? WHERE person_id = ?", (name, person_id))


def _to_person(row: tuple[str, str, int, int | None, str]) -> Person:
    return Person(
        person_id=PersonId(row[0]),
        name=row[1],
        created_at=from_ms(row[2]),
        locked_at=None if row[3] is None else from_ms(row[3]),
        role=Role(row[4]),
    )
