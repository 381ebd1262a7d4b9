"""What this machine brings along: disk, sandbox, safe, tray, start at login, tools."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from desktop.core.policy import DISK_FREE_BYTES_MIN
from desktop.core.safe import MISSING, SafeTrouble
from desktop.doctor.finding import Finding, well, wrong
from desktop.doctor.sandbox import examine_sandbox
from desktop.runner.mouth import load
from desktop.system import hardware
from desktop.system.login_choice import login_of
from desktop.system.paths import Paths
from desktop.system.safe import system_safe
from shared.errors import AppError

WATCHER = "org.kde.StatusNotifierWatcher"


def examine_machine(paths: Paths) -> Iterator[Finding]:
    yield from _tools()
    yield from examine_sandbox(paths)
    yield _safe()
    yield _tray()
    yield _autostart(paths)
    yield _disk(paths)


def _tools() -> Iterator[Finding]:
    from desktop.agent.setup import EXECUTORS_AT, KINDS_AT
    from desktop.jobs.added import added

    kinds, executors = load(KINDS_AT), load(EXECUTORS_AT)
    ready = hardware.kinds_ready(kinds, executors)
    if ready:
        yield well("tools", f"Can do: {', '.join(sorted(ready))}")
    for package, why in added().troubles.items():
        yield wrong("tools", f"What {package} brings is not used: {why}", "Its author can tell.")
    missing: dict[str, list[str]] = {}
    for lack in hardware.lacking(kinds, executors, ready):
        missing.setdefault(lack.command, []).append(lack.kind)
    for command, names in missing.items():
        yield wrong("tools", f"Cannot do {', '.join(names)}", f"{command} adds the tools.")


def _safe() -> Finding:
    safe = system_safe()
    try:
        return well("safe", f"The system's safe for secrets works ({safe.name})")
    except SafeTrouble as trouble:
        if trouble.code == MISSING:  # servers have none, and do well without
            return well("safe", "No safe for secrets here; they are in files for you alone")
        return wrong("safe", trouble.message.rstrip("."), trouble.hint)


def _tray() -> Finding:
    if sys.platform != "linux":
        return well("tray", "This system always shows tray icons")
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return well("tray", "No desktop in this session, so no tray icon is needed")
    from desktop.system.bus import Bus, Place

    watcher = Place(WATCHER, "/StatusNotifierWatcher", WATCHER)
    try:
        with Bus("SESSION", 2.0) as bus:
            is_shown = bus.has(WATCHER) and bool(
                bus.property(watcher, "IsStatusNotifierHostRegistered")
            )
    except (OSError, KeyError, RuntimeError):
        is_shown = False
    if is_shown:
        return well("tray", "This desktop shows tray icons")
    if os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        return well("tray", "No StatusNotifier host; a classic tray on this X server may do")
    return wrong(
        "tray",
        "This desktop shows no tray icons",
        "On GNOME the extension AppIndicator Support brings them back; until then a window "
        "stands in.",
    )


def _autostart(paths: Paths) -> Finding:
    try:
        state = login_of(paths, is_tray=False).state()
    except AppError as error:
        return well("autostart", error.message.rstrip("."))
    notes = " ".join(state.notes)
    told = f"Starts at login ({state.place})" if state.is_on else "Does not start at login"
    return well("autostart", f"{told}. {notes}".rstrip(". "))


def _disk(paths: Paths) -> Finding:
    free = hardware.disk_free_bytes(paths.data if paths.data.exists() else Path(paths.data.anchor))
    room = f"{free / 1e9:.0f} GB free on the disk"
    if free > DISK_FREE_BYTES_MIN:
        return well("disk", room)
    return wrong("disk", f"Only {free / 1e6:.0f} MB are free on the disk", "Free some space.")
