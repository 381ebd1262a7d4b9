"""What short names on buttons stand for. They are made by `hub.services.taps`."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from shared.ids import ConversationId

NAMES_MAX = 5_000
"""Of one conversation; those not used for longest give way."""


def create_taps(connection: sqlite3.Connection) -> None:
    """Make the table: one step of the hub's migrations."""
    connection.execute(
        "CREATE TABLE taps (name TEXT PRIMARY KEY, conversation TEXT NOT NULL,"
        " says TEXT NOT NULL, named_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID"
    )
    connection.execute("CREATE INDEX taps_by_conversation ON taps (conversation, named_ms)")
    connection.execute("CREATE INDEX taps_by_age ON taps (named_ms)")


def name(
    connection: sqlite3.Connection,
    conversation: ConversationId,
    named: Sequence[tuple[str, str]],
    now_ms: int,
) -> int:
    """Keep names with what they say; return how many others gave way."""
    connection.executemany(
        "INSERT INTO taps (name, conversation, says, named_ms) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET named_ms = excluded.named_ms",
        [(short, conversation, says, now_ms) for short, says in named],
    )
    gone = connection.execute(
        "DELETE FROM taps WHERE name IN (SELECT name FROM taps WHERE conversation = ?"
        " ORDER BY named_ms DESC, name LIMIT -1 OFFSET ?)",
        (conversation, NAMES_MAX),
    )
    return gone.rowcount


def forget(connection: sqlite3.Connection, before_ms: int) -> None:
    """Drop names that were last given before a time."""
    connection.execute("DELETE FROM taps WHERE named_ms < ?", (before_ms,))


def said(
    connection: sqlite3.Connection, conversation: ConversationId, short: str, since_ms: int
) -> str | None:
    """What a name says in its conversation; None when it is unknown there, or too old."""
    row = connection.execute(
        "SELECT says FROM taps WHERE name = ? AND conversation = ? AND named_ms >= ?",
        (short, conversation, since_ms),
    ).fetchone()
    return str(row[0]) if row else None
