"""Linux: NetworkManager tells whether the network is metered, the desktop who is there.

Idle time comes from GNOME's Mutter, from the X server, or from logind, whose hint only some
desktops set. The screen saver's own call is left out: desktops disagree about its unit.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import time

from desktop.system.bus import Bus, Place

ASK_SECONDS = 2.0
MANAGER = Place(
    "org.freedesktop.NetworkManager",
    "/org/freedesktop/NetworkManager",
    "org.freedesktop.NetworkManager",
)
METERED = {1: True, 3: True, 2: False, 4: False}
"""NMMetered (networkmanager.dev, nm-dbus-types): yes, guessed yes, no, guessed no; 0 unknown."""
MUTTER = Place(
    "org.gnome.Mutter.IdleMonitor",
    "/org/gnome/Mutter/IdleMonitor/Core",
    "org.gnome.Mutter.IdleMonitor",
)
LOGIND = Place(
    "org.freedesktop.login1",
    "/org/freedesktop/login1/session/auto",
    "org.freedesktop.login1.Session",
)


def is_metered() -> bool | None:
    """Raises: any error of the bus; then it is not known."""
    with Bus("SYSTEM", ASK_SECONDS) as bus:
        told = bus.property(MANAGER, "Metered")
    return METERED.get(told) if isinstance(told, int) else None


def idle_seconds() -> float | None:
    """Raises: any error of the bus; then it is not known."""
    for ask in (_of_mutter, _of_x_server, _of_logind):
        seconds = ask()
        if seconds is not None:
            return seconds
    return None


def _of_mutter() -> float | None:
    try:
        with Bus("SESSION", ASK_SECONDS) as bus:
            milliseconds = bus.ask(MUTTER, "GetIdletime")
    except (OSError, KeyError, RuntimeError):
        return None
    return milliseconds / 1000 if isinstance(milliseconds, int) else None


class _ScreenSaverInfo(ctypes.Structure):
    """XScreenSaverInfo (X11/extensions/scrnsaver.h)."""

    _fields_ = (
        ("window", ctypes.c_ulong),
        ("state", ctypes.c_int),
        ("kind", ctypes.c_int),
        ("til_or_since", ctypes.c_ulong),
        ("idle", ctypes.c_ulong),
        ("event_mask", ctypes.c_ulong),
    )


def _of_x_server() -> float | None:
    """Ask the X server; under Wayland it knows only of its own few windows, so not there."""
    if not os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return None
    names = [ctypes.util.find_library(name) for name in ("X11", "Xss")]
    if None in names:
        return None
    x11, saver = (ctypes.CDLL(name) for name in names)
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XDefaultRootWindow.argtypes = x11.XCloseDisplay.argtypes = (ctypes.c_void_p,)
    x11.XDefaultRootWindow.restype = ctypes.c_ulong
    saver.XScreenSaverQueryInfo.argtypes = (
        ctypes.c_void_p,
        ctypes.c_ulong,
        ctypes.POINTER(_ScreenSaverInfo),
    )
    display = x11.XOpenDisplay(None)
    if not display:
        return None
    try:
        info = _ScreenSaverInfo()
        root = x11.XDefaultRootWindow(display)
        is_told = saver.XScreenSaverQueryInfo(display, root, ctypes.byref(info))
    finally:
        x11.XCloseDisplay(display)
    return info.idle / 1000 if is_told else None


def _of_logind() -> float | None:
    with Bus("SYSTEM", ASK_SECONDS) as bus:
        is_idle = bus.property(LOGIND, "IdleHint")
        since = bus.property(LOGIND, "IdleSinceHintMonotonic")
    if not isinstance(is_idle, bool) or not isinstance(since, int) or since == 0:
        return None  # a desktop that never sets the hint would say "not idle" for ever
    if not is_idle:
        return 0.0
    return max(0.0, time.monotonic() - since / 1_000_000)
