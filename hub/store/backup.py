"""A backup: one file, the hub's store as it was at a moment, and the secrets it needs.

It is a store of SQLite's like the one it was made of, with two tables more: what it is, and the
files that belong to it. Whoever has it can speak for the hub: it is readable by its user alone.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from shared.database import peek
from shared.errors import AppError, BadInput, Unavailable
from shared.times import from_ms, to_ms

FORMAT = "deskhand-hub backup 1"
FILE_BYTES_MAX = 16 * 1024 * 1024
"""Of one file beside the store."""
FILES_MAX = 1000
SUFFIX = ".backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a backup holds."""

    made_at: datetime
    version: str
    """Of the program that made it."""
    hub_epoch: str
    hub_seq: int
    """Where its log ends."""
    people: int
    workers: int
    jobs: int
    jobs_open: int
    """Waiting, running or asking."""
    files: tuple[str, ...]
    """Beside the store: keys, and what frontends keep."""
    size_bytes: int


def write_backup(
    store: Path, target: Path, files: Mapping[str, bytes], *, at: datetime, version: str
) -> Contents:
    """Copy a store that a hub may be using, check the copy, and put it in its place.

    The hub goes on meanwhile: the copy is of one moment, read by a connection that neither
    writes nor checkpoints.

    Args:
        store: the hub's.
        target: the file to be; there is none yet, or it is replaced whole.
        files: what else is needed, by path below the data folder.
        at: now.
        version: of this program.

    Raises:
        Unavailable: `store_unreadable`, `store_corrupt`, `backup_failed`.
    """
    partial = target.with_name(f"{target.name}.part")
    try:
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with contextlib.closing(sqlite3.connect(partial)) as copy:
            with peek(store) as source:
                # All pages in one step: a copy in steps begins anew at every write of the hub.
                source.backup(copy)
            _describe(copy, files, at, version)
        contents = read_contents(partial)
        _sync(partial)
        partial.replace(target)
        _sync(target.parent)
    except (sqlite3.Error, OSError, BadInput) as error:
        raise _failed(target, error) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
    return contents


def read_contents(path: Path) -> Contents:
    """Read what a backup holds, and see that every page of it is sound.

    Raises:
        BadInput: `backup_unreadable`, `backup_damaged`.
    """
    with _reading(path) as backup:
        told = str(backup.execute("PRAGMA integrity_check(1)").fetchone()[0])
        if told != "ok":
            raise BadInput(
                "backup_damaged", f"The backup {path.name} is damaged: {told}.", "Take another one."
            )
        about = dict(backup.execute("SELECT name, value FROM backup_about").fetchall())
        if about.get("format") != FORMAT:
            raise unreadable(path, "it is of another program or version")
        one = backup.execute(
            "SELECT (SELECT coalesce(max(hub_seq), 0) FROM events), (SELECT count(*) FROM people),"
            " (SELECT count(*) FROM workers WHERE is_revoked = 0), (SELECT count(*) FROM jobs),"
            " (SELECT count(*) FROM jobs WHERE state IN"
            " ('queued', 'granted', 'running', 'asking', 'interrupted')),"
            " (SELECT value FROM meta WHERE name = 'hub_epoch')"
        ).fetchone()
        names = backup.execute("SELECT path FROM backup_file ORDER BY path")
        return Contents(
            made_at=from_ms(int(about["made_ms"])),
            version=str(about["version"]),
            hub_seq=one[0],
            people=one[1],
            workers=one[2],
            jobs=one[3],
            jobs_open=one[4],
            hub_epoch=str(one[5]),
            files=tuple(name for (name,) in names),
            size_bytes=path.stat().st_size,
        )


def unpack(path: Path, store: Path) -> dict[str, bytes]:
    """Make a store of a backup, durable; return the files that belong beside it.

    Raises:
        BadInput: `backup_unreadable`.
        Unavailable: `restore_failed`.
    """
    with _reading(path) as backup:
        files = dict(backup.execute("SELECT path, content FROM backup_file").fetchall())
        if not all(_is_below(name) for name in files):
            raise unreadable(path, "it names files outside the data folder")
        try:
            store.unlink(missing_ok=True)
            os.close(os.open(store, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            with contextlib.closing(sqlite3.connect(store)) as copy:
                backup.backup(copy)
                copy.execute("DROP TABLE backup_about")
                copy.execute("DROP TABLE backup_file")
                copy.commit()
            _sync(store)
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(
                "restore_failed",
                f"The backup could not be unpacked: {error}.",
                "Nothing was changed. Free some space and try again.",
            ) from error
    return files


def unreadable(path: Path, why: str) -> BadInput:
    return BadInput(
        "backup_unreadable",
        f"{path.name} is no backup that can be read: {why}.",
        "`deskhand-hub backup` makes them; they lie in the folder backups of the data folder.",
    )


def _describe(
    copy: sqlite3.Connection, files: Mapping[str, bytes], at: datetime, version: str
) -> None:
    # The copy came with the source's mode; one file without a log beside it is what travels.
    copy.execute("PRAGMA journal_mode = DELETE")
    copy.execute("CREATE TABLE backup_about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT")
    copy.execute("CREATE TABLE backup_file (path TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT")
    about = {"format": FORMAT, "made_ms": str(to_ms(at)), "version": version}
    copy.executemany("INSERT INTO backup_about VALUES (?, ?)", list(about.items()))
    copy.executemany("INSERT INTO backup_file VALUES (?, ?)", list(files.items()))
    copy.commit()


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        raise unreadable(path, "there is no such file")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        with contextlib.closing(connection):
            connection.execute("PRAGMA trusted_schema = OFF")
            yield connection
    except (sqlite3.Error, KeyError, ValueError) as error:
        raise unreadable(path, str(error)) from error


def _is_below(name: str) -> bool:
    parts = PurePosixPath(name).parts
    is_plain = all(part not in ("..", ".", "/") and ":" not in part for part in parts)
    return bool(parts) and is_plain and "\\" not in name


def _sync(path: Path) -> None:
    """Make a file, or the names in a folder, outlive a power cut."""
    if path.is_dir() and os.name == "nt":
        return  # folders cannot be opened there
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() or os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failed(target: Path, error: Exception) -> AppError:
    why = error.message if isinstance(error, BadInput) else str(error)
    return Unavailable(
        "backup_failed",
        f"The backup {target.name} could not be made: {why}",
        "See that the disk has room and the folder can be written.",
        retryable=True,
    )
