"""Installs the agents once, into a folder that git does not see, and puts them on the PATH.

$DESKHAND_TEST_AGENTS names another folder: a machine that keeps its caches elsewhere. No script of
a package runs at its installation.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

PARCEL = Path(__file__).parent / "package.json"
ROOT = Path(__file__).resolve().parents[2]
INSTALL_SECONDS = 900


def folder() -> Path:
    """Return where all that these tests make lies; 1.3 GB."""
    named = os.environ.get("DESKHAND_TEST_AGENTS")
    return Path(named).absolute() if named else ROOT / ".run" / "npm_agents"


def installed() -> Path:
    """Return the folder of the programs, which is on the PATH then; install them if need be."""
    digest = hashlib.sha256(PARCEL.read_bytes()).hexdigest()[:12]
    place = folder() / digest
    if not place.is_dir():
        _install(place)
    programs = place / "node_modules" / ".bin"
    if str(programs) not in os.environ["PATH"]:
        os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return programs


def _install(place: Path) -> None:
    aside = place.with_name(f"{place.name}.{os.getpid()}.{time.monotonic_ns()}")
    aside.mkdir(parents=True)
    shutil.copy(PARCEL, aside)
    # Two of them come as binaries in optional packages for each system, which npm chooses.
    argv = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
    done = subprocess.run(
        argv, cwd=aside, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
    )
    if done.returncode:
        raise RuntimeError(f"npm install failed: {done.stderr[-2000:]}")
    aside.rename(place)


if __name__ == "__main__":
    print(installed())
