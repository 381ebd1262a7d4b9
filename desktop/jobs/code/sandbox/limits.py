"""The limits this process lives under; no box can be given more."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

NAMES = {
    "core": "RLIMIT_CORE",
    "cpu": "RLIMIT_CPU",
    "fsize": "RLIMIT_FSIZE",
    "nofile": "RLIMIT_NOFILE",
    "nproc": "RLIMIT_NPROC",
}


def hard_limits() -> dict[str, int]:
    """Return the hard limits that are set, by the names of `prlimit`."""
    if sys.platform == "win32":
        return {}
    import resource

    found = {name: resource.getrlimit(getattr(resource, NAMES[name]))[1] for name in NAMES}
    return {name: value for name, value in found.items() if value != resource.RLIM_INFINITY}


def processes_now() -> int:
    """Return how many threads run on this machine; those of the person are among them."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        told = Path("/proc/loadavg").read_text(encoding="ascii")
        return int(told.split()[3].partition("/")[2])
    return 0
