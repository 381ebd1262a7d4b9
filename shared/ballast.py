"""A file that takes up room while there is some, so that there is some when there is none.

On a full disk not even a delete can be written: SQLite needs room for its log first. The file
beside a store is freed then, and made again once the disk allows.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

BALLAST_BYTES = 16 * 1024 * 1024
BLOCK_BYTES = 1024 * 1024


class Ballast:
    """The reserve of one store."""

    def __init__(self, store: Path, size_bytes: int = BALLAST_BYTES) -> None:
        self.path = store.with_name(f"{store.name}.ballast")
        self.size_bytes = size_bytes

    @property
    def is_there(self) -> bool:
        try:
            return self.path.stat().st_size >= self.size_bytes
        except OSError:
            return False

    def make(self) -> bool:
        """Take the room, when as much again stays free; return whether it is there."""
        if self.is_there:
            return True
        try:
            if shutil.disk_usage(self.path.parent).free < 2 * self.size_bytes:
                return False
            self._fill()
        except OSError:
            self.free()
            return False
        return True

    def free(self) -> bool:
        """Give the room back; return whether there was any to give."""
        is_there = self.path.exists()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
        return is_there

    def _fill(self) -> None:
        with self.path.open("wb", buffering=0) as file:
            self.path.chmod(0o600)
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, self.size_bytes)
                return
            # A hole takes up no room: it is written out.
            for _ in range(self.size_bytes // BLOCK_BYTES):
                file.write(bytes(BLOCK_BYTES))
            file.write(bytes(self.size_bytes % BLOCK_BYTES))
