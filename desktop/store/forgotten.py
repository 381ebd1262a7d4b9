"""Jobs whose words were purged here, until what lies beside the store is deleted as well.

Written in the transaction that purges, so that no crash in between leaves a transcript behind.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence

AT_ONCE_MAX = 1000


def create(connection: sqlite3.Connection) -> None:
    connection.execute("create table forgotten (job_id text primary key) without rowid")


def note(connection: sqlite3.Connection, job_ids: Iterable[str]) -> None:
    connection.execute(
        "insert or ignore into forgotten (job_id) select value from json_each(?)",
        (json.dumps(list(job_ids)),),
    )


def waiting(connection: sqlite3.Connection) -> list[str]:
    """List some that are still to be forgotten."""
    rows = connection.execute("select job_id from forgotten limit ?", (AT_ONCE_MAX,))
    return [job_id for (job_id,) in rows]


def done(connection: sqlite3.Connection, job_ids: Sequence[str]) -> None:
    connection.execute(
        "delete from forgotten where job_id in (select value from json_each(?))",
        (json.dumps(list(job_ids)),),
    )
