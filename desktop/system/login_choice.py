"""What starts at login: the tray app, or the worker without a window. Never both.

On Linux the two have entries of their own: a desktop's autostart file for the tray, a systemd unit
for the worker. The tray app takes the worker's place, and is not undone by asking for the worker.
Elsewhere there is one entry, which is written for whoever asked last.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from desktop.system.autostart import autostart_here, program_of
from desktop.system.autostart_linux import DesktopEntry
from desktop.system.login_start import Autostart, Program, Run, State
from desktop.system.paths import Paths
from desktop.system.program import BACKGROUND, tray_command


def tray_program_of(paths: Paths) -> Program:
    """Return how the tray app of a profile is started at login."""
    return Program(
        command=tray_command(paths.home),
        home="" if paths.home is None else str(paths.home),
        log=paths.worker_log,
    )


def login_of(
    paths: Paths,
    *,
    is_tray: bool,
    run: Run | None = None,
    variables: Mapping[str, str] = os.environ,
    platform: str = sys.platform,
) -> Autostart:
    """Return the switch of a profile.

    Args:
        paths: whose.
        is_tray: whether "on" means the tray app.
        run: how programs of the system are run.
        variables: of the person's session.
        platform: as `sys.platform`.

    Raises:
        Unavailable: `autostart_impossible`.
    """
    wanted = tray_program_of(paths) if is_tray else program_of(paths)
    if platform in ("win32", "darwin"):
        return autostart_here(wanted, run=run, variables=variables, platform=platform)
    worker = autostart_here(program_of(paths), run=run, variables=variables, platform=platform)
    config = Path(variables.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    tray = DesktopEntry(tray_program_of(paths), config / "autostart")
    return OneAtLogin(tray, worker, is_tray=is_tray)


class OneAtLogin:
    """Both entries of Linux as one switch."""

    def __init__(self, tray: DesktopEntry, worker: Autostart, *, is_tray: bool) -> None:
        self._tray = tray
        self._worker = worker
        self._is_tray = is_tray

    def turn_on(self, *, is_now: bool = False) -> State:
        if self._is_tray:
            if not isinstance(self._worker, DesktopEntry):  # which is the same file
                self._worker.turn_off()
            return self._tray.turn_on(is_now=is_now)
        if self._has_tray and self._tray.state().is_on:
            return self._tray.state()
        return self._worker.turn_on(is_now=is_now)

    def turn_off(self) -> State:
        if self._has_tray:
            self._tray.turn_off()
        return self._worker.turn_off()

    def state(self) -> State:
        return self._tray.state() if self._has_tray else self._worker.state()

    @property
    def _has_tray(self) -> bool:
        """Whether the desktop's file is there, on or off, and starts the tray app."""
        file = self._tray.file
        return file.exists() and BACKGROUND in file.read_text(encoding="utf-8", errors="replace")
