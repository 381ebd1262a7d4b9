"""Earlier lives of this store: each ended when the hub was restored from a backup of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from shared.messages import LINEAGE_MAX, EpochBefore
from shared.times import from_ms, to_ms


def create_lineage(connection: sqlite3.Connection) -> None:
    """Make the table: one step of the hub's migrations."""
    connection.execute(
        "CREATE TABLE lineage (number INTEGER PRIMARY KEY, hub_epoch TEXT NOT NULL UNIQUE,"
        " upto INTEGER NOT NULL, ended_ms INTEGER NOT NULL) STRICT"
    )


def read(connection: sqlite3.Connection) -> tuple[EpochBefore, ...]:
    """Read the lives before the present one, the last one first."""
    rows = connection.execute(
        "SELECT hub_epoch, upto FROM lineage ORDER BY number DESC LIMIT ?", (LINEAGE_MAX,)
    )
    return tuple(EpochBefore(hub_epoch=hub_epoch, upto=upto) for hub_epoch, upto in rows)


def ended_at(connection: sqlite3.Connection) -> datetime | None:
    """Say when the store was last restored; None when it never was."""
    (ended_ms,) = connection.execute("SELECT max(ended_ms) FROM lineage").fetchone()
    return None if ended_ms is None else from_ms(ended_ms)


def add(connection: sqlite3.Connection, lives: Iterable[EpochBefore], ended: datetime) -> None:
    """Remember lives that are over, the last one first; one that is known stays as it is."""
    connection.executemany(
        "INSERT INTO lineage (hub_epoch, upto, ended_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [(life.hub_epoch, life.upto, to_ms(ended)) for life in reversed(tuple(lives))],
    )


def shared_with(
    lost: tuple[EpochBefore, ...], backup_epoch: str, backup_upto: int
) -> tuple[EpochBefore, ...]:
    """Say how much a backup has in common with lives that began after it was made.

    For a hub that was restored once, went on, and is restored again from a backup of before:
    machines that followed the life in between have a copy whose beginning is still true.

    Args:
        lost: the life that is given up (with where it ends) and those before it, that first.
        backup_epoch: the life that the backup was made in.
        backup_upto: where the backup's log ends.

    Returns:
        The lives after that of the backup; empty when the two have nothing in common.
    """
    kept = backup_upto
    common: list[EpochBefore] = []
    lives = list(lost)
    while lives and lives[-1].hub_epoch != backup_epoch:
        lives.pop()
    while len(lives) > 1:
        # Each life began with a part of the one before it.
        kept = min(kept, lives.pop().upto)
        common.insert(0, EpochBefore(hub_epoch=lives[-1].hub_epoch, upto=kept))
    return tuple(common)
