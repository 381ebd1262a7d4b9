"""What requests under an Idempotency-Key were answered. Made by `hub.services.once`."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from hub.store.ledger import Entry


class Kept(NamedTuple):
    digest: str
    """Of the request."""
    sealed: bytes | None
    """The answer; None while there is none."""


def create_answers(connection: sqlite3.Connection) -> None:
    """Make the table: one step of the hub's migrations."""
    connection.execute(
        "CREATE TABLE answers (name TEXT PRIMARY KEY, digest TEXT NOT NULL, sealed BLOB,"
        " made_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID"
    )
    connection.execute("CREATE INDEX answers_by_age ON answers (made_ms)")


def load(connection: sqlite3.Connection, name: str) -> Kept | None:
    row = connection.execute(
        "SELECT digest, sealed FROM answers WHERE name = ?", (name,)
    ).fetchone()
    return Kept(*row) if row else None


def reserve(entry: Entry, name: str, digest: str) -> None:
    entry.connection.execute(
        "INSERT INTO answers (name, digest, made_ms) VALUES (?, ?, ?)",
        (name, digest, entry.now_ms),
    )


def keep(entry: Entry, name: str, sealed: bytes) -> None:
    entry.connection.execute("UPDATE answers SET sealed = ? WHERE name = ?", (sealed, name))


def drop(entry: Entry, name: str) -> None:
    entry.connection.execute("DELETE FROM answers WHERE name = ?", (name,))


def forget(entry: Entry, before_ms: int) -> None:
    """Drop what was made before a time."""
    entry.connection.execute("DELETE FROM answers WHERE made_ms < ?", (before_ms,))
