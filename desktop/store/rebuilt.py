"""The copy made anew from the table of events, and compared with the one that grew.

What is made anew equals what grew event by event, whatever the order they came in: `compare` says
where it does not. A machine's number for a job and how far a person has read are no part of it;
they stay.
"""

from __future__ import annotations

import contextlib
import sqlite3
import zlib

from desktop.store import copies, copy_tables, facts, known, outbox
from shared.events import KNOWN_TYPES
from shared.ids import JobId

VERSION = 1
"""Grows when `copies` makes something else of the same events than before."""
TABLES = {
    "event": "select step_id, job_id, is_newer from event order by step_id",
    "copy_worker": "select * from copy_worker order by worker_id",
    "copy_task": "select * from copy_task order by task_id",
    "copy_job": "select * from copy_job order by job_id",
    "copy_question": "select * from copy_question order by question_id",
    # Their numbers have gaps where old lines were forgotten.
    "copy_line": "select job, number, attempt, at_ms, text from copy_line order by line_id",
    "copy_job_words": "select rowid, words from copy_job_words order by rowid",
}
DIFFERENCES_MAX = 20


def rebuild(connection: sqlite3.Connection) -> None:
    """Make the whole copy anew; inside a transaction."""
    numbers = connection.execute("select job_id, number from copy_job").fetchall()
    copy_tables.clear(connection)
    known.read_all_anew(connection)
    if here := facts.pairing(connection):
        copy_tables.note_name(connection, here.worker_id, here.worker_name)
    for event in known.steps_in_order(connection):
        copies.apply(connection, event)
    known.know_by_lines(connection)
    copies.mark_lost(connection)
    _number_as_before(connection, numbers)
    for event in known.lines_as_they_came(connection):
        copies.apply(connection, event)


def begin_anew(connection: sqlite3.Connection) -> None:
    """Start with what this machine wrote alone: the hub tells its log from the beginning."""
    known.begin_anew(
        connection,
        facts.get(connection, "worker_id"),
        facts.epoch(connection),
        outbox.acked_seq(connection),
    )
    rebuild(connection)


def resync(connection: sqlite3.Connection) -> None:
    """Let the hub tell its whole log again; what it has not got of this machine's own stays."""
    begin_anew(connection)
    facts.move_hub_cursor(connection, facts.hub_cursor(connection)[0], 0)


def fork(connection: sqlite3.Connection, upto: int) -> None:
    """The hub was restored from a backup: what it numbered after `upto` it knows no more."""
    for job_id in known.lose_after(connection, upto):
        copies.tell_anew(connection, JobId(job_id))


def bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Make the copy anew when this program reads events otherwise than the one that made it."""
    version = f"{VERSION}.{zlib.crc32(' '.join(sorted(KNOWN_TYPES)).encode())}"
    if facts.get(connection, "copy_version") != version:
        rebuild(connection)
        facts.put(connection, "copy_version", version)


def compare(connection: sqlite3.Connection) -> list[str]:
    """Say where the copy differs from what its events make anew; empty when nowhere.

    It works on a copy of the store in memory and changes nothing.
    """
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as memory:
        memory.deserialize(_image(connection))
        live = {table: memory.execute(sql).fetchall() for table, sql in TABLES.items()}
        lines = _check_words(memory)
        rebuild(memory)
        differences = [
            difference
            for table, sql in TABLES.items()
            for difference in _differences(table, live[table], memory.execute(sql).fetchall())
        ]
    return [*lines, *differences][:DIFFERENCES_MAX]


def _image(connection: sqlite3.Connection) -> bytes:
    """Take the store as it is within this transaction; a backup would wait for its end."""
    image = bytearray(connection.serialize())
    # Written in place and not ahead: a store in memory has no second file (format, 1.3.3).
    image[18:20] = b"\x01\x01"
    return bytes(image)


def _differences(
    table: str, live: list[tuple[object, ...]], made: list[tuple[object, ...]]
) -> list[str]:
    extra, missing = set(live) - set(made), set(made) - set(live)
    return [f"{table} has {row}" for row in sorted(extra, key=str)] + [
        f"{table} lacks {row}" for row in sorted(missing, key=str)
    ]


def _check_words(connection: sqlite3.Connection) -> list[str]:
    """Ask the index of the logs' words whether it fits the logs."""
    try:
        connection.execute(
            "insert into copy_line_words(copy_line_words, rank) values ('integrity-check', 1)"
        )
    except sqlite3.DatabaseError as error:
        return [f"copy_line_words: {error}"]
    return []


def _number_as_before(connection: sqlite3.Connection, numbers: list[tuple[str, int]]) -> None:
    """Give the jobs the numbers that they had: lists and logs go by them."""
    connection.execute("update copy_job set number = -number")
    connection.executemany("update copy_job set number = ?2 where job_id = ?1", numbers)
    (last,) = connection.execute("select max(0, max(number)) from copy_job").fetchone()
    connection.execute("update copy_job set number = ? - number where number < 0", (last or 0,))
    connection.execute("delete from copy_job_words")
    connection.execute(f"{copy_tables.INDEX} and kind != ''")
