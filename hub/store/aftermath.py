"""What came after a backup: read from the store that is given up for it, as far as it can be."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hub.store import lineage, webhooks
from hub.store.webhooks import Wishes
from shared.database import peek
from shared.errors import AppError
from shared.messages import EpochBefore

Digests = dict[str, str]
"""By key, the hash of its secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A computer, and how much of its own log the hub had."""

    worker_id: str
    name: str
    is_revoked: bool
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is to be compared of two stores."""

    lives: tuple[EpochBefore, ...]
    """The present one with where it ends, and those before it."""
    jobs: frozenset[str]
    machines: dict[str, Machine]
    keys: Digests
    key_ends: dict[str, int]
    """By key that ends, when: milliseconds since the epoch."""
    webhooks: Wishes | None
    """None: of a hub that had none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What a store had that a backup of it has not."""

    events: int
    jobs: int
    """Asked for since."""
    coming_back: tuple[tuple[str, int], ...]
    """By computer, how many events of its own it will tell again."""
    paired: tuple[str, ...]
    """Computers that the restored hub does not know."""
    revoked: tuple[str, ...]
    """Computers that were shown out since."""
    keys_changed: Digests
    keys_gone: tuple[str, ...]
    others: tuple[EpochBefore, ...]
    """Lives that are given up, and what they have in common with the backup."""


def record_of(store: Path) -> Record | None:
    """Read a store; None when it cannot be."""
    if not store.exists():
        return None
    try:
        with peek(store) as connection:
            return read(connection)
    except AppError:
        return None


def compare(lost: Record, backup: Record) -> Aftermath:
    """Tell what is given up, machine by machine."""
    life, end = backup.lives[0].hub_epoch, backup.lives[0].upto
    others = lineage.shared_with(lost.lives, life, end)
    known = next((one.upto for one in lost.lives if one.hub_epoch == life), 0)
    common = others[0].upto if others else min(known, end)
    before = backup.machines
    return Aftermath(
        events=max(0, lost.lives[0].upto - common),
        jobs=len(lost.jobs - backup.jobs),
        coming_back=tuple(
            (one.name, one.events - before[one.worker_id].events)
            for one in lost.machines.values()
            if one.worker_id in before and not one.is_revoked
        ),
        paired=_names(one for one in lost.machines.values() if one.worker_id not in before),
        revoked=_names(
            one
            for one in lost.machines.values()
            if one.is_revoked and one.worker_id in before and not before[one.worker_id].is_revoked
        ),
        keys_changed={
            key: digest
            for key, digest in lost.keys.items()
            if key in backup.keys and backup.keys[key] != digest
        },
        keys_gone=tuple(sorted(backup.keys.keys() - lost.keys.keys())),
        others=others,
    )


def keep_out(connection: sqlite3.Connection, aftermath: Aftermath, lost: Record) -> None:
    """Let nobody in again who was shown out after the backup, nor by a key of before."""
    revoked = [(one.worker_id,) for one in lost.machines.values() if one.is_revoked]
    connection.executemany("UPDATE workers SET is_revoked = 1 WHERE worker_id = ?", revoked)
    gone = [(key,) for key in aftermath.keys_gone]
    connection.executemany("DELETE FROM keys WHERE key_id = ?", gone)
    changed = [(digest, key) for key, digest in aftermath.keys_changed.items()]
    connection.executemany("UPDATE keys SET digest = ? WHERE key_id = ?", changed)
    if _keys_end(connection):
        # One that was rotated after the backup must not live on as if it had not been.
        ends = [(ends_ms, key) for key, ends_ms in lost.key_ends.items()]
        connection.executemany("UPDATE keys SET expires_ms = ? WHERE key_id = ?", ends)
    if lost.webhooks is not None and webhooks.wishes(connection) is not None:
        webhooks.obey(connection, lost.webhooks)


def read(connection: sqlite3.Connection) -> Record:
    """Read what is compared, of a store of any version."""
    [(hub_epoch, upto)] = connection.execute(
        "SELECT value, (SELECT coalesce(max(hub_seq), 0) FROM events) FROM meta"
        " WHERE name = 'hub_epoch'"
    )
    machines = connection.execute(
        "SELECT worker_id, name, is_revoked, coalesce((SELECT sum(seq) FROM cursors"
        " WHERE device = worker_id), 0) FROM workers ORDER BY name"
    )
    jobs = connection.execute("SELECT job_id FROM jobs")
    has_lives = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'lineage'").fetchone()
    return Record(
        lives=(
            EpochBefore(hub_epoch=hub_epoch, upto=upto),
            *(lineage.read(connection) if has_lives else ()),
        ),
        jobs=frozenset(job_id for (job_id,) in jobs),
        machines={
            worker_id: Machine(
                worker_id=worker_id, name=name, is_revoked=bool(is_revoked), events=events
            )
            for worker_id, name, is_revoked, events in machines
        },
        keys=dict(connection.execute("SELECT key_id, digest FROM keys").fetchall()),
        key_ends=dict(
            connection.execute(
                "SELECT key_id, expires_ms FROM keys WHERE expires_ms IS NOT NULL"
            ).fetchall()
            if _keys_end(connection)
            else ()
        ),
        webhooks=webhooks.wishes(connection),
    )


def _keys_end(connection: sqlite3.Connection) -> bool:
    """Whether the store is one in which keys have ends."""
    columns = connection.execute("PRAGMA table_info(keys)").fetchall()
    return any(column[1] == "expires_ms" for column in columns)


def _names(machines: Iterable[Machine]) -> tuple[str, ...]:
    return tuple(machine.name for machine in machines)
