"""`deskhand` alone: the tray app. One that runs already is asked to show itself."""

from __future__ import annotations

import importlib.util
import os
import sys
import time

from desktop.system.control import call
from desktop.system.paths import Paths
from desktop.system.single_instance import InstanceLock
from shared.errors import AppError, Conflict, Unavailable
from shared.lean import import_structlog, uncollected

QUIT_SECONDS = 15.0
LOOK_SECONDS = 0.05
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def tray(paths: Paths, link: str, *, is_background: bool) -> int:
    """Run the tray app, or hand over to the one that runs.

    Args:
        paths: of the profile.
        link: a `deskhand://` link to follow; empty for none.
        is_background: started at login; a running program is left alone.

    Raises:
        Unavailable: `window_missing`.
        Conflict: `already_running`, by a worker without windows.
    """
    if _handed_over(paths, link, is_background=is_background):
        return 0
    check_display()
    with uncollected():
        import_structlog()
        from desktop.gui.application import run
        from shared import logs

    logs.configure(json_lines=True, file=paths.log)
    return run(paths, link, is_background=is_background)


def quit_running(paths: Paths) -> int:
    """End the tray app of a profile and wait until it is gone; well if none runs.

    Raises:
        Unavailable: `quit_elsewhere`, `quit_late`.
    """
    if not paths.control.exists():
        return 0
    try:
        call(paths.control, "quit", {})
    except AppError as error:
        if error.code == "quit_elsewhere":
            raise
        return 0  # the file was left behind by one that is gone
    deadline = time.monotonic() + QUIT_SECONDS
    while time.monotonic() < deadline:
        try:
            InstanceLock(paths.lock).release()
        except Conflict:
            time.sleep(LOOK_SECONDS)
        else:
            return 0
    raise Unavailable(
        "quit_late",
        f"Deskhand was asked to quit {QUIT_SECONDS:.0f} s ago and still runs.",
        "Quit it in its menu.",
    )


def check_display() -> None:
    """Say why no window can be shown here.

    Raises:
        Unavailable: `window_missing`.
    """
    if importlib.util.find_spec("PySide6") is None or importlib.util.find_spec("qasync") is None:
        raise Unavailable(
            "window_missing",
            "The windows are not installed here.",
            'Install them with: pip install "deskhand[tray]", or run deskhand --headless',
        )
    if sys.platform == "linux" and not any(os.environ.get(name) for name in DISPLAYS):
        raise Unavailable(
            "window_missing",
            "There is no display to show windows on.",
            "Run deskhand --headless here, or log in to a desktop.",
        )


def _handed_over(paths: Paths, link: str, *, is_background: bool) -> bool:
    """Let the program that runs already show itself; False when none runs."""
    if not paths.control.exists():
        return False
    try:
        if is_background:
            call(paths.control, "ping", {})
        else:
            call(paths.control, "open", {"window": "", "item": link})
    except AppError as error:
        if error.code == "window_missing":
            raise Conflict("already_running", error.message, error.hint) from error
        return False
    return True
