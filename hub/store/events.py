"""The log of events in the hub's total order, and how far each worker's own log was taken in."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from hub.core.fact import Fact
from hub.store.ledger import Entry
from shared.ids import PersonId

_SELECT = (
    "SELECT hub_seq, person_id, device, epoch, seq, at, type, version, entity, body, signature,"
    " hlc, hlc_clamped, sealed_with FROM events"
)


def after(connection: sqlite3.Connection, hub_seq: int, limit: int) -> list[Fact]:
    """Read on, everybody's."""
    rows = connection.execute(
        f"{_SELECT} WHERE hub_seq > ? ORDER BY hub_seq LIMIT ?", (hub_seq, limit)
    )
    return [_to_fact(row) for row in rows]


def of_person_after(
    connection: sqlite3.Connection, person_id: PersonId, hub_seq: int, limit: int
) -> list[Fact]:
    rows = connection.execute(
        f"{_SELECT} WHERE person_id = ? AND hub_seq > ? ORDER BY hub_seq LIMIT ?",
        (person_id, hub_seq, limit),
    )
    return [_to_fact(row) for row in rows]


def of_entity(
    connection: sqlite3.Connection, person_id: PersonId, entity: str, limit: int
) -> list[Fact]:
    """What happened to one thing of a person, in hub order."""
    rows = connection.execute(
        f"{_SELECT} WHERE entity = ? AND person_id = ? ORDER BY hub_seq LIMIT ?",
        (entity, person_id, limit),
    )
    return [_to_fact(row) for row in rows]


def cursor(connection: sqlite3.Connection, device: str, epoch: int) -> int:
    """How far a device's log of an epoch has been taken in; 0 when not at all."""
    row = connection.execute(
        "SELECT seq FROM cursors WHERE device = ? AND epoch = ?", (device, epoch)
    ).fetchone()
    return row[0] if row else 0


def move_cursor(entry: Entry, device: str, epoch: int, seq: int) -> None:
    entry.connection.execute(
        "INSERT INTO cursors VALUES (?, ?, ?)"
        " ON CONFLICT (device, epoch) DO UPDATE SET seq = excluded.seq",
        (device, epoch, seq),
    )


def add_stamps(connection: sqlite3.Connection) -> None:
    """Events have stamps, and may be sealed."""
    for column in ("hlc INTEGER", "hlc_clamped INTEGER", "sealed_with TEXT"):
        name, kind = column.split()
        default = "0" if kind == "INTEGER" else "''"
        connection.execute(
            f"ALTER TABLE events ADD COLUMN {name} {kind} NOT NULL DEFAULT {default}"
        )


def _to_fact(row: tuple[object, ...]) -> Fact:
    hub_seq, person_id, device, epoch, seq, at, type_, version, entity, body, signature = row[:11]
    hlc, hlc_clamped, sealed_with = row[11:]
    assert isinstance(hub_seq, int)
    assert isinstance(epoch, int)
    assert isinstance(seq, int)
    assert isinstance(version, int)
    assert isinstance(hlc, int)
    assert isinstance(hlc_clamped, int)
    return Fact(
        hub_seq=hub_seq,
        person_id=PersonId(str(person_id)),
        device=str(device),
        epoch=epoch,
        seq=seq,
        at=datetime.fromisoformat(str(at)),
        type=str(type_),
        version=version,
        entity=str(entity),
        payload=json.loads(str(body)),
        signature=str(signature or ""),
        hlc=hlc,
        hlc_clamped=hlc_clamped,
        sealed_with=str(sealed_with),
    )
