"""Workers whose absence was told, so that it is told once, and their return, too."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from hub.store.ledger import Entry
from shared.ids import WorkerId
from shared.times import from_ms, to_ms


def create_losses(connection: sqlite3.Connection) -> None:
    """Make the table: one step of the hub's migrations."""
    connection.execute(
        "CREATE TABLE losses (worker_id TEXT PRIMARY KEY, since_ms INTEGER NOT NULL)"
        " STRICT, WITHOUT ROWID"
    )


def note(entry: Entry, worker_id: WorkerId, since: datetime) -> None:
    """Its absence is told."""
    entry.connection.execute("INSERT INTO losses VALUES (?, ?)", (worker_id, to_ms(since)))


def since(connection: sqlite3.Connection, worker_id: WorkerId) -> datetime | None:
    """Since when a worker is away, as it was told; None when no absence of it was."""
    row = connection.execute(
        "SELECT since_ms FROM losses WHERE worker_id = ?", (worker_id,)
    ).fetchone()
    return from_ms(row[0]) if row else None


def forget(entry: Entry, worker_id: WorkerId) -> None:
    """It is back."""
    entry.connection.execute("DELETE FROM losses WHERE worker_id = ?", (worker_id,))


def told(connection: sqlite3.Connection) -> set[WorkerId]:
    """All workers whose absence was told."""
    return {WorkerId(row[0]) for row in connection.execute("SELECT worker_id FROM losses")}
