"""Randomness for ids, fetched from the system a stretch at a time.

A draw from the system lets go of the interpreter, so that another thread may take its turn at each
of the three ids of a job. Secrets are drawn one by one, and stay in no stretch.
"""

from __future__ import annotations

import os
import threading

STRETCH_BYTES = 4096


class IdEntropy:
    """Bytes that are each given out once, to whichever thread asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stretch = b""
        self._at = 0

    def __call__(self, count: int, /) -> bytes:
        """Return `count` bytes; at most STRETCH_BYTES."""
        assert count <= STRETCH_BYTES
        with self._lock:
            end = self._at + count
            if end > len(self._stretch):
                self._stretch, self._at, end = os.urandom(STRETCH_BYTES), 0, count
            drawn = self._stretch[self._at : end]
            self._at = end
        return drawn

    def forget(self) -> None:
        """Give out nothing of what was fetched: another process has it, too."""
        self._lock = threading.Lock()
        self._stretch, self._at = b"", 0


for_ids = IdEntropy()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=for_ids.forget)
