"""Where this computer stands, for commands: as the running program wrote it down."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from desktop.commands.deeds import ENVIRONMENT
from desktop.commands.worker import pairing_of
from desktop.core.link import LinkState
from desktop.desk.holding import FOREVER, paused
from desktop.desk.standing import Whereabouts
from desktop.store import facts
from desktop.system import status
from desktop.system.paths import Paths
from shared.errors import ErrorBody


def place_of(paths: Paths, connection: sqlite3.Connection) -> Whereabouts:
    """Say what the standing of jobs depends on; a program that does not run is offline.

    Raises:
        NotFound: `not_paired`.
    """
    pairing = pairing_of(paths)
    told = status.read(paths.status)
    return Whereabouts(
        here=pairing.worker_id,
        line=told.state if told is not None else LinkState.OFFLINE,
        hub=pairing.hub_name,
        held_back=_pause(facts.get(connection, "paused_until")),
    )


def _pause(told: str) -> ErrorBody | None:
    """Read a pause as it is written down; the owner's rules the running program alone knows."""
    if not told or told == FOREVER:
        return paused(None) if told else None
    until = datetime.fromisoformat(told)
    return paused(until) if until > ENVIRONMENT.now() else None
