"""This program itself: its version, and the commands that start it, its jobs and others.

The frozen program is one folder with several executables: `deskhand`, `deskhand-job` (a child,
without windows) and, where it was packed along, `deskhand-hub`. Their names are `build.spec`'s.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

NAME = "deskhand"
JOB = "deskhand-job"
HUB = "deskhand-hub"
CURRENT = "current"
BACKGROUND = "--background"
LOADER = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Where libraries are found. The start of a frozen program points them at our own folder, and
keeps what they were before under the same name with _ORIG."""
OF_QT = ("QT_PLUGIN_PATH", "QML2_IMPORT_PATH")
"""Set by the start of a frozen program: another program's Qt would load our plugins and crash."""
OF_START = "_PYI_"
"""Begins the names by which a frozen program knows a copy of itself."""


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


def job_command() -> list[str]:
    """Return how to start the child that runs a job.

    -P keeps the working folder off the import path: a job may have left a json.py there.
    """
    if not is_frozen():
        return [sys.executable, "-P", "-m", "desktop", "run-job"]
    beside = beside_us(JOB)
    return [sys.executable, "run-job"] if beside is None else [str(beside)]


def boxed_command(word: str) -> list[str] | None:
    """Return how the self-contained program runs a part of ours in a box; None with a Python.

    `word` is one of `desktop/jobs/inside.py`.
    """
    if not is_frozen():
        return None
    beside = beside_us(JOB)
    return [sys.executable, "in-box", word] if beside is None else [str(beside), word]


def hub_command() -> list[str] | None:
    """Return how to run the hub's program on this machine; None where it is not installed."""
    if is_frozen():
        beside = beside_us(HUB)
        return None if beside is None else [str(beside)]
    script = shutil.which(HUB, path=str(Path(sys.executable).parent))
    if script is not None:
        return [script]
    spec = importlib.util.find_spec("hub")
    ready = spec is not None and importlib.util.find_spec("uvicorn") is not None
    return [sys.executable, "-m", "hub"] if ready else None


def beside_us(name: str) -> Path | None:
    """Find another program in the folder of the frozen one."""
    place = Path(sys.executable).with_name(name + (".exe" if sys.platform == "win32" else ""))
    return place if place.is_file() else None


def environment_for_others(ours: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment for a program that is not ours, without what freezing put into it.

    Args:
        ours: None for this process's own.
    """
    kept = dict(os.environ if ours is None else ours)
    if not is_frozen():
        return kept
    for name in LOADER:
        before = kept.pop(f"{name}_ORIG", None)
        kept.pop(name, None)
        if before is not None:
            kept[name] = before
    return {
        name: value
        for name, value in kept.items()
        if name not in OF_QT and not name.startswith(OF_START)
    }


def forget_our_libraries() -> None:
    """Let what this frozen program starts, in whatever way, find the system's libraries again.

    Called first in each executable: the loader has read its variables by then and looks at them
    no more, and Qt finds its plugins from where its library lies.
    """
    clean = environment_for_others()
    for name in os.environ.keys() - clean.keys():
        del os.environ[name]
    os.environ.update(clean)


def worker_command(home: Path | None) -> tuple[str, ...]:
    """Return how to run the worker of a profile without a window."""
    profile = () if home is None else ("--home", str(home))
    return (*start_command(), *profile, "--headless")


def tray_command(home: Path | None) -> tuple[str, ...]:
    """Return how to run the tray app of a profile, without a window at first."""
    profile = () if home is None else ("--home", str(home))
    return (*start_command(), *profile, BACKGROUND)
