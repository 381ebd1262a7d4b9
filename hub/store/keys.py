"""Keys of programs and tokens of machines: what each allows, and the digest of its secret."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime

from hub.core.access import Access, Scope
from hub.core.key import KEPT, Key
from hub.store.ledger import Entry
from shared.ids import PersonId, WorkerId
from shared.times import from_ms, to_ms

_SELECT = (
    "SELECT key_id, scope, person_id, digest, created_ms, name, last, is_machine, worker_id, kinds,"
    " expires_ms, used_ms, successor FROM keys"
)


def add_lives(connection: sqlite3.Connection) -> None:
    """Keys have names and ends, and may be a worker's that fetches its work."""
    for column in (
        "name TEXT NOT NULL DEFAULT ''",
        "last TEXT NOT NULL DEFAULT ''",
        "is_machine INTEGER NOT NULL DEFAULT 0",
        "worker_id TEXT NOT NULL DEFAULT ''",
        "kinds TEXT NOT NULL DEFAULT '[]'",
        "expires_ms INTEGER",
        "used_ms INTEGER",
        "successor TEXT NOT NULL DEFAULT ''",
    ):
        connection.execute(f"ALTER TABLE keys ADD COLUMN {column}")
    # Until now no other key had this scope.
    connection.execute("UPDATE keys SET is_machine = 1 WHERE scope = 'worker'")
    connection.execute("CREATE INDEX keys_of_person ON keys (person_id)")
    connection.execute("CREATE INDEX keys_of_worker ON keys (worker_id) WHERE worker_id != ''")


def insert(entry: Entry, key: Key) -> None:
    access = key.access
    entry.connection.execute(
        "INSERT INTO keys (key_id, scope, person_id, digest, created_ms, name, last, is_machine,"
        " worker_id, kinds, expires_ms, successor) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            access.key_id,
            access.scope,
            access.person_id,
            key.digest,
            to_ms(key.created_at),
            key.name,
            key.last,
            int(access.is_machine),
            access.worker_id or "",
            json.dumps(access.kinds),
            None if key.expires_at is None else to_ms(key.expires_at),
            key.successor,
        ),
    )


def load(connection: sqlite3.Connection, key_id: str) -> Key | None:
    row = connection.execute(f"{_SELECT} WHERE key_id = ?", (key_id,)).fetchone()
    return _to_key(row) if row else None


def of_person(connection: sqlite3.Connection, person_id: PersonId | None) -> list[Key]:
    """A person's, or everybody's when None; the newest first; no tokens of machines."""
    rows = connection.execute(
        f"{_SELECT} WHERE is_machine = 0 AND (? IS NULL OR person_id = ?) ORDER BY key_id DESC",
        (person_id, person_id),
    )
    return [_to_key(row) for row in rows]


def count(connection: sqlite3.Connection, person_id: PersonId) -> int:
    """How many keys a person has, tokens of machines and keys of workers not counted."""
    row = connection.execute(
        "SELECT count(*) FROM keys WHERE person_id = ? AND is_machine = 0 AND worker_id = ''",
        (person_id,),
    ).fetchone()
    return int(row[0])


def let_end(entry: Entry, key: Key) -> None:
    """Write down when a key ends, and which one took its place."""
    entry.connection.execute(
        "UPDATE keys SET expires_ms = ?, successor = ? WHERE key_id = ?",
        (None if key.expires_at is None else to_ms(key.expires_at), key.successor, key.key_id),
    )


def note_used(entry: Entry, used: Iterable[tuple[str, datetime]]) -> None:
    entry.connection.executemany(
        "UPDATE keys SET used_ms = ? WHERE key_id = ?",
        [(to_ms(at), key_id) for key_id, at in used],
    )


def remove(entry: Entry, key_id: str) -> None:
    entry.connection.execute("DELETE FROM keys WHERE key_id = ?", (key_id,))


def remove_of_worker(entry: Entry, worker_id: WorkerId) -> None:
    """End a machine's token, or all keys of a worker that fetches its work."""
    entry.connection.execute(
        "DELETE FROM keys WHERE key_id = ? OR (worker_id != '' AND worker_id = ?)",
        (worker_id, worker_id),
    )


def drop_old(entry: Entry) -> None:
    """Forget keys that ran out long ago."""
    entry.connection.execute(
        "DELETE FROM keys WHERE expires_ms IS NOT NULL AND expires_ms < ?",
        (to_ms(entry.now - KEPT),),
    )


def _to_key(row: tuple[object, ...]) -> Key:
    key_id, scope, person_id, digest, created_ms, name, last, is_machine, worker_id, kinds = row[
        :10
    ]
    expires_ms, used_ms, successor = row[10:]
    access = Access(
        person_id=PersonId(str(person_id)),
        scope=Scope(str(scope)),
        key_id=str(key_id),
        is_machine=bool(is_machine),
        worker_id=WorkerId(str(worker_id)) if worker_id else None,
        kinds=tuple(json.loads(str(kinds))),
    )
    created_at = _moment(created_ms)
    assert created_at is not None
    return Key(
        access=access,
        digest=str(digest),
        name=str(name),
        last=str(last),
        created_at=created_at,
        expires_at=_moment(expires_ms),
        used_at=_moment(used_ms),
        successor=str(successor),
    )


def _moment(milliseconds: object) -> datetime | None:
    if milliseconds is None:
        return None
    assert isinstance(milliseconds, int)
    return from_ms(milliseconds)
