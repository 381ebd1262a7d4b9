"""Start with the person's login: on, off, and how it stands, read back from the system itself.

Nothing here happens by itself: somebody asked for it at the machine, or in a chat that the
machine's policy allows. Which way is used depends on the system; what is written there comes
from `desktop.core.autostart`.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from desktop.system.login_start import Autostart, Program, Run, run_program
from desktop.system.paths import Paths
from desktop.system.program import worker_command
from shared.errors import Unavailable


def program_of(paths: Paths) -> Program:
    """Return how the worker of a profile is started."""
    return Program(
        command=worker_command(paths.home),
        home="" if paths.home is None else str(paths.home),
        log=paths.worker_log,
    )


def autostart_here(
    program: Program,
    *,
    run: Run | None = None,
    variables: Mapping[str, str] = os.environ,
    platform: str = sys.platform,
) -> Autostart:
    """Choose the way of this system.

    Args:
        program: what is to be started.
        run: how programs of the system are run.
        variables: of the person's session.
        platform: as `sys.platform`.

    Raises:
        Unavailable: `autostart_impossible`, where nothing starts programs at login.
    """
    run = run or functools.partial(run_program, variables=variables)
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
