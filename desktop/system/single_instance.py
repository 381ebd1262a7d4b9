"""One worker per profile."""

from __future__ import annotations

from pathlib import Path

from shared.errors import Conflict
from shared.file_lock import FileLock


class InstanceLock(FileLock):
    """Held from construction until `release` or the end of the process."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            Conflict: `already_running`.
        """
        taken = Conflict(
            "already_running",
            "A worker already runs with this profile.",
            "`deskhand status` tells how it is; stop it first, or use another --home.",
        )
        super().__init__(path, taken)
