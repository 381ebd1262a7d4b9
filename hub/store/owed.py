"""Rows that transactions have left to be written, with those of others that share their commit.

A statement costs about the same for one row as for sixty. What a transaction leaves here counts as
written: whoever reads the store through an `Entry` finds it there.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from hub.core.fact import Fact
from hub.store import moves
from hub.store.moves import Move
from shared.ids import JobId, PersonId

Row = tuple[object, ...]

_TASK = "INSERT INTO tasks VALUES (?, ?, ?, ?, ?)"
_REQUEST = "INSERT INTO requests (person_id, dedupe, job_id, digest) VALUES (?, ?, ?, ?)"
_JOB = f"INSERT INTO jobs VALUES ({','.join('?' * 29)})"
_SESSION = "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, NULL, '', '', ?)"
_FACT = "INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
_CURSOR = (
    "INSERT INTO cursors (device, epoch, seq, digest, stamp) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (device, epoch) DO UPDATE SET seq = excluded.seq,"
    " digest = excluded.digest, stamp = max(stamp, excluded.stamp)"
)


class Cursor(NamedTuple):
    """How far a device's log of an epoch has been taken in."""

    device: str
    epoch: int
    seq: int
    digest: str
    """Of the event with that number."""
    stamp: int
    """Of that event."""


class Owed:
    __slots__ = ("cursors", "facts", "jobs", "moves", "requests", "sessions", "tasks")

    def __init__(self) -> None:
        self.tasks: list[Row] = []
        self.jobs: list[Row] = []
        self.requests: dict[tuple[PersonId, str], tuple[JobId, str]] = {}
        """The job of a request and the digest of what it asked, by whose it was and their name
        for it."""
        self.sessions: list[Row] = []
        self.moves: dict[JobId, Move] = {}
        self.cursors: dict[str, dict[int, Cursor]] = {}
        """By device and epoch."""
        self.facts: list[Fact] = []

    def move(self, move: Move) -> None:
        before = self.moves.get(move.job.job_id)
        self.moves[move.job.job_id] = move if before is None else before.then(move)

    def note(self, cursor: Cursor) -> None:
        epochs = self.cursors.setdefault(cursor.device, {})
        before = epochs.get(cursor.epoch)
        if before is not None and before.stamp > cursor.stamp:
            cursor = cursor._replace(stamp=before.stamp)
        epochs[cursor.epoch] = cursor

    def take(self, other: Owed) -> None:
        """Owe what another owes, too, as of after one's own."""
        self.tasks += other.tasks
        self.requests |= other.requests
        self.jobs += other.jobs
        self.sessions += other.sessions
        for move in other.moves.values():
            self.move(move)
        for epochs in other.cursors.values():
            for cursor in epochs.values():
                self.note(cursor)
        self.facts += other.facts

    def write(self, connection: sqlite3.Connection) -> None:
        """Write all of it down, and owe nothing."""
        self.write_state(connection)
        if self.facts:
            connection.executemany(_FACT, [_row(fact) for fact in self.facts])
            self.facts.clear()

    def write_state(self, connection: sqlite3.Connection) -> None:
        """Write down what is no fact."""
        if self.requests:
            rows_of = [(*whose, *made) for whose, made in self.requests.items()]
            connection.executemany(_REQUEST, rows_of)
            self.requests.clear()
        for statement, rows in ((_TASK, self.tasks), (_JOB, self.jobs), (_SESSION, self.sessions)):
            if rows:
                connection.executemany(statement, rows)
                rows.clear()
        if self.moves:
            moves.write(connection, self.moves.values())
            self.moves.clear()
        if self.cursors:
            cursors = (one for epochs in self.cursors.values() for one in epochs.values())
            connection.executemany(_CURSOR, cursors)
            self.cursors.clear()

    def forget(self) -> None:
        """Owe nothing: what was to be written is undone."""
        for name in self.__slots__:
            getattr(self, name).clear()


def _row(fact: Fact) -> Row:
    return (
        fact.hub_seq,
        fact.person_id,
        fact.device,
        fact.epoch,
        fact.seq,
        fact.at.isoformat(),
        fact.type,
        fact.version,
        fact.entity,
        fact.payload_json,
        fact.signature,
        fact.hlc,
        fact.hlc_clamped,
        fact.sealed_with,
        int(fact.is_of_part),
    )
