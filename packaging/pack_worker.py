"""Freeze the worker with build.spec and pack it: dist/deskhand-worker-<system>-<arch>-<version>.

The archive holds one folder, `deskhand`, with the program in it. Put it into a hub's downloads
folder, and its /worker.sh gives it to every computer of this kind.
"""

import gzip
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
SYSTEMS = {"Linux": "linux", "Darwin": "macos", "Windows": "windows"}
MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


def main() -> int:
    """Build, try, pack; the paths are printed."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    system, arch = SYSTEMS[platform.system()], MACHINES[platform.machine().lower()]
    with tempfile.TemporaryDirectory(prefix="deskhand-freeze-") as scratch:
        freeze(Path(scratch))
        folder = Path(scratch, "dist", "deskhand")
        strip_python(folder)
        subprocess.run([folder / "deskhand", "--help"], check=True, stdout=subprocess.DEVNULL)
        suffix = "zip" if system == "windows" else "tar.gz"
        archive = DIST / f"deskhand-worker-{system}-{arch}-{version}.{suffix}"
        DIST.mkdir(exist_ok=True)
        (zip_up if system == "windows" else tar_up)(folder, archive)
    with archive.open("rb") as file:
        told = f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {archive.name}\n"
    Path(f"{archive}.sha256").write_text(told)
    print(f"{archive.relative_to(ROOT)}  {archive.stat().st_size / 1e6:.0f} MB")
    return 0


def freeze(scratch: Path) -> None:
    options = ["--noconfirm", "--log-level", "WARN"]
    folders = ["--distpath", str(scratch / "dist"), "--workpath", str(scratch / "work")]
    command = [sys.executable, "-m", "PyInstaller", *options, *folders, "build.spec"]
    # The tree this file stands in, not another that may be installed.
    subprocess.run(command, check=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})


def strip_python(folder: Path) -> None:
    """Debian's libpython carries 17 MB of symbols; other libraries break when stripped."""
    if platform.system() == "Linux" and shutil.which("strip"):
        for library in folder.glob("_internal/libpython*.so*"):
            subprocess.run(["strip", "--strip-unneeded", library], check=True)


def tar_up(folder: Path, archive: Path) -> None:
    """Pack so that the same files give the same bytes, whoever packs them."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = entry.mtime = 0
        entry.uname = entry.gname = ""
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    with (
        archive.open("wb") as file,
        gzip.GzipFile("", "wb", compresslevel=9, fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for place in (folder, *sorted(folder.rglob("*"))):
            tar.add(place, place.relative_to(folder.parent), recursive=False, filter=plain)


def zip_up(folder: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for place in sorted(folder.rglob("*")):
            if place.is_file():
                packed.write(place, place.relative_to(folder.parent))


if __name__ == "__main__":
    sys.exit(main())
