"""A store's file: how it is opened, checked, and opened again after the disk has failed.

    clean stop ──▶ open                          no -wal beside it: nothing is checked
    killed ──▶ open, quick_check                 a -wal; a large store while it is in use already
    the disk failed ──▶ open, quick_check        a mark that says so

What SQLite meets is sorted here: a full disk, a disk that fails, a damaged store, anything else.
"""

from __future__ import annotations

import contextlib
import math
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.ballast import BALLAST_BYTES
from shared.errors import DISK_FULL, STORE_CORRUPT, STORE_FAILED, AppError, Unavailable

Migration = Callable[[sqlite3.Connection], None]
"""One numbered step of a schema; its number is its place in the sequence, from 1."""
Connect = Callable[[Path], sqlite3.Connection]
"""Opens a store for writing; tests bring connections that fail."""

PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "busy_timeout = 5000",
    "wal_autocheckpoint = 4000",
    "journal_size_limit = 67108864",
    "trusted_schema = OFF",
    "temp_store = MEMORY",
)
SQLITE_SOUND = (3, 51, 3)
SQLITE_SOUND_TOO = ((3, 50, 7), (3, 44, 6))
"""Others can corrupt a store that two connections write and checkpoint
(sqlite.org/wal.html#walresetbug)."""

_FULL = frozenset({sqlite3.SQLITE_FULL})
_CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_FAILING = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY})


def connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """What a program wants for its store, and what it says when the store fails."""

    machine: str = "this computer"
    """Whose disk it is, in words: errors travel."""
    repair_hint: str = "Run the doctor command; it checks the store."
    """What mends a damaged store."""
    ballast_bytes: int = BALLAST_BYTES
    ballast_seconds: float = 10.0
    """A program that runs this long has a ballast; a command that is done before needs none."""
    check_late_bytes: float = math.inf
    """A store larger than this that a killed program left is checked while it is in use."""
    check_late_seconds: float = 0.0
    """How long after it was opened: a program that starts needs its cores and its disk itself."""
    tend_seconds: float = 5.0
    """How often it is looked whether the disk has room, or works, again."""
    pragmas: tuple[str, ...] = ()
    """For tests: said after our own."""
    connect: Connect = connect


def is_full(error: sqlite3.Error) -> bool:
    return _primary(error) in _FULL


def is_corrupt(error: sqlite3.Error) -> bool:
    return _primary(error) in _CORRUPT


def is_failing(error: sqlite3.Error) -> bool:
    """Whether the disk failed: what was under way is undone, and the connection not trusted."""
    return _primary(error) in _FAILING


def is_of_the_disk(error: BaseException) -> bool:
    return isinstance(error, sqlite3.Error) and _primary(error) in _FULL | _CORRUPT | _FAILING


def _primary(error: sqlite3.Error) -> int:
    """Return the error's number without what makes it more precise (sqlite.org/rescode.html)."""
    code: int = getattr(error, "sqlite_errorcode", None) or 0
    return code & 0xFF


def storage_error(error: sqlite3.Error, path: Path, care: Care) -> AppError:
    """Tell a person what SQLite met while it wrote."""
    if is_full(error):
        return disk_full(care)
    if is_corrupt(error):
        return corrupt(path, str(error), care)
    return failed(str(error), care)


def disk_full(care: Care) -> Unavailable:
    return Unavailable(
        DISK_FULL,
        f"The disk of {care.machine} is full, nothing more can be stored.",
        "Free some space there; it goes on by itself.",
        retryable=True,
    )


def failed(why: str, care: Care) -> Unavailable:
    return Unavailable(
        STORE_FAILED,
        f"The store could not be written: {why}.",
        f"It is tried again by itself; if this goes on, look at the disk of {care.machine}.",
        retryable=True,
    )


def corrupt(path: Path, why: str, care: Care) -> Unavailable:
    return Unavailable(STORE_CORRUPT, f"The store {path.name} is damaged: {why}.", care.repair_hint)


def unreadable(path: Path, error: sqlite3.Error, care: Care | None = None) -> Unavailable:
    if is_corrupt(error):
        return corrupt(path, str(error), care or Care())
    return Unavailable(
        "store_unreadable",
        f"The store {path.name} cannot be read: {error}.",
        "Run the doctor command; it checks the store.",
    )


def open_store_file(
    path: Path,
    migrations: Sequence[Migration],
    cache_kib: int,
    care: Care,
    *,
    is_checked_late: bool = False,
) -> sqlite3.Connection:
    """Open or create a store, look at it when it was not closed well, and bring it up to date.

    Args:
        path: of the store's file.
        migrations: every step of its schema so far.
        cache_kib: how much of it may stay in memory.
        care: how it is looked after.
        is_checked_late: whoever opens it looks it through afterwards (`may_check_late`).

    Raises:
        Unavailable: `store_unreadable`, `store_corrupt`, `store_newer`, `disk_full`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    is_suspect = was_unclean(path)
    try:
        connection = _connected(path, cache_kib, care)
        try:
            # What a migration changes must be sound before.
            is_current = schema_version(connection) == len(migrations)
            if is_suspect and not (is_checked_late and is_current):
                check(connection, path, care)
                trust(path)
            path.chmod(0o600)
            _migrate(connection, migrations, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        if is_corrupt(error):
            suspect(path)
        raise disk_full(care) if is_full(error) else unreadable(path, error, care) from error
    return connection


def reopened(old: sqlite3.Connection, path: Path, cache_kib: int, care: Care) -> sqlite3.Connection:
    """Take another connection after the disk failed; `fence` it before it is used.

    The new one is opened before the old one closes: as long as one is open, what the old one
    could not commit is no part of the log, though its pages may lie in the file.

    Raises:
        Unavailable: `store_corrupt`; the store is marked, so that the next start looks, too.
        sqlite3.Error: it does not work yet; the old one is as it was.
    """
    suspect(path)
    fresh = _connected(path, cache_kib, care)
    try:
        check(fresh, path, care)
    except BaseException:
        fresh.close()
        raise
    with contextlib.suppress(sqlite3.Error):
        old.close()
    return fresh


def fence(connection: sqlite3.Connection, path: Path) -> None:
    """Commit something, over the pages of whatever could not be committed.

    From here on no recovery takes those for committed: what was told to have failed has failed.
    """
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"PRAGMA user_version = {schema_version(connection)}")
    connection.execute("COMMIT")
    trust(path)


def check(connection: sqlite3.Connection, path: Path, care: Care) -> None:
    """Read the whole store and see whether it holds together; about a second for a gigabyte.

    Raises:
        Unavailable: `store_corrupt`.
    """
    told = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if told != "ok":
        suspect(path)
        raise corrupt(path, told.splitlines()[-1], care)


def was_unclean(path: Path) -> bool:
    """Say whether a store was not closed as it should be, or the disk failed under it."""
    try:
        return _mark(path).exists() or path.with_name(f"{path.name}-wal").stat().st_size > 0
    except OSError:
        return False


def may_check_late(path: Path, care: Care) -> bool:
    """Say whether a store is to be checked, and may be used before: ask before it is opened."""
    try:
        is_large = path.stat().st_size > care.check_late_bytes
    except OSError:
        return False
    return is_large and was_unclean(path) and not _mark(path).exists()


def suspect(path: Path) -> None:
    """Mark a store, so that whoever opens it next checks it first."""
    with contextlib.suppress(OSError):
        _mark(path).touch(mode=0o600)


def trust(path: Path) -> None:
    with contextlib.suppress(OSError):
        _mark(path).unlink(missing_ok=True)


def _mark(path: Path) -> Path:
    return path.with_name(f"{path.name}.suspect")


def _connected(path: Path, cache_kib: int, care: Care) -> sqlite3.Connection:
    connection = care.connect(path)
    try:
        for pragma in (*PRAGMAS, f"cache_size = -{cache_kib}", *care.pragmas):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def schema_version(connection: sqlite3.Connection) -> int:
    """How many migrations a store has gone through."""
    row = connection.execute("PRAGMA user_version").fetchone()
    return int(row[0])


def needs_one_writer(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> bool:
    """Say whether this SQLite may corrupt a store that two connections write and checkpoint."""
    is_mended = any(version[:2] == sound[:2] and version >= sound for sound in SQLITE_SOUND_TOO)
    return version < SQLITE_SOUND and not is_mended


def sqlite_note() -> str:
    """Say which SQLite it is, and what that means for the store."""
    version = ".".join(map(str, sqlite3.sqlite_version_info))
    return f"SQLite {version}" + ("; one connection writes, as it must be" * needs_one_writer())


def _migrate(connection: sqlite3.Connection, migrations: Sequence[Migration], path: Path) -> None:
    version = schema_version(connection)
    if version > len(migrations):
        raise Unavailable(
            "store_newer",
            f"The store {path.name} was written by a newer version of Deskhand.",
            "Update this program.",
        )
    for number, migration in enumerate(migrations[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            migration(connection)
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
