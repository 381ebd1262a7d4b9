"""The worker's schema, one numbered step a function."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from desktop.store import (
    copy_tables,
    forgotten,
    journal,
    known,
    outgoing,
    parts,
    peers,
    schedules,
    settings,
    threads,
)
from shared.database import Database, Pace
from shared.store_file import Care

CACHE_KIB = 2 * 1024
"""A person's program is quiet for most of the day; the system keeps the file's pages, too."""
CARE = Care(repair_hint="Start Deskhand again: it sets the store aside and asks the hub anew.")


def open_store(path: Path, pace: Pace | None = None, care: Care = CARE) -> Database:
    """Open or create the worker's store.

    Raises:
        Unavailable: `store_unreadable`, `store_corrupt`, `store_newer`, `disk_full`.
    """
    return Database(path, MIGRATIONS, cache_kib=CACHE_KIB, pace=pace, care=care)


def _start(connection: sqlite3.Connection) -> None:
    # Plain statements: the library for schemas draws in pandas where that is installed, and this
    # runs within the tray app, too.
    connection.execute('CREATE TABLE "fact" ("name" TEXT PRIMARY KEY, "value" TEXT)')
    connection.execute(
        'CREATE TABLE "outbox" ("epoch" INTEGER, "seq" INTEGER, "event" TEXT NOT NULL,'
        ' "written_ms" INTEGER NOT NULL, PRIMARY KEY ("epoch", "seq"))'
    )
    connection.execute(
        'CREATE TABLE "attempt" ("job_id" TEXT, "number" INTEGER, "state" TEXT NOT NULL,'
        ' "fence" INTEGER NOT NULL, "outcome_seq" INTEGER NOT NULL, "spec" TEXT NOT NULL,'
        ' PRIMARY KEY ("job_id", "number"))'
    )
    connection.execute(
        'CREATE TABLE "question" ("question_id" TEXT PRIMARY KEY, "job_id" TEXT NOT NULL,'
        ' "number" INTEGER NOT NULL, "key" TEXT NOT NULL, "asking" TEXT NOT NULL, "value" TEXT)'
    )
    connection.execute(
        'CREATE INDEX "idx_question_job_id_number" ON "question" ("job_id", "number")'
    )


MIGRATIONS = (
    _start,
    outgoing.create,
    copy_tables.create,
    threads.create,
    copy_tables.add_offline,
    journal.add_kept,
    known.create,
    threads.add_events,
    peers.create,
    known.add_lost,
    settings.create,
    known.index_sessions,
    peers.add_pullers,
    parts.create,
    copy_tables.add_parts,
    threads.leave_out_parts,
    journal.add_postponed,
    forgotten.create,
    copy_tables.add_offers,
    schedules.create,
)
