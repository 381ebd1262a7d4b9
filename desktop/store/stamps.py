"""This machine's hybrid logical clock: kept in the store, so that it never runs backwards."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from desktop.store import facts
from shared import hlc
from shared.messages import Events
from shared.times import to_ms

LAST = "hlc"
HEARD_MAX = hlc.first_of(253_402_300_800_000)
"""The year 10000: no clock is later than that, and a hub that says so must not stop this one."""


def last(connection: sqlite3.Connection) -> int:
    """Return the highest stamp written or heard here; 0 before the first."""
    return int(facts.get(connection, LAST, "0"))


def next_stamp(connection: sqlite3.Connection, at: datetime) -> int:
    """Return the stamp of a new event, and remember it in the same transaction."""
    stamp = hlc.tick(last(connection), to_ms(at))
    facts.put(connection, LAST, str(stamp))
    return stamp


def hear(connection: sqlite3.Connection, told: Events) -> None:
    """What is written from now on is stamped later than what the hub told."""
    heard = max((min(entry.hlc, HEARD_MAX) for entry in told.events), default=0)
    if heard > last(connection):
        facts.put(connection, LAST, str(heard))
