"""Build a Debian package around a frozen folder: dist/deskhand[-ml]_<version>_<arch>.deb.

    python packaging/pack_deb.py [--ml] [--folder FROZEN] [--no-smoke]

The same tree gives the same bytes: names are sorted, all belongs to root, and every file is as old
as the commit (SOURCE_DATE_EPOCH). What it depends on is what build.spec left to the system.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from email.utils import formatdate
from pathlib import Path

from freeze import DIST, ROOT, freeze, size_mb, version
from icons import SIZES, render
from pack_worker import write_sum
from system_libraries import depends

FILES = ROOT / "packaging" / "deb"
PROGRAMS = ("deskhand", "deskhand-hub")
MAINTAINER = "Deskhand contributors <packages@deskhand.example.org>"
PACKED_MB_MAX = {"deskhand": 35, "deskhand-ml": 110}
INSTALLED_MB_MAX = {"deskhand": 200, "deskhand-ml": 420}
SUMMARY = {
    "deskhand": "text your computer; it does the work and asks when unsure",
    "deskhand-ml": "text your computer; it does the work (with machine learning)",
}
TEXT = """\
 The worker on this computer, in the tray: it carries out jobs that its person asks for in a chat,
 shows their progress and asks when it is unsure. Files, models and keys never leave the computer.
 .
 Nothing starts at login until it is switched on in the settings."""


def main() -> int:
    """Freeze (or take what is frozen), pack, try; the path is printed."""
    options = arguments()
    name = "deskhand-ml" if options.ml else "deskhand"
    with tempfile.TemporaryDirectory(prefix="deskhand-deb-") as scratch:
        frozen = options.folder or freeze("ml" if options.ml else "slim", Path(scratch))
        installed_mb = size_mb(frozen)
        package = build(name, frozen, Path(scratch, "root"))
    write_sum(package)
    packed_mb = size_mb(package)
    print(f"{package.relative_to(ROOT)}  {packed_mb:.1f} MB, installed {installed_mb:.0f} MB")
    if packed_mb > PACKED_MB_MAX[name] or installed_mb > INSTALLED_MB_MAX[name]:
        print(f"Allowed are {PACKED_MB_MAX[name]} MB, installed {INSTALLED_MB_MAX[name]} MB.")
        return 1
    return 0 if options.no_smoke else smoke(package)


def smoke(package: Path) -> int:
    """Install it aside, run it, remove it: tests/packaging/test_deb.py."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/packaging"]
    ours = {"DESKHAND_DEB": str(package), "DESKHAND_PACKAGING": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=os.environ | ours, check=False).returncode


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ml", action="store_true", help="with machine learning")
    parser.add_argument("--folder", type=Path, help="take this frozen folder")
    parser.add_argument("--no-smoke", action="store_true", help="do not try the package")
    return parser.parse_args()


def build(name: str, frozen: Path, root: Path) -> Path:
    """Lay the files out as they will be installed, and pack them."""
    shutil.copytree(frozen, root / "opt" / "deskhand", symlinks=True)
    for program in PROGRAMS:
        link = root / "usr" / "bin" / program
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(f"/opt/deskhand/{program}")
    lay(root, "usr/share/applications/deskhand.desktop", (FILES / "deskhand.desktop").read_bytes())
    lay_icons(root)
    lay_documents(root, name)
    control = root / "DEBIAN" / "control"
    control.parent.mkdir()
    control.write_text(control_of(name, root), encoding="utf-8")
    (root / "DEBIAN" / "md5sums").write_text(sums_of(root), encoding="utf-8")
    make_plain(root)
    DIST.mkdir(exist_ok=True)
    package = DIST / f"{name}_{version()}_{debian_arch()}.deb"
    command = ["dpkg-deb", "--root-owner-group", "-Zxz", "-z9", "--build"]
    subprocess.run(
        [*command, str(root), str(package)],
        check=True,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"SOURCE_DATE_EPOCH": str(epoch())},
    )
    return package


def lay(root: Path, place: str, content: bytes) -> None:
    file = root / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def lay_icons(root: Path) -> None:
    with tempfile.TemporaryDirectory() as made:
        render(Path(made))
        icons = "usr/share/icons/hicolor"
        for size in SIZES:
            content = Path(made, f"deskhand-{size}.png").read_bytes()
            lay(root, f"{icons}/{size}x{size}/apps/deskhand.png", content)
        lay(root, f"{icons}/scalable/apps/deskhand.svg", Path(made, "deskhand.svg").read_bytes())


def lay_documents(root: Path, name: str) -> None:
    documents = f"usr/share/doc/{name}"
    lay(root, f"{documents}/copyright", (FILES / "copyright").read_bytes())
    changes = (
        f"{name} ({version()}) unstable; urgency=medium\n\n"
        f"  * See https://github.com/deskhand/deskhand for what is new.\n\n"
        f" -- {MAINTAINER}  {formatdate(epoch())}\n"
    )
    lay(root, f"{documents}/changelog.gz", zipped(changes.encode()))
    for program in PROGRAMS:
        page = (FILES / f"{program}.1").read_bytes()
        lay(root, f"usr/share/man/man1/{program}.1.gz", zipped(page))
    overrides = (FILES / "lintian-overrides").read_text().replace("@NAME@", name)
    lay(root, f"usr/share/lintian/overrides/{name}", overrides.encode())


def zipped(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)


def control_of(name: str, root: Path) -> str:
    other = "deskhand" if name == "deskhand-ml" else "deskhand-ml"
    fields = {
        "Package": name,
        "Version": version(),
        "Architecture": debian_arch(),
        "Maintainer": MAINTAINER,
        "Installed-Size": str(round(size_mb(root) * 1e6 / 1024)),
        "Depends": depends(),
        "Recommends": "bubblewrap, git, gnome-keyring | kwalletmanager | keepassxc, xdg-utils",
        "Conflicts": other,
        "Replaces": other,
        "Section": "utils",
        "Priority": "optional",
        "Description": f"{SUMMARY[name]}\n{TEXT}",
    }
    return "".join(f"{field}: {value}\n" for field, value in fields.items())


def sums_of(root: Path) -> str:
    lines = []
    for file in sorted(root.rglob("*")):
        inside = file.relative_to(root).as_posix()
        if file.is_file() and not file.is_symlink() and not inside.startswith("DEBIAN/"):
            digest = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
            lines.append(f"{digest}  {inside}\n")
    return "".join(lines)


def make_plain(root: Path) -> None:
    """Give every file the rights it needs and the commit's time."""
    for place in sorted(root.rglob("*")):
        if not place.is_symlink():
            is_program = place.is_dir() or place.parent == root / "opt" / "deskhand"
            place.chmod(0o755 if is_program else 0o644)
        os.utime(place, (epoch(), epoch()), follow_symlinks=False)
    root.chmod(0o755)


def epoch() -> int:
    """Return the time all files get: SOURCE_DATE_EPOCH, or that of the last commit."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    told = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    return int(told or 0)


def debian_arch() -> str:
    told = subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
    )
    return told.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
