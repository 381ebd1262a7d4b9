"""Run build.spec for one variant; the folder it makes is what all packages hold.

python packaging/freeze.py slim|ml|worker FOLDER
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from icu import thin

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
SYSTEMS = {"Linux": "linux", "Darwin": "macos", "Windows": "windows"}
MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
VARIANTS = ("slim", "ml", "worker")


def freeze(variant: str, scratch: Path) -> Path:
    """Freeze a variant below `scratch`; return the folder with its programs."""
    options = ["--noconfirm", "--log-level", "WARN"]
    folders = ["--distpath", str(scratch / "dist"), "--workpath", str(scratch / "work")]
    command = [sys.executable, "-m", "PyInstaller", *options, *folders, "build.spec"]
    # The tree this file stands in, not another that may be installed; and the same bytes for the
    # same tree, whoever freezes it.
    ours = {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "1", "DESKHAND_BUILD": variant}
    subprocess.run(command, check=True, cwd=ROOT, env=os.environ | ours)
    folder = scratch / "dist" / "deskhand"
    for place in folder.rglob("*"):
        if place.is_symlink() and not place.exists():
            place.unlink()  # to a library that build.spec left out
    strip_python(folder)
    for library in folder.glob("_internal/PySide6/Qt/lib/libicudata.so.*"):
        thin(library)
    subprocess.run([folder / "deskhand", "--help"], check=True, stdout=subprocess.DEVNULL)
    return folder


def strip_python(folder: Path) -> None:
    """Python's own libraries carry 25 MB of symbols; numpy's and scipy's break when stripped."""
    if platform.system() == "Linux" and shutil.which("strip"):
        inside = folder / "_internal"
        own = [*inside.glob("libpython*.so*"), *inside.glob("*/lib-dynload/*.so")]
        subprocess.run(["strip", "--strip-unneeded", *own], check=True)


def version() -> str:
    """Return the version that is built."""
    found: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return found


def system() -> str:
    return SYSTEMS[platform.system()]


def arch() -> str:
    return MACHINES[platform.machine().lower()]


def size_mb(place: Path) -> float:
    """Return the size of a file or of all files in a folder, in MB."""
    files = [place] if place.is_file() else [file for file in place.rglob("*") if not file.is_dir()]
    return sum(file.lstat().st_size for file in files) / 1e6


def main() -> int:
    """Freeze into a folder that is kept, to look at or to pack elsewhere."""
    variant, target = sys.argv[1], Path(sys.argv[2])
    if variant not in VARIANTS or target.exists():
        print(f"Give one of {', '.join(VARIANTS)}, and a folder that is not there yet.")
        return 2
    with tempfile.TemporaryDirectory(prefix="deskhand-freeze-") as scratch:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(freeze(variant, Path(scratch)), target)
    print(f"{target}  {size_mb(target):.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
