"""Lets the system hand `deskhand://` links to this program, where no installer has done so.

On macOS the bundle's own property list does it. A link is never followed by itself: the window
that takes it shows the hub's host and asks.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from desktop.core.link_scheme import MIME_TYPE, SCHEME, desktop_entry, registry_values
from desktop.system.login_start import Run, run_program, write_if_new

DATA_DIRS = "/usr/local/share:/usr/share"
"""Where packages put their entries (XDG Base Directory Specification)."""


class Writes(Protocol):
    """The person's part of the registry (HKEY_CURRENT_USER)."""

    def write(self, key: str, name: str, value: str) -> None: ...


def take_links(command: Sequence[str], icon: Path) -> None:
    """Register this program for links. Idempotent.

    Raises:
        OSError: the system refused.
        BadInput: `path_unusable`.
    """
    if sys.platform == "win32":
        from desktop.system.autostart_windows import CurrentUser

        on_windows(command, CurrentUser())
    elif sys.platform == "linux":
        on_linux(command, icon, os.environ, run_program)


def on_linux(
    command: Sequence[str], icon: Path, variables: Mapping[str, str], run: Run
) -> Path | None:
    """Write an entry into the person's own applications; None when a package brought one."""
    name = f"{SCHEME}.desktop"
    packaged = (variables.get("XDG_DATA_DIRS") or DATA_DIRS).split(":")
    if any((Path(folder) / "applications" / name).exists() for folder in packaged if folder):
        return None
    own = Path(variables.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    entry = own / "applications" / name
    if write_if_new(entry, desktop_entry(command, str(icon)).encode()):
        # Either may be missing; most desktops look at the folder by themselves.
        run(("update-desktop-database", str(entry.parent)))
        run(("xdg-mime", "default", name, MIME_TYPE))
    return entry


def on_windows(command: Sequence[str], registry: Writes) -> None:
    for key, name, value in registry_values(command):
        registry.write(key, name, value)
