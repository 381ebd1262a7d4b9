"""Where peers live: an environment of its own for each, made once and thrown away with the folder.

Nothing of a peer is installed beside Deskhand, and Deskhand is in none of their environments.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.machine import WORK

MINUTES_MAX = 10


def python_of(peer: str, *requirements: str, seconds_max: float = MINUTES_MAX * 60) -> Path:
    """Return the interpreter of a peer's environment, which is made when it is not there.

    Args:
        peer: names the folder below .benchmarks/peers.
        requirements: exact versions, as pip takes them.
        seconds_max: how long installing may take.

    Raises:
        subprocess.SubprocessError: something could not be installed; what pip said is on stderr.
    """
    digest = hashlib.sha256("\n".join(requirements).encode()).hexdigest()[:8]
    folder = WORK / "peers" / f"{peer}-{digest}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "-q", "-p", sys.executable, str(folder)], check=True)
        install = [*uv, "pip", "install", "-q", "-p", str(python), *requirements]
        subprocess.run(install, check=True, timeout=seconds_max)
        (folder / "complete").touch()
    return python


def versions_of(python: Path, *packages: str) -> dict[str, str]:
    """What is installed in an environment."""
    code = "import sys,importlib.metadata as m;print(*(m.version(p) for p in sys.argv[1:]))"
    told = subprocess.run(
        [str(python), "-c", code, *packages], capture_output=True, text=True, check=True
    )
    return dict(zip(packages, told.stdout.split(), strict=True))
