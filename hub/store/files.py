"""Which files are announced, here, or gone. Their contents lie in a folder, see `shelf`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from hub.core.stored_file import FileState, StoredFile
from hub.store.ledger import Entry
from shared.ids import JobId, PersonId
from shared.kinds import FileRef
from shared.times import to_ms

_COLUMNS = "job_id, person_id, name, sha256, size_bytes, media_type, state"
_SCHEMA = (
    """CREATE TABLE files (
        job_id TEXT NOT NULL,
        place INTEGER NOT NULL,
        person_id TEXT NOT NULL,
        name TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        media_type TEXT NOT NULL,
        state TEXT NOT NULL,
        announced_ms INTEGER NOT NULL,
        PRIMARY KEY (job_id, place)
    ) STRICT""",
    "CREATE INDEX files_by_content ON files (person_id, sha256)",
    "CREATE INDEX files_by_age ON files (announced_ms)",
)


def create_files(connection: sqlite3.Connection) -> None:
    """Make the table: one step of the hub's migrations."""
    for statement in _SCHEMA:
        connection.execute(statement)


def announce(entry: Entry, job_id: JobId, person_id: PersonId, refs: Iterable[FileRef]) -> None:
    """Expect what a job's result hands over. A result that comes twice changes nothing."""
    entry.connection.executemany(
        "INSERT INTO files VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
        [
            (
                job_id,
                place,
                person_id,
                ref.name,
                ref.sha256,
                ref.size_bytes,
                ref.media_type,
                FileState.ANNOUNCED,
                entry.now_ms,
            )
            for place, ref in enumerate(refs)
        ],
    )


def of_content(
    connection: sqlite3.Connection, person_id: PersonId, sha256: str
) -> list[StoredFile]:
    """All files of a person with this content."""
    return _read(connection, "person_id = ? AND sha256 = ? ORDER BY rowid", person_id, sha256)


def of_job(connection: sqlite3.Connection, job_id: JobId) -> list[StoredFile]:
    """The files of a job, in the order it handed them over."""
    return _read(connection, "job_id = ? ORDER BY place", job_id)


def here(connection: sqlite3.Connection, sha256: str) -> StoredFile | None:
    """A file with this content that is here."""
    found = _read(connection, "sha256 = ? AND state = ? LIMIT 1", sha256, FileState.HERE)
    return found[0] if found else None


def of_person(connection: sqlite3.Connection, person_id: PersonId) -> list[StoredFile]:
    """The files of a person that did not go yet, the newest first."""
    return _read(
        connection,
        "person_id = ? AND state != ? ORDER BY announced_ms DESC, place",
        person_id,
        FileState.GONE,
    )


def all_here(connection: sqlite3.Connection) -> list[StoredFile]:
    """Every file whose content is on the shelf."""
    return _read(connection, "state = ?", FileState.HERE)


def older(connection: sqlite3.Connection, then: datetime) -> list[StoredFile]:
    """Files announced before a moment that are announced or here still."""
    return _read(connection, "announced_ms < ? AND state != ?", str(to_ms(then)), FileState.GONE)


def bytes_here(connection: sqlite3.Connection) -> dict[PersonId, int]:
    """How much of the disk each person's files take."""
    rows = connection.execute(
        "SELECT person_id, sum(size_bytes) FROM"
        " (SELECT DISTINCT person_id, sha256, size_bytes FROM files WHERE state = ?)"
        " GROUP BY person_id",
        (FileState.HERE,),
    )
    return {PersonId(row[0]): row[1] for row in rows}


def move(connection: sqlite3.Connection, file: StoredFile, to: FileState) -> None:
    """Move one file of one job on."""
    connection.execute(
        "UPDATE files SET state = ? WHERE job_id = ? AND sha256 = ? AND state = ?",
        (to, file.job_id, file.ref.sha256, file.state),
    )


def forget(connection: sqlite3.Connection, then: datetime) -> None:
    """Forget files that have been gone for long."""
    connection.execute(
        "DELETE FROM files WHERE state = ? AND announced_ms < ?", (FileState.GONE, to_ms(then))
    )


def is_waiting_to_be_shown(connection: sqlite3.Connection, sha256: str) -> bool:
    """Whether a message that is still to be sent carries this content."""
    assert sha256.isalnum()
    found = connection.execute("SELECT 1 FROM outbox WHERE instr(view, ?) LIMIT 1", (sha256,))
    return found.fetchone() is not None


def _read(connection: sqlite3.Connection, test: str, *values: str) -> list[StoredFile]:
    rows = connection.execute(f"SELECT {_COLUMNS} FROM files WHERE {test}", values)
    return [
        StoredFile(
            job_id=JobId(row[0]),
            person_id=PersonId(row[1]),
            ref=FileRef(name=row[2], sha256=row[3], size_bytes=row[4], media_type=row[5]),
            state=FileState(row[6]),
        )
        for row in rows
    ]
