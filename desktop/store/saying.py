"""What a person asks for while no worker runs: written down, and told at the next start."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from desktop.store import copies, copy_tables, outbox, purging
from shared.events import RequestEventBody, TaskRequested


def say(connection: sqlite3.Connection, body: RequestEventBody, *, at: datetime) -> None:
    """Write an event of this machine's person, and show it in the copy."""
    if isinstance(body, TaskRequested):
        copy_tables.note_asked(connection, body)
    event = outbox.append(connection, body, at=at)
    copies.wrote(connection, event)
    purging.obey(connection, event)
