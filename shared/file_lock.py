"""A lock on a file that the system takes back when the process dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from shared.errors import AppError


class FileLock:
    """Held from construction until `release` or the end of the process."""

    def __init__(self, path: Path, taken: AppError) -> None:
        """Take the lock.

        Args:
            path: of a file that is there for this alone; it is made.
            taken: raised when another process has it.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._lock()
        except OSError as error:
            os.close(self._descriptor)
            raise taken from error

    def __enter__(self) -> FileLock:
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

    def fileno(self) -> int:
        """Return what a child may be handed, so that the lock stands as long as the child does."""
        return self._descriptor

    def release(self) -> None:
        os.close(self._descriptor)
