"""Which workers sign what they report, from which event on, and when a person was last warned."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from hub.store.ledger import Entry
from shared.events import Event
from shared.ids import WorkerId
from shared.signatures import Since

WARNED_MS = 24 * 3600 * 1000
"""A worker whose signatures are wrong is told of once in this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    name: str = ""
    public_key: bytes = b""
    """Empty for a worker that paired without a key."""
    since: Since | None = None


def create(connection: sqlite3.Connection) -> None:
    """Workers sign; the first event that was signed is remembered."""
    connection.execute(
        "CREATE TABLE signers (worker_id TEXT PRIMARY KEY, epoch INTEGER NOT NULL,"
        " seq INTEGER NOT NULL, warned_ms INTEGER NOT NULL DEFAULT 0) STRICT"
    )


def load(connection: sqlite3.Connection, worker_id: WorkerId) -> Signer:
    row = connection.execute(
        "SELECT name, public_key, epoch, seq FROM workers LEFT JOIN signers USING (worker_id)"
        " WHERE worker_id = ?",
        (worker_id,),
    ).fetchone()
    if row is None:
        return Signer()
    name, public_key, epoch, seq = row
    # A row without a number was made by a warning alone.
    return Signer(name=name, public_key=public_key, since=Since(epoch, seq) if seq else None)


def note_first(entry: Entry, worker_id: WorkerId, event: Event) -> Since:
    """From this event on a worker signs."""
    entry.connection.execute(
        "INSERT INTO signers (worker_id, epoch, seq) VALUES (?, ?, ?)"
        " ON CONFLICT (worker_id) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq",
        (worker_id, event.epoch, event.seq),
    )
    return Since(event.epoch, event.seq)


def may_warn(entry: Entry, worker_id: WorkerId) -> bool:
    """Say whether its person is to be warned of a worker now, and note that they are."""
    now = entry.now_ms
    cursor = entry.connection.execute(
        "INSERT INTO signers (worker_id, epoch, seq, warned_ms) VALUES (?, 0, 0, ?)"
        " ON CONFLICT (worker_id) DO UPDATE SET warned_ms = excluded.warned_ms"
        " WHERE warned_ms <= ?",
        (worker_id, now, now - WARNED_MS),
    )
    return cursor.rowcount > 0
