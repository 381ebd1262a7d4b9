"""The hub's schema, as numbered migrations. A released step never changes; new ones are added.

sqlite-utils is imported inside a step, for a hub whose schema is up to date does not need it.
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hub.store import (
    chat,
    chronicle,
    dead,
    events,
    fleet,
    keys,
    questions,
    row_walks,
    sign_ins,
    signers,
    workers,
)
from hub.store.answers import create_answers
from hub.store.deliveries import add_paces, create_deliveries
from hub.store.files import create_files
from hub.store.joins import add_joining
from hub.store.lineage import create_lineage
from hub.store.losses import create_losses
from hub.store.said import create_said
from hub.store.schedules import create_schedules
from hub.store.sessions import create_sessions
from hub.store.taps import create_taps
from hub.store.webhooks import create_webhooks
from shared.database import Database, Pace
from shared.store_file import Care, Migration

if TYPE_CHECKING:
    import sqlite_utils

STORE_NAME = "hub.sqlite3"
CHECK_LATE_BYTES = 64 * 1024 * 1024
"""Looking a store of this size through takes a tenth of a second."""
CHECK_LATE_SECONDS = 10.0
CARE = Care(
    machine="the hub",
    check_late_bytes=CHECK_LATE_BYTES,
    check_late_seconds=CHECK_LATE_SECONDS,
    repair_hint="Stop the hub and bring its last backup back: deskhand-hub restore FILE",
)


def open_store(data_folder: Path, pace: Pace | None = None, care: Care = CARE) -> Database:
    """Open or create the hub's store.

    Raises:
        Unavailable: `store_unreadable`, `store_corrupt`, `store_newer`, `disk_full`.
    """
    return Database(data_folder / STORE_NAME, MIGRATIONS, pace=pace, care=care)


def _tables(connection: sqlite3.Connection) -> sqlite_utils.Database:
    """Open the connection for making tables, without pandas and numpy.

    sqlite-utils draws them in where they are installed, and with them what a hub never uses: a
    third of a second, and where a disk is made to fail they hang now and then.
    """
    kept_out = [name for name in ("numpy", "pandas") if name not in sys.modules]
    for name in kept_out:
        sys.modules[name] = None  # type: ignore[assignment]  # an import of it fails at once
    try:
        import sqlite_utils
    finally:
        for name in kept_out:
            del sys.modules[name]
    return sqlite_utils.Database(connection)


def create_people(connection: sqlite3.Connection) -> None:
    """People, the accounts that speak for them, their keys, invitations and workers."""
    store = _tables(connection)
    store.table("meta").create({"name": str, "value": str}, pk="name", strict=True)
    store.table("people").create(
        {"person_id": str, "name": str, "created_ms": int},
        pk="person_id",
        not_null={"name", "created_ms"},
        strict=True,
    )
    store.table("identities").create(
        {"frontend": str, "external_id": str, "name": str, "person_id": str, "linked_ms": int},
        pk=("frontend", "external_id"),
        not_null={"name", "person_id", "linked_ms"},
        foreign_keys=[("person_id", "people", "person_id")],
        strict=True,
    )
    store.table("keys").create(
        {"key_id": str, "scope": str, "person_id": str, "digest": str, "created_ms": int},
        pk="key_id",
        not_null={"scope", "person_id", "digest", "created_ms"},
        foreign_keys=[("person_id", "people", "person_id")],
        strict=True,
    )
    store.table("invitations").create(
        {"digest": str, "person_id": str, "expires_ms": int},
        pk="digest",
        not_null={"person_id", "expires_ms"},
        foreign_keys=[("person_id", "people", "person_id")],
        strict=True,
    )
    store.table("workers").create(
        {
            "worker_id": str,
            "person_id": str,
            "name": str,
            "platform": str,
            "app_version": str,
            "capabilities": str,
            "paired_ms": int,
            "last_seen_ms": int,
            "is_paused": int,
            "is_revoked": int,
        },
        pk="worker_id",
        not_null={"person_id", "name", "capabilities", "paired_ms", "last_seen_ms"},
        defaults={"is_paused": 0, "is_revoked": 0},
        foreign_keys=[("person_id", "people", "person_id")],
        strict=True,
    )
    store.table("workers").create_index(["person_id"])


def create_work(connection: sqlite3.Connection) -> None:
    """Tasks, jobs, questions, the log of events and the places in other logs."""
    store = _tables(connection)
    store.table("tasks").create(
        {"task_id": str, "person_id": str, "text": str, "conversation": str, "created_ms": int},
        pk="task_id",
        not_null={"person_id", "text", "conversation", "created_ms"},
        strict=True,
    )
    store.table("tasks").create_index(["person_id", "task_id"])
    store.table("requests").create(
        {"person_id": str, "dedupe": str, "job_id": str, "digest": str},
        pk=("person_id", "dedupe"),
        not_null={"job_id", "digest"},
        strict=True,
    )
    store.table("jobs").create(_JOB_COLUMNS, pk="job_id", not_null=_JOB_NOT_NULL, strict=True)
    store.table("jobs").create_index(["person_id", "job_id"])
    store.table("jobs").create_index(["task_id"])
    for statement in _PARTIAL_INDEXES:
        connection.execute(statement)
    store.table("questions").create(
        {
            "question_id": str,
            "job_id": str,
            "person_id": str,
            "asking": str,
            "is_hubs": int,
            "state": str,
            "asked_ms": int,
            "expires_ms": int,
            "value": str,
            "answered_by": str,
        },
        pk="question_id",
        not_null={"job_id", "person_id", "asking", "is_hubs", "state", "asked_ms"},
        strict=True,
    )
    store.table("questions").create_index(["job_id"])
    connection.execute(
        "CREATE INDEX questions_open ON questions (person_id, question_id)"
        " WHERE state IN ('open', 'parked')"
    )
    store.table("events").create(
        {
            "hub_seq": int,
            "person_id": str,
            "device": str,
            "epoch": int,
            "seq": int,
            "at": str,
            "type": str,
            "version": int,
            "entity": str,
            "body": str,
            "signature": str,
        },
        pk="hub_seq",
        not_null={"person_id", "device", "epoch", "seq", "at", "type", "version", "entity", "body"},
        strict=True,
    )
    store.table("events").create_index(["entity"])
    store.table("events").create_index(["person_id"])
    store.table("cursors").create(
        {"device": str, "epoch": int, "seq": int},
        pk=("device", "epoch"),
        not_null={"seq"},
        strict=True,
    )


def let_people_lock(connection: sqlite3.Connection) -> None:
    """A person may lock their account."""
    connection.execute("ALTER TABLE people ADD COLUMN locked_ms INTEGER")


_JOB_COLUMNS = {
    "job_id": str,
    "short": str,
    "task_id": str,
    "person_id": str,
    "kind": str,
    "priority": str,
    "tools": str,
    "pinned_to": str,
    "created_ms": int,
    "title": str,
    "inputs": str,
    "origin": str,
    "traceparent": str,
    "state": str,
    "attempt": int,
    "fence": int,
    "failures": int,
    "losses": int,
    "worker_id": str,
    "is_held": int,
    "not_before_ms": int,
    "cancel_by": str,
    "question_id": str,
    "result": str,
    "error": str,
    "updated_ms": int,
}
_JOB_NOT_NULL = set(_JOB_COLUMNS) - {
    "pinned_to",
    "worker_id",
    "not_before_ms",
    "question_id",
    "result",
    "error",
}
# What is finished is most of the table and is never looked for by state.
_PARTIAL_INDEXES = (
    "CREATE INDEX jobs_queued ON jobs (job_id) WHERE state = 'queued'",
    "CREATE INDEX jobs_held ON jobs (worker_id) WHERE is_held = 1",
    "CREATE INDEX jobs_dead ON jobs (person_id, job_id) WHERE state = 'dead'",
    "CREATE INDEX jobs_interrupted ON jobs (person_id) WHERE state = 'interrupted'",
)

MIGRATIONS: tuple[Migration, ...] = (
    create_people,
    create_work,
    create_deliveries,
    create_taps,
    add_paces,
    create_files,
    create_losses,
    create_said,
    add_joining,
    let_people_lock,
    events.add_stamps,
    create_lineage,
    events.add_digests,
    signers.create,
    questions.create_answered,
    create_sessions,
    create_webhooks,
    row_walks.create_row_indexes,
    keys.add_lives,
    sign_ins.create,
    chronicle.create_chronicle,
    create_answers,
    workers.add_pullers,
    chat.create,
    row_walks.leave_out_parts,
    chronicle.leave_out_parts,
    create_schedules,
    row_walks.add_lent,
    chronicle.leave_out_plans,
    fleet.create,
    dead.create_tries,
    row_walks.compare_states,
    chronicle.compare_types,
)
