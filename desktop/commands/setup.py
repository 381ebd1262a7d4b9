"""`deskhand setup ml`: add the packages that training needs, into the venv this program runs in."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence

from desktop.system.paths import Paths
from desktop.system.program import NAME, is_frozen
from shared.errors import NotFound, Unavailable
from shared.requirements import lock_file

EXTRA = "ml"
LOCK = "worker-ml"


def run(_paths: Paths, options: argparse.Namespace) -> int:
    return setup(is_dry=options.dry_run)


def setup(*, is_dry: bool) -> int:
    """Install the packages; what the installer says is shown as it comes.

    Args:
        is_dry: print the command instead of running it.

    Raises:
        AppError: this program cannot be added to, or the installer failed.
    """
    if is_frozen():
        raise Unavailable(
            "setup_frozen",
            "This Deskhand carries all its parts with it, and none can be added.",
            "The hub's /download page has one with the training tools in it; it takes this "
            "one's place and keeps its pairing.",
        )
    if sys.prefix == sys.base_prefix:
        raise Unavailable(
            "setup_outside_venv",
            "Deskhand runs in the Python of the whole system here, which it leaves alone.",
            f"Add the packages in your own way: {shlex.join(requirements())}",
        )
    command = installer(sys.executable)
    if is_dry:
        print(shlex.join(command))
        return 0
    print("Adding the training tools. This can take a few minutes.", flush=True)
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
    if ended.returncode != 0:
        raise Unavailable(
            "setup_failed",
            f"The installer ended with exit code {ended.returncode}; what it said is above.",
            "Try again when the network is there; packages that came are kept.",
        )
    print("The training tools are there. A worker that runs takes note within a minute.")
    return 0


def installer(python: str) -> tuple[str, ...]:
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
    return (*install, *_what())


def requirements() -> tuple[str, ...]:
    """Return what the training tools are, as the program's own metadata tells.

    Never the name of this program: whatever an index has under it may be somebody else's.
    """
    told: Sequence[str] = importlib.metadata.requires(NAME) or ()
    mark = f'extra == "{EXTRA}"'
    return tuple(one.partition(";")[0].strip() for one in told if mark in one.replace("'", '"'))


def _what() -> tuple[str, ...]:
    try:
        return ("--require-hashes", "--only-binary", ":all:", "-r", str(lock_file(LOCK)))
    except NotFound:
        return requirements()
