"""Opening the transcripts: for the one process that writes them, and for all that read.

    lock taken elsewhere ──▶ transcripts_busy
    damaged ──▶ set aside as transcripts.db.corrupt-<when>, a new one begun

The worker's own store is another file: whatever happens to this one, it works on.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import structlog

from desktop.store.transcripts.tables import MIGRATIONS
from shared.database import Database, peek
from shared.errors import STORE_CORRUPT, AppError, NotFound, Unavailable
from shared.file_lock import FileLock
from shared.store_file import Care, schema_version

log = structlog.get_logger(__name__)

RESULTS = "runs"
"""One folder of results for each run."""
FILE_NAME = "transcripts.db"
CACHE_KIB = 8 * 1024
BALLAST_BYTES = 4 * 1024 * 1024
CARE = Care(
    repair_hint="They are set aside at the next run; the damaged file is kept beside.",
    ballast_bytes=BALLAST_BYTES,
)


def lock(folder: Path) -> FileLock:
    """Take the right to write.

    Raises:
        Unavailable: `transcripts_busy`.
    """
    return FileLock(
        folder / f"{FILE_NAME}.lock",
        Unavailable(
            "transcripts_busy",
            "Another process of this profile is writing the transcripts.",
            "It is tried again by itself; if this goes on, end the other one.",
            retryable=True,
        ),
    )


def open_to_write(folder: Path, now: datetime, care: Care = CARE) -> Database:
    """Open or create the transcripts; only who holds the lock may. A damaged file is set aside.

    Raises:
        Unavailable: `store_unreadable`, `store_newer`, `disk_full`.
    """
    path = folder / FILE_NAME
    try:
        return Database(path, MIGRATIONS, cache_kib=CACHE_KIB, care=care)
    except AppError as error:
        if error.code != STORE_CORRUPT:
            raise
        aside = f"{FILE_NAME}.corrupt-{now:%Y%m%d-%H%M%S}"
        log.error("the transcripts are damaged and set aside", error=str(error), kept=aside)  # noqa: TRY400
        _set_aside(path, aside)
        return Database(path, MIGRATIONS, cache_kib=CACHE_KIB, care=care)


@contextlib.contextmanager
def reading(folder: Path) -> Iterator[sqlite3.Connection]:
    """Open the transcripts to read them, whether or not somebody is writing.

    All that is read on the connection within one transaction ("begin") is of one moment.

    Raises:
        NotFound: `no_runs`, when there are no transcripts yet.
        Unavailable: `store_unreadable`, `store_newer`.
    """
    path = folder / FILE_NAME
    if not path.exists():
        raise no_runs()
    with peek(path) as connection:
        connection.isolation_level = None
        if schema_version(connection) > len(MIGRATIONS):
            raise Unavailable(
                "store_newer",
                "The transcripts were written by a newer version of Deskhand.",
                "Update this program.",
            )
        if schema_version(connection) == 0:
            raise no_runs()
        yield connection


def results_of(folder: Path, run_id: str) -> Path:
    """Say where a run's figures and pictures are; they go when the run is purged."""
    return folder / RESULTS / run_id


def no_runs() -> NotFound:
    return NotFound(
        "no_runs",
        "No model was probed on this machine yet.",
        "/probe FILE MODELS begins a run, or deskhand probe FILE --models MODELS.",
    )


def set_aside(folder: Path) -> tuple[str, ...]:
    """Name the damaged files that were set aside and are still there."""
    found = folder.glob(f"{FILE_NAME}.corrupt-*")
    return tuple(sorted(path.name for path in found if not path.name.endswith(("-wal", "-shm"))))


def _set_aside(path: Path, aside: str) -> None:
    # The log first: the file's own name is what says that it was done.
    for suffix in ("-wal", ""):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(path.with_name(aside + suffix))
    for suffix in ("-shm", ".suspect"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
