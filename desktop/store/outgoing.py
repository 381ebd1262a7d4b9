"""Copies of files on their way to the hub, and which job wrote which file for its person.

Rows are written with the outcome that tells of them, in one transaction; the copies lie in a
folder (`desktop.system.outgoing_folder`) under the name of their row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.ids import JobId
from shared.kinds import FileRef
from shared.times import from_ms, to_ms

WRITTEN_KEPT_DAYS = 30
"""How long "the file that job wrote" is remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One copy on its way."""

    copy: str
    """The name of the copy in its folder."""
    ref: FileRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A parcel that has to be brought to the hub."""

    copy: str
    sha256: str
    size_bytes: int
    since: datetime


def create(connection: sqlite3.Connection) -> None:
    """Make the tables: one step of the worker's migrations."""
    connection.execute(
        "create table outgoing (copy text primary key, sha256 text not null,"
        " size_bytes integer not null, since_ms integer not null) strict"
    )
    connection.execute(
        "create table written (job_id text primary key, path text not null,"
        " since_ms integer not null) strict"
    )


def put(connection: sqlite3.Connection, parcels: Iterable[Parcel], at: datetime) -> None:
    connection.executemany(
        "insert into outgoing values (?, ?, ?, ?)",
        [(p.copy, p.ref.sha256, p.ref.size_bytes, to_ms(at)) for p in parcels],
    )


def waiting(connection: sqlite3.Connection) -> list[Waiting]:
    """Return all parcels, the oldest first."""
    rows = connection.execute(
        "select copy, sha256, size_bytes, since_ms from outgoing order by since_ms, rowid"
    )
    return [
        Waiting(copy=row[0], sha256=row[1], size_bytes=row[2], since=from_ms(row[3]))
        for row in rows
    ]


def remove(connection: sqlite3.Connection, copy: str) -> None:
    connection.execute("delete from outgoing where copy = ?", (copy,))


def note_written(connection: sqlite3.Connection, job_id: JobId, path: str, at: datetime) -> None:
    """Remember the file a job wrote for its person."""
    connection.execute(
        "insert into written values (?, ?, ?) on conflict(job_id) do update set"
        " path = excluded.path, since_ms = excluded.since_ms",
        (job_id, path, to_ms(at)),
    )
    then = to_ms(at - timedelta(days=WRITTEN_KEPT_DAYS))
    connection.execute("delete from written where since_ms < ?", (then,))


def written_by(connection: sqlite3.Connection, job_id: str) -> str | None:
    row = connection.execute("select path from written where job_id = ?", (job_id,)).fetchone()
    return str(row[0]) if row else None
