"""This program itself: its version, and the command that starts it again."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from pathlib import Path

NAME = "deskhand"


def version() -> str:
    try:
        return importlib.metadata.version(NAME)
    except importlib.metadata.PackageNotFoundError:
        return "0"


def is_frozen() -> bool:
    """Say whether this is the self-contained program, with no Python beside it."""
    return bool(getattr(sys, "frozen", False))


def start_command() -> tuple[str, ...]:
    """Return how to start this program again, from anywhere, also after an update in place.

    The frozen program is one file. A venv has a script beside its Python, which an update writes
    anew at the same place; without a script the Python runs the package.
    """
    if is_frozen():
        return (sys.executable,)
    # Not resolved: the Python of a venv is often a link to one outside of it.
    script = shutil.which(NAME, path=str(Path(sys.executable).parent))
    if script is not None:
        return (script,)
    return (sys.executable, "-m", "desktop")


def worker_command(home: Path | None) -> tuple[str, ...]:
    """Return how to run the worker of a profile without a window."""
    profile = () if home is None else ("--home", str(home))
    return (*start_command(), *profile, "--headless")
