"""This device's own event log, and how much of it the hub has committed.

It is the part of the table of events (`desktop.store.known`) that this machine wrote.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from desktop.store import facts, known, peers, stamps
from shared.events import Event, OwnEventBody, write_event
from shared.signatures import Sign, signed


def last_seq(connection: sqlite3.Connection, epoch: int) -> int:
    last = known.last_seq(connection, facts.get(connection, "worker_id"), epoch)
    # Stores of before have deleted old events, and remember the highest number aside.
    return max(last, int(facts.get(connection, f"last_seq.{epoch}", "0")))


def append(
    connection: sqlite3.Connection, body: OwnEventBody, *, at: datetime, sign: Sign | None = None
) -> Event:
    """Write an event of this device.

    Args:
        connection: inside the transaction of what it tells.
        body: what it tells.
        at: the wall clock, for people.
        sign: this machine's key; None when it has none.
    """
    epoch = facts.epoch(connection)
    seq = last_seq(connection, epoch) + 1
    device = facts.get(connection, "worker_id")
    stamp = stamps.next_stamp(connection, at)
    event = write_event(body, device=device, epoch=epoch, seq=seq, at=at, hlc=stamp)
    told = signed(event, sign)
    known.add(connection, told)
    if told.signature:
        peers.note_first(connection, told)
    return told


def read(connection: sqlite3.Connection, *, start: int, count_max: int) -> list[Event]:
    """Return events of the present epoch from number `start`, in order."""
    device, epoch = facts.get(connection, "worker_id"), facts.epoch(connection)
    return known.own(connection, device, epoch, start, count_max)


def is_unwritten(connection: sqlite3.Connection, event: Event) -> bool:
    """Say whether an event bears a number of ours that this store has not written.

    A hub that made it up would have it pushed as our word, and leave a gap that stops our log. One
    that tells of a store's other copy is heard once this store has begun an epoch of its own.
    """
    device = facts.get(connection, "worker_id")
    if event.device != device or event.epoch < facts.epoch(connection):
        return False
    written = known.own(connection, device, event.epoch, event.seq, 1)
    return not written or written[0].seq != event.seq


def acked_seq(connection: sqlite3.Connection) -> int:
    return int(facts.get(connection, f"acked.{facts.epoch(connection)}", "0"))


def acknowledge(connection: sqlite3.Connection, seq: int) -> None:
    """The hub has committed our events up to `seq`."""
    if seq > acked_seq(connection):
        facts.put(connection, f"acked.{facts.epoch(connection)}", str(seq))


def waiting(connection: sqlite3.Connection) -> int:
    """How many events the hub has not acknowledged."""
    return last_seq(connection, facts.epoch(connection)) - acked_seq(connection)


def start_epoch(connection: sqlite3.Connection, sign: Sign | None = None) -> int:
    """Start a new epoch with what the old one has not got across; return its number.

    For a store that turned out to be an older copy of itself: its numbers were used already.
    """
    old, acked = facts.epoch(connection), acked_seq(connection)
    waiting = read(connection, start=acked + 1, count_max=last_seq(connection, old))
    facts.put(connection, "epoch", str(old + 1))
    for seq, event in enumerate(waiting, start=1):
        moved = signed(event.model_copy(update={"epoch": old + 1, "seq": seq}), sign)
        known.renumber(connection, event, moved)
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
    device, epoch = facts.get(connection, "worker_id"), facts.epoch(connection)
    written = known.digest_kept(connection, device, epoch, seq)
    return not (digest and written) or written == digest


def take_back_acks(connection: sqlite3.Connection, seq: int) -> None:
    """The hub has less of this log than it once acknowledged, or other events of its numbers."""
    if seq < acked_seq(connection):
        facts.put(connection, f"acked.{facts.epoch(connection)}", str(seq))
