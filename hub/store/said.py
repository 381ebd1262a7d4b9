"""What a worker last said of itself beyond what it can do: what it lacks, and its time zone."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from pydantic import TypeAdapter

from hub.core.worker import Worker
from hub.store import people, workers
from shared.capabilities import Lacking
from shared.ids import PersonId, WorkerId

Candidates = tuple[list[Worker], Mapping[WorkerId, tuple[Lacking, ...]]]

_LACKING: TypeAdapter[tuple[Lacking, ...]] = TypeAdapter(tuple[Lacking, ...])


def create_said(connection: sqlite3.Connection) -> None:
    """Make the table: one step of the hub's migrations."""
    connection.execute(
        "CREATE TABLE worker_said (worker_id TEXT PRIMARY KEY, lacking TEXT NOT NULL,"
        " zone TEXT NOT NULL) STRICT, WITHOUT ROWID"
    )


def note(
    connection: sqlite3.Connection, worker_id: WorkerId, lacking: tuple[Lacking, ...], zone: str
) -> None:
    """Keep what a worker said, in place of what it said before."""
    connection.execute(
        "INSERT INTO worker_said VALUES (?, ?, ?) ON CONFLICT (worker_id)"
        " DO UPDATE SET lacking = excluded.lacking, zone = excluded.zone",
        (worker_id, _LACKING.dump_json(lacking).decode(), zone),
    )


def candidates(connection: sqlite3.Connection, person_id: PersonId) -> Candidates:
    """A person's workers, and what those that said so lack."""
    registered = workers.of_person(connection, person_id)
    rows = connection.execute(
        "SELECT worker_id, lacking FROM worker_said WHERE lacking <> '[]' AND worker_id IN"
        " (SELECT worker_id FROM workers WHERE person_id = ? AND is_revoked = 0)",
        (person_id,),
    )
    return registered, {WorkerId(row[0]): _LACKING.validate_json(row[1]) for row in rows}


def zone(connection: sqlite3.Connection, person_id: PersonId) -> str:
    """The time zone that a person named, else the one of their worker that was seen last.

    Servers often stand in UTC, wherever their person is: a worker that does not comes first.
    Empty when nobody said.
    """
    named = people.zone(connection, person_id)
    if named:
        return named
    row = connection.execute(
        "SELECT zone FROM worker_said JOIN workers USING (worker_id)"
        " WHERE person_id = ? AND is_revoked = 0 AND zone <> ''"
        " ORDER BY zone IN ('UTC', 'Etc/UTC'), last_seen_ms DESC LIMIT 1",
        (person_id,),
    ).fetchone()
    return str(row[0]) if row else ""
