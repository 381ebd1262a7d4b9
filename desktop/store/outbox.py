"""This device's own event log, and how much of it the hub has committed."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from desktop.store import facts
from shared.events import Event, OwnEventBody, write_event
from shared.times import to_ms

KEPT_DAYS = 30
"""Acknowledged events are kept this long: a hub restored from a backup asks for them again."""


def last_seq(connection: sqlite3.Connection, epoch: int) -> int:
    row = connection.execute(
        "select coalesce(max(seq), 0) from outbox where epoch = ?", (epoch,)
    ).fetchone()
    # Old entries may have been deleted; the highest number ever used is remembered aside.
    return max(int(row[0]), int(facts.get(connection, f"last_seq.{epoch}", "0")))


def append(connection: sqlite3.Connection, body: OwnEventBody, *, at: datetime) -> Event:
    """Write an event of this device."""
    epoch = facts.epoch(connection)
    seq = last_seq(connection, epoch) + 1
    device = facts.get(connection, "worker_id")
    event = write_event(body, device=device, epoch=epoch, seq=seq, at=at)
    connection.execute(
        "insert into outbox(epoch, seq, event, written_ms) values (?, ?, ?, ?)",
        (epoch, seq, event.model_dump_json(), to_ms(at)),
    )
    return event


def read(connection: sqlite3.Connection, *, start: int, count_max: int) -> list[Event]:
    """Return events of the present epoch from number `start`, in order."""
    rows = connection.execute(
        "select event from outbox where epoch = ? and seq >= ? order by seq limit ?",
        (facts.epoch(connection), start, count_max),
    )
    return [Event.model_validate_json(row[0]) for row in rows]


def acked_seq(connection: sqlite3.Connection) -> int:
    return int(facts.get(connection, f"acked.{facts.epoch(connection)}", "0"))


def acknowledge(connection: sqlite3.Connection, seq: int) -> None:
    """The hub has committed our events up to `seq`."""
    if seq > acked_seq(connection):
        facts.put(connection, f"acked.{facts.epoch(connection)}", str(seq))


def waiting(connection: sqlite3.Connection) -> int:
    """How many events the hub has not acknowledged."""
    return last_seq(connection, facts.epoch(connection)) - acked_seq(connection)


def forget_old(connection: sqlite3.Connection, now: datetime) -> int:
    """Delete acknowledged events that are older than KEPT_DAYS; return how many."""
    epoch = facts.epoch(connection)
    facts.put(connection, f"last_seq.{epoch}", str(last_seq(connection, epoch)))
    cursor = connection.execute(
        "delete from outbox where written_ms < ? and (epoch < ? or seq <= ?)",
        (to_ms(now - timedelta(days=KEPT_DAYS)), epoch, acked_seq(connection)),
    )
    return cursor.rowcount


def start_epoch(connection: sqlite3.Connection, *, at: datetime) -> int:
    """Start a new epoch with what the old one has not got across; return its number.

    For a store that turned out to be an older copy of itself: its numbers were used already.
    """
    old = facts.epoch(connection)
    rows = connection.execute(
        "select event from outbox where epoch = ? and seq > ? order by seq",
        (old, acked_seq(connection)),
    ).fetchall()
    facts.put(connection, "epoch", str(old + 1))
    # What is numbered anew stands in the copy already (`desktop.store.copy_tables.is_echo`).
    facts.put(connection, "copy_starts", "0")
    for seq, (text,) in enumerate(rows, start=1):
        event = Event.model_validate_json(text)
        moved = event.model_copy(update={"epoch": old + 1, "seq": seq})
        connection.execute(
            "insert into outbox(epoch, seq, event, written_ms) values (?, ?, ?, ?)",
            (old + 1, seq, moved.model_dump_json(), to_ms(at)),
        )
        connection.execute(
            "update attempt set outcome_seq = ? where outcome_seq = ?", (seq, event.seq)
        )
    return old + 1


def continues(connection: sqlite3.Connection, seq: int, digest: str) -> bool:
    """Say whether this log goes on where the hub has taken it in.

    Args:
        connection: of the store.
        seq: the last number that the hub has of this epoch.
        digest: of that event, as the hub has it; empty when it does not know.

    Returns:
        False when the hub has another event of that number, because another machine went on with
        a copy of this store, or this one with an older copy of its own; and when what comes after
        it is kept no more, because the hub was restored from a backup that is too old.
    """
    if seq < last_seq(connection, facts.epoch(connection)):
        coming = read(connection, start=seq + 1, count_max=1)
        if not coming or coming[0].seq != seq + 1:
            return False
    known = read(connection, start=seq, count_max=1) if seq and digest else []
    return not known or known[0].seq != seq or known[0].digest == digest


def take_back_acks(connection: sqlite3.Connection, seq: int) -> None:
    """The hub has less of this log than it once acknowledged, or other events of its numbers."""
    if seq < acked_seq(connection):
        facts.put(connection, f"acked.{facts.epoch(connection)}", str(seq))
