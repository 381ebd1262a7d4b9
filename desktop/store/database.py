"""The worker's schema, one numbered step a function."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from desktop.store import copies, outgoing, threads
from shared.database import Database


def open_store(path: Path) -> Database:
    """Open or create the worker's store."""
    return Database(path, MIGRATIONS)


def _start(connection: sqlite3.Connection) -> None:
    # Imported here: it pulls in pandas where pandas is installed, and the worker stays small.
    import sqlite_utils

    store = sqlite_utils.Database(connection)
    store.table("fact").create({"name": str, "value": str}, pk="name")
    store.table("outbox").create(
        {"epoch": int, "seq": int, "event": str, "written_ms": int},
        pk=("epoch", "seq"),
        not_null={"event", "written_ms"},
    )
    store.table("attempt").create(
        {
            "job_id": str,
            "number": int,
            "state": str,
            "fence": int,
            "outcome_seq": int,
            "spec": str,
        },
        pk=("job_id", "number"),
        not_null={"state", "fence", "outcome_seq", "spec"},
    )
    store.table("question").create(
        {"question_id": str, "job_id": str, "number": int, "key": str, "asking": str, "value": str},
        pk="question_id",
        not_null={"job_id", "number", "key", "asking"},
    )
    store.table("question").create_index(["job_id", "number"])


MIGRATIONS = (
    _start,
    outgoing.create,
    copies.create,
    threads.create,
)
