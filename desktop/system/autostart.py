"""Start with the person's login: on, off, and how it stands, read back from the system itself.

Nothing here happens by itself: somebody asked for it at the machine, or in a chat that the
machine's policy allows. Which way is used depends on the system; what is written there comes
from `desktop.core.autostart`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from desktop.system.login_start import Autostart, Program, Run, run_program
from shared.errors import Unavailable


def autostart_here(
    program: Program,
    *,
    run: Run = run_program,
    variables: Mapping[str, str] = os.environ,
    platform: str = sys.platform,
) -> Autostart:
    """Choose the way of this system.

    Raises:
        Unavailable: `autostart_impossible`, where nothing starts programs at login.
    """
    match platform:
        case "win32":
            return _on_windows(program)
        case "darwin":
            from desktop.system.autostart_macos import LaunchAgent

            return LaunchAgent(program, run, Path.home() / "Library" / "LaunchAgents")
        case _:
            from desktop.system.autostart_linux import on_linux

            found = on_linux(program, run, variables)
    if found is None:
        raise Unavailable(
            "autostart_impossible",
            "Nothing on this system starts programs at login: it has no systemd of yours, and no "
            "desktop.",
            "In a container make `deskhand --headless` its command; elsewhere use its own service "
            "manager.",
        )
    return found


def _on_windows(program: Program) -> Autostart:
    if sys.platform == "win32":
        from desktop.system.autostart_windows import CurrentUser, RunKey

        return RunKey(program, CurrentUser())
    raise AssertionError(sys.platform)
