"""`deskhand setup ml` and `setup llm`: add packages to the venv that this program runs in."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence

from desktop.core.toolsets import TOOLSETS, TRAINING, Toolset
from desktop.system.paths import Paths
from desktop.system.program import NAME, is_frozen
from shared.errors import NotFound, Unavailable
from shared.requirements import lock_file


def run(_paths: Paths, options: argparse.Namespace) -> int:
    return setup(TOOLSETS[options.what], is_dry=options.dry_run)


def setup(tools: Toolset, *, is_dry: bool) -> int:
    """Install the packages; what the installer says is shown as it comes.

    Args:
        tools: what to add.
        is_dry: print the command instead of running it.

    Raises:
        AppError: this program cannot be added to, or the installer failed.
    """
    if is_frozen():
        raise Unavailable(
            "setup_frozen",
            "This Deskhand carries all its parts with it, and none can be added.",
            _elsewhere(tools),
        )
    if sys.prefix == sys.base_prefix:
        raise Unavailable(
            "setup_outside_venv",
            "Deskhand runs in the Python of the whole system here, which it leaves alone.",
            f"Add the packages in your own way: {shlex.join(requirements(tools))}",
        )
    command = installer(sys.executable, tools)
    if is_dry:
        print(shlex.join(command))
        return 0
    print(f"Adding the {tools.words}. This can take a few minutes.", flush=True)
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
    if ended.returncode != 0:
        raise Unavailable(
            "setup_failed",
            f"The installer ended with exit code {ended.returncode}; what it said is above.",
            "Try again when the network is there; packages that came are kept.",
        )
    print(f"The {tools.words} are there. A worker that runs takes note within a minute.")
    return 0


def _elsewhere(tools: Toolset) -> str:
    if tools is TRAINING:
        return (
            "The hub's /download page has one with the training tools in it; it takes this "
            "one's place and keeps its pairing."
        )
    return (
        "Install the worker with the line on the hub's /download page, which makes a Python of "
        f"its own for it, and run {tools.command} there."
    )


def installer(python: str, tools: Toolset) -> tuple[str, ...]:
    """Return the command that installs the packages into the venv of a Python.

    Raises:
        Unavailable: `setup_no_installer`.
    """
    if importlib.util.find_spec("pip") is not None:
        install: tuple[str, ...] = (python, "-m", "pip", "install", "--disable-pip-version-check")
    elif (uv := shutil.which("uv")) is not None:
        install = (uv, "pip", "install", "--python", python)
    else:
        raise Unavailable(
            "setup_no_installer",
            "There is neither pip nor uv to add packages with.",
            f"Get pip with: {python} -m ensurepip",
        )
    return (*install, *_what(tools))


def requirements(tools: Toolset) -> tuple[str, ...]:
    """Return what a set of tools is, as the program's own metadata tells.

    Never the name of this program: whatever an index has under it may be somebody else's.
    """
    told: Sequence[str] = importlib.metadata.requires(NAME) or ()
    mark = f'extra == "{tools.name}"'
    return tuple(one.partition(";")[0].strip() for one in told if mark in one.replace("'", '"'))


def _what(tools: Toolset) -> tuple[str, ...]:
    try:
        return ("--require-hashes", "--only-binary", ":all:", "-r", str(lock_file(tools.lock)))
    except NotFound:
        return requirements(tools)
