"""This program itself: its version, and the command that starts it again."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from pathlib import Path

NAME = "deskhand"
CURRENT = "current"


def version() -> str:
    try:
        return importlib.metadata.version(NAME)
    except importlib.metadata.PackageNotFoundError:
        return "0"


def is_frozen() -> bool:
    """Say whether this is the self-contained program, with no Python beside it."""
    return bool(getattr(sys, "frozen", False))


def start_command() -> tuple[str, ...]:
    """Return how to start this program again, from anywhere, also after an update.

    The frozen program starts itself. A venv has a script beside its Python, which an update in
    place writes anew; without a script the Python runs the package.
    """
    if is_frozen():
        return (str(lasting(Path(sys.executable))),)
    # Not resolved: the Python of a venv is often a link to one outside of it.
    script = shutil.which(NAME, path=str(Path(sys.executable).parent))
    if script is not None:
        return (str(lasting(Path(script))),)
    return (sys.executable, "-m", "desktop")


def lasting(program: Path) -> Path:
    """Return the path of a program that still stands when newer versions have come.

    The installers put each version into a folder of its own and point "current" beside it to the
    newest; older folders are removed.
    """
    for folder in program.parents:
        current = folder.parent / CURRENT
        if current == folder or not current.exists() or not current.samefile(folder):
            continue
        for name in (NAME, program.name):
            if (current / name).exists():
                return current / name
        return current / program.relative_to(folder)
    return program


def worker_command(home: Path | None) -> tuple[str, ...]:
    """Return how to run the worker of a profile without a window."""
    profile = () if home is None else ("--home", str(home))
    return (*start_command(), *profile, "--headless")
