"""Paired machines. Whether one is here now is not stored: see `hub.core.placement`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from pydantic import TypeAdapter

from hub.core.worker import Worker
from hub.store.ledger import Entry
from shared.capabilities import Capability
from shared.fleet import FLEET_PLATFORM
from shared.ids import PersonId, WorkerId
from shared.times import from_ms, to_ms

_CAPABILITIES: TypeAdapter[tuple[Capability, ...]] = TypeAdapter(tuple[Capability, ...])
_SELECT = (
    "SELECT worker_id, person_id, name, platform, app_version, capabilities, paired_ms,"
    " last_seen_ms, is_paused, is_revoked, public_key, pull_slots FROM workers"
)


def add_pullers(connection: sqlite3.Connection) -> None:
    """Workers may fetch their work."""
    connection.execute("ALTER TABLE workers ADD COLUMN pull_slots INTEGER NOT NULL DEFAULT 0")


def insert(entry: Entry, worker: Worker) -> None:
    entry.connection.execute(
        "INSERT INTO workers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            worker.worker_id,
            worker.person_id,
            worker.name,
            worker.platform,
            worker.app_version,
            _write(worker.capabilities),
            to_ms(worker.paired_at),
            to_ms(worker.last_seen_at),
            int(worker.is_paused),
            int(worker.is_revoked),
            worker.public_key,
            worker.pull_slots,
        ),
    )


def load(connection: sqlite3.Connection, worker_id: WorkerId) -> Worker | None:
    row = connection.execute(f"{_SELECT} WHERE worker_id = ?", (worker_id,)).fetchone()
    return _to_worker(row) if row else None


def of_person(connection: sqlite3.Connection, person_id: PersonId | None) -> list[Worker]:
    """Those not revoked, by name; everybody's when None."""
    rows = connection.execute(
        f"{_SELECT} WHERE is_revoked = 0 AND (? IS NULL OR person_id = ?) ORDER BY name",
        (person_id, person_id),
    )
    return [_to_worker(row) for row in rows]


def pulling(connection: sqlite3.Connection) -> set[WorkerId]:
    """Workers that fetch their work."""
    rows = connection.execute("SELECT worker_id FROM workers WHERE pull_slots > 0")
    return {WorkerId(row[0]) for row in rows}


def fleets(connection: sqlite3.Connection) -> list[Worker]:
    """Those that stand for the fleet, one a person; revoked ones left out."""
    rows = connection.execute(
        f"{_SELECT} WHERE pull_slots > 0 AND platform = ? AND is_revoked = 0", (FLEET_PLATFORM,)
    )
    return [_to_worker(row) for row in rows]


def fleets_of(connection: sqlite3.Connection, person_id: PersonId) -> list[Worker]:
    """Those that stand or stood for the fleet for a person."""
    rows = connection.execute(
        f"{_SELECT} WHERE pull_slots > 0 AND platform = ? AND person_id = ?",
        (FLEET_PLATFORM, person_id),
    )
    return [_to_worker(row) for row in rows]


def of_key(connection: sqlite3.Connection, public_key: bytes) -> list[Worker]:
    """Machines that paired with a key, the newest last, revoked ones included."""
    rows = connection.execute(f"{_SELECT} WHERE public_key = ? ORDER BY worker_id", (public_key,))
    return [_to_worker(row) for row in rows]


def update(entry: Entry, worker: Worker) -> None:
    """Write down what a worker tells of itself, and what people decided about it."""
    entry.connection.execute(
        "UPDATE workers SET name = ?, platform = ?, app_version = ?, capabilities = ?,"
        " last_seen_ms = ?, is_paused = ?, is_revoked = ? WHERE worker_id = ?",
        (
            worker.name,
            worker.platform,
            worker.app_version,
            _write(worker.capabilities),
            to_ms(worker.last_seen_at),
            int(worker.is_paused),
            int(worker.is_revoked),
            worker.worker_id,
        ),
    )


def note_seen(entry: Entry, seen: Iterable[tuple[WorkerId, datetime]]) -> None:
    entry.connection.executemany(
        "UPDATE workers SET last_seen_ms = ? WHERE worker_id = ?",
        [(to_ms(at), worker_id) for worker_id, at in seen],
    )


def _write(capabilities: tuple[Capability, ...]) -> str:
    return _CAPABILITIES.dump_json(capabilities).decode()


def _to_worker(row: tuple[object, ...]) -> Worker:
    worker_id, person_id, name, platform, version, able, paired, seen, paused, revoked = row[:10]
    key, pull_slots = row[10:]
    assert isinstance(pull_slots, int)
    assert isinstance(paired, int)
    assert isinstance(seen, int)
    assert isinstance(key, bytes)
    return Worker(
        worker_id=WorkerId(str(worker_id)),
        person_id=PersonId(str(person_id)),
        name=str(name),
        platform=str(platform or ""),
        app_version=str(version or ""),
        capabilities=_CAPABILITIES.validate_json(str(able)),
        paired_at=from_ms(paired),
        last_seen_at=from_ms(seen),
        is_paused=bool(paused),
        is_revoked=bool(revoked),
        public_key=key,
        pull_slots=pull_slots,
    )
