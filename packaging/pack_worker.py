"""Freeze the worker with build.spec and pack it: dist/deskhand-worker-<system>-<arch>-<version>.

The archive holds one folder, `deskhand`, with the program in it. Put it into a hub's downloads
folder, and its /worker.sh gives it to every computer of this kind.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from freeze import DIST, ROOT, arch, freeze, size_mb, system, version


def main() -> int:
    """Build, try, pack; the paths are printed."""
    with tempfile.TemporaryDirectory(prefix="deskhand-freeze-") as scratch:
        folder = freeze("worker", Path(scratch))
        suffix = "zip" if system() == "windows" else "tar.gz"
        archive = DIST / f"deskhand-worker-{system()}-{arch()}-{version()}.{suffix}"
        DIST.mkdir(exist_ok=True)
        (zip_up if system() == "windows" else tar_up)(folder, archive)
    write_sum(archive)
    print(f"{archive.relative_to(ROOT)}  {size_mb(archive):.0f} MB")
    return 0


def write_sum(file: Path) -> None:
    """Write the SHA-256 beside a file, as sha256sum -c reads it."""
    with file.open("rb") as read:
        told = f"{hashlib.file_digest(read, 'sha256').hexdigest()}  {file.name}\n"
    Path(f"{file}.sha256").write_text(told)


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
