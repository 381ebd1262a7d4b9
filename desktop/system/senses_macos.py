"""macOS: the input system tells how long nobody has touched it; nothing tells metered networks."""

from __future__ import annotations

import re
import subprocess

ASK_SECONDS = 5.0
_IDLE = re.compile(r'"HIDIdleTime"\s*=\s*(\d+)')


def is_metered() -> bool | None:
    """Low Data Mode is told only to programs that use Apple's own network classes."""
    return None


def idle_seconds() -> float | None:
    """Raises: OSError, TimeoutExpired; then it is not known."""
    told = subprocess.run(
        ("/usr/sbin/ioreg", "-c", "IOHIDSystem", "-d", "4"),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=ASK_SECONDS,
        check=False,
    )
    return idle_of(told.stdout)


def idle_of(told: str) -> float | None:
    """Find the idle time, in nanoseconds there, in what ioreg prints."""
    found = _IDLE.search(told)
    return None if found is None else int(found[1]) / 1e9
