"""Browsers that are signed in, and links that sign one in: by the hash of their secrets alone."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from hub.core.access import Person
from hub.core.sign_in import FULL_LIFE, IDLE_LIFE, LINKS_MAX, SIGN_INS_MAX, SignedIn, SignIn
from hub.store import people
from hub.store.ledger import Entry
from shared.ids import PersonId
from shared.times import from_ms, to_ms

_COLUMNS = "sign_in_id, person_id, browser, opened_ms, seen_ms"


def create(connection: sqlite3.Connection) -> None:
    """Links, sign-ins, and who runs the hub: the one who was here first."""
    connection.execute(
        "CREATE TABLE sign_in_links (digest TEXT PRIMARY KEY, person_id TEXT NOT NULL"
        " REFERENCES people(person_id), expires_ms INTEGER NOT NULL) STRICT"
    )
    connection.execute("CREATE INDEX sign_in_links_person ON sign_in_links (person_id)")
    connection.execute(
        "CREATE TABLE sign_ins (sign_in_id TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE,"
        " person_id TEXT NOT NULL REFERENCES people(person_id), browser TEXT NOT NULL,"
        " opened_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL) STRICT"
    )
    connection.execute("CREATE INDEX sign_ins_person ON sign_ins (person_id, seen_ms)")
    connection.execute("ALTER TABLE people ADD COLUMN role TEXT NOT NULL DEFAULT 'member'")
    connection.execute(
        "UPDATE people SET role = 'owner' WHERE person_id = (SELECT min(person_id) FROM people)"
    )


def add_link(entry: Entry, digest: str, person_id: PersonId, expires_at: datetime) -> None:
    """Write a link down; it ends what has expired, and the oldest of too many."""
    entry.connection.execute("DELETE FROM sign_in_links WHERE expires_ms <= ?", (entry.now_ms,))
    entry.connection.execute(
        "INSERT INTO sign_in_links VALUES (?, ?, ?)", (digest, person_id, to_ms(expires_at))
    )
    entry.connection.execute(
        "DELETE FROM sign_in_links WHERE person_id = ? AND rowid NOT IN (SELECT rowid FROM"
        " sign_in_links WHERE person_id = ? ORDER BY expires_ms DESC, rowid DESC LIMIT ?)",
        (person_id, person_id, LINKS_MAX),
    )


def of_link(connection: sqlite3.Connection, digest: str, now: datetime) -> Person | None:
    """Whom a link signs in; None when there is none that is good."""
    row = connection.execute(
        "SELECT person_id FROM sign_in_links WHERE digest = ? AND expires_ms > ?",
        (digest, to_ms(now)),
    ).fetchone()
    return people.load(connection, PersonId(row[0])) if row else None


def use_link(entry: Entry, digest: str) -> Person | None:
    """Take a link out, so that it is good once; None when there is none that is good."""
    person = of_link(entry.connection, digest, entry.now)
    entry.connection.execute("DELETE FROM sign_in_links WHERE digest = ?", (digest,))
    return person


def insert(entry: Entry, sign_in: SignIn, digest: str) -> None:
    """Write a sign-in down; it ends what is over, and the least used of too many."""
    now = entry.now_ms
    entry.connection.execute(
        "DELETE FROM sign_ins WHERE seen_ms <= ? OR opened_ms <= ?",
        (now - _milliseconds(IDLE_LIFE), now - _milliseconds(FULL_LIFE)),
    )
    entry.connection.execute(
        "INSERT INTO sign_ins (sign_in_id, digest, person_id, browser, opened_ms, seen_ms)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            sign_in.sign_in_id,
            digest,
            sign_in.person_id,
            sign_in.browser,
            to_ms(sign_in.opened_at),
            to_ms(sign_in.seen_at),
        ),
    )
    entry.connection.execute(
        "DELETE FROM sign_ins WHERE person_id = ? AND sign_in_id NOT IN (SELECT sign_in_id FROM"
        " sign_ins WHERE person_id = ? ORDER BY seen_ms DESC, sign_in_id DESC LIMIT ?)",
        (sign_in.person_id, sign_in.person_id, SIGN_INS_MAX),
    )


def by_digest(connection: sqlite3.Connection, digest: str) -> SignedIn | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM sign_ins WHERE digest = ?", (digest,)
    ).fetchone()
    person = people.load(connection, PersonId(row[1])) if row else None
    return SignedIn(person=person, sign_in=_to_sign_in(row)) if person else None


def of_person(connection: sqlite3.Connection, person_id: PersonId) -> list[SignIn]:
    """A person's sign-ins, the one used last first; such that are over may be among them."""
    return [
        _to_sign_in(row)
        for row in connection.execute(
            f"SELECT {_COLUMNS} FROM sign_ins WHERE person_id = ? ORDER BY seen_ms DESC",
            (person_id,),
        )
    ]


def note_seen(entry: Entry, sign_in_id: str) -> None:
    entry.connection.execute(
        "UPDATE sign_ins SET seen_ms = ? WHERE sign_in_id = ?", (entry.now_ms, sign_in_id)
    )


def remove(entry: Entry, person_id: PersonId, sign_in_id: str) -> SignIn | None:
    row = entry.connection.execute(
        f"DELETE FROM sign_ins WHERE person_id = ? AND sign_in_id = ? RETURNING {_COLUMNS}",
        (person_id, sign_in_id),
    ).fetchone()
    return _to_sign_in(row) if row else None


def remove_all(entry: Entry, person_id: PersonId, *, but: str = "") -> list[SignIn]:
    """End a person's sign-ins, and their unused links; `but` is a sign-in that stays."""
    entry.connection.execute("DELETE FROM sign_in_links WHERE person_id = ?", (person_id,))
    rows = entry.connection.execute(
        f"DELETE FROM sign_ins WHERE person_id = ? AND sign_in_id <> ? RETURNING {_COLUMNS}",
        (person_id, but),
    ).fetchall()
    return [_to_sign_in(row) for row in rows]


def _milliseconds(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)


def _to_sign_in(row: tuple[str, str, str, int, int]) -> SignIn:
    return SignIn(
        sign_in_id=row[0],
        person_id=PersonId(row[1]),
        browser=row[2],
        opened_at=from_ms(row[3]),
        seen_at=from_ms(row[4]),
    )
