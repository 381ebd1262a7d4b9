"""One worker per profile: a lock the system takes back when the process dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from shared.errors import Conflict


class InstanceLock:
    """Held from construction until `release` or the end of the process."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            Conflict: `already_running`.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._lock()
        except OSError as error:
            os.close(self._descriptor)
            raise Conflict(
                "already_running",
                "A worker already runs with this profile.",
                "`deskhand status` tells how it is; stop it first, or use another --home.",
            ) from error

    def __enter__(self) -> InstanceLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _lock(self) -> None:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(self._descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def release(self) -> None:
        os.close(self._descriptor)
