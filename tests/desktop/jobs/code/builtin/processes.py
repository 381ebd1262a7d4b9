"""Whether a process has really ended; a killed one takes a moment, and may wait to be reaped."""

from __future__ import annotations

import contextlib

import psutil

SECONDS = 3.0


def is_gone(pid: int) -> bool:
    """Wait a moment for a process to end, and tell whether it did."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        with contextlib.suppress(psutil.TimeoutExpired):
            process.wait(SECONDS)
        return process.status() == psutil.STATUS_ZOMBIE
    return True
