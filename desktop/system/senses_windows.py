"""Windows: the last input of this session; what a connection costs is told by WinRT alone."""

from __future__ import annotations

import ctypes


class _LastInput(ctypes.Structure):
    """LASTINPUTINFO (winuser.h)."""

    _fields_ = (("size", ctypes.c_uint), ("at_ms", ctypes.c_uint))


def is_metered() -> bool | None:
    """Not known without the Windows Runtime, which no library here reaches."""
    return None


def idle_seconds() -> float | None:
    info = _LastInput(size=ctypes.sizeof(_LastInput))
    library = getattr(ctypes, "windll")  # noqa: B009 (it exists on Windows alone)
    if not library.user32.GetLastInputInfo(ctypes.byref(info)):
        return None
    return elapsed_seconds(library.kernel32.GetTickCount(), info.at_ms)


def elapsed_seconds(now_ms: int, then_ms: int) -> float:
    """Count between two ticks; the counter has 32 bits and starts anew every 49.7 days."""
    return ((now_ms - then_ms) & 0xFFFFFFFF) / 1000
