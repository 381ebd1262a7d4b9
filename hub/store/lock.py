"""One hub per data folder."""

from __future__ import annotations

from pathlib import Path

from shared.errors import Conflict
from shared.file_lock import FileLock

LOCK_NAME = "hub.lock"


def lock_hub(data: Path) -> FileLock:
    """Have a data folder for oneself, until the lock is released or the process ends.

    Raises:
        Conflict: `hub_running`.
    """
    taken = Conflict(
        "hub_running",
        f"A hub is running on {data}.",
        "Stop it first, or use another folder (HUB_DATA).",
    )
    return FileLock(data / LOCK_NAME, taken)
