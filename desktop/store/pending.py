"""What this store holds that others do not know yet, or that this program does not understand."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from desktop.store import facts, known, outbox, salvage
from shared.errors import ErrorBody

COUNTED_MAX = 1000
"""More is not counted: a person who was away for weeks needs no exact number."""
LOOKED_AT_MAX = 20_000
"""Among so many events that wait."""
SILENT = ("job_logged", "job_started", "job_resumed", "job_parked")
"""Own events that nobody waits for by themselves: what they are part of is told, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    changes: int = 0
    """What was asked, answered or came out here, and the hub has not got; at most COUNTED_MAX."""
    newer: int = 0
    """What a newer program wrote."""
    mended: ErrorBody | None = None
    """What is missing since a damaged store was set aside; None when nothing is to be told."""


def read(connection: sqlite3.Connection, folder: Path | None = None) -> Pending:
    """Count it as it is now.

    Args:
        connection: of the store.
        folder: where the store lies, to tell of one that was set aside there; None to tell nothing.
    """
    return Pending(
        changes=changes(connection),
        newer=known.update_needed(connection).count,
        mended=None if folder is None else salvage.mended(connection, folder),
    )


def unsent(connection: sqlite3.Connection) -> tuple[int, datetime | None]:
    """Count the events that the hub has not acknowledged, and say when the oldest was written."""
    acked = outbox.acked_seq(connection)
    row = connection.execute(
        "select at from event where device = ? and epoch = ? and seq > ? order by seq limit 1",
        (facts.get(connection, "worker_id"), facts.epoch(connection), acked),
    ).fetchone()
    return outbox.waiting(connection), datetime.fromisoformat(row[0]) if row else None


def changes(connection: sqlite3.Connection) -> int:
    """Count the events that matter to people and that the hub has not acknowledged."""
    (count,) = connection.execute(
        "select count(*) from (select 1 from (select type from event where device = ?"
        " and epoch = ? and seq > ? and hub_seq is null order by seq limit ?)"
        " where type not in (select value from json_each(?)) limit ?)",
        (
            facts.get(connection, "worker_id"), facts.epoch(connection),
            outbox.acked_seq(connection), LOOKED_AT_MAX, json.dumps(SILENT), COUNTED_MAX,
        ),
    ).fetchone()  # fmt: skip
    return int(count)
