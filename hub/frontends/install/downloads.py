"""The downloads folder: what the operator put there to be fetched, with sizes and sums.

Only plain files directly in it are offered, and only under names without surprises. A sum is
taken once and again when the file changes.
"""

from __future__ import annotations

import hashlib
import re
import stat
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
UNFINISHED = (".part", ".tmp", ".crdownload")
FILES_MAX = 200
"""More are not listed."""
_FROZEN = re.compile(
    r"deskhand-worker-(?P<system>linux|macos|windows)-(?P<arch>x86_64|aarch64)"
    r"-(?P<version>[0-9]+(?:\.[0-9]+)*(?:[A-Za-z0-9.+]*))\.(?:tar\.gz|zip)"
)
_DEB = re.compile(
    r"deskhand(?P<ml>-ml)?_(?P<version>[0-9]+(?:\.[0-9]+)*[A-Za-z0-9.+]*)_(?P<arch>amd64|arm64)\.deb"
)
_APP = re.compile(
    r"Deskhand(?P<ml>-ml)?-(?P<version>[0-9]+(?:\.[0-9]+)*[A-Za-z0-9.+]*)-(?P<arch>x86_64|aarch64)"
    r"\.(?P<suffix>exe|dmg|AppImage)"
)
_ARCHES = {"amd64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file that can be fetched."""

    name: str
    place: Path
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A self-contained worker for one system."""

    system: str
    arch: str
    version: str
    file: Download


class Form(StrEnum):
    """What a tray app comes as, in the order in which a system's are shown."""

    INSTALLER = "exe"
    IMAGE = "dmg"
    PACKAGE = "deb"
    PORTABLE = "AppImage"


SYSTEM_OF = {
    Form.INSTALLER: "windows",
    Form.IMAGE: "macos",
    Form.PACKAGE: "linux",
    Form.PORTABLE: "linux",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """The tray app for one system, as one file."""

    form: Form
    arch: str
    version: str
    with_ml: bool
    file: Download

    @property
    def system(self) -> str:
        return SYSTEM_OF[self.form]


class Downloads:
    """Reading it is blocking: call it from a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sums: dict[Path, tuple[tuple[int, int, int], str]] = {}
        self._lock = threading.Lock()

    def files(self) -> list[Download]:
        """List what is offered, by name; empty when there is no folder."""
        try:
            names = sorted(entry.name for entry in self.folder.iterdir())
        except OSError:
            return []
        found = (self.find(name) for name in names if is_offered(name))
        return [file for file in found if file is not None][:FILES_MAX]

    def find(self, name: str) -> Download | None:
        """One file by its name; None when it is not offered."""
        if not is_offered(name):
            return None
        return self.measured(self.folder / name)

    def measured(self, place: Path) -> Download | None:
        """Size and sum of a plain file; None for links, folders and what is not there."""
        try:
            status = place.lstat()
            if not stat.S_ISREG(status.st_mode):
                return None
            mark = (status.st_size, status.st_mtime_ns, status.st_ino)
            with self._lock:  # one sum at a time: they are long, and read the same disk
                known = self._sums.get(place)
                if known is None or known[0] != mark:
                    with place.open("rb") as file:
                        known = (mark, hashlib.file_digest(file, "sha256").hexdigest())
                    self._sums[place] = known
        except OSError:
            return None
        return Download(name=place.name, place=place, size_bytes=mark[0], sha256=known[1])


def is_offered(name: str) -> bool:
    """Whether a file by this name may be fetched at all."""
    return bool(NAME.fullmatch(name)) and not name.endswith(UNFINISHED)


def frozen_workers(files: Iterable[Download]) -> list[Frozen]:
    """The newest self-contained worker of each system, by system."""
    newest: dict[tuple[str, str], Frozen] = {}
    for file in files:
        match = _FROZEN.fullmatch(file.name)
        if match is None:
            continue
        frozen = Frozen(**match.groupdict(), file=file)
        before = newest.get((frozen.system, frozen.arch))
        if before is None or _rank(frozen.version) >= _rank(before.version):
            newest[frozen.system, frozen.arch] = frozen
    return [newest[key] for key in sorted(newest)]


def builds(files: Iterable[Download]) -> list[Build]:
    """The newest tray app of each form, by form; without machine learning first."""
    newest: dict[tuple[int, str, bool], Build] = {}
    forms = list(Form)
    for file in files:
        build = _build(file)
        if build is None:
            continue
        key = (forms.index(build.form), build.arch, build.with_ml)
        before = newest.get(key)
        if before is None or _rank(build.version) >= _rank(before.version):
            newest[key] = build
    # What most machines are comes before the others.
    usual_first = sorted(newest, key=lambda key: (key[0], key[1] != "x86_64", key[2]))
    return [newest[key] for key in usual_first]


def _build(file: Download) -> Build | None:
    match = _DEB.fullmatch(file.name) or _APP.fullmatch(file.name)
    if match is None:
        return None
    told = match.groupdict()
    return Build(
        form=Form(told.get("suffix", "deb")),
        arch=_ARCHES.get(told["arch"], told["arch"]),
        version=told["version"],
        with_ml=told["ml"] is not None,
        file=file,
    )


def _rank(version: str) -> tuple[tuple[int, ...], bool]:
    """Order versions: by their numbers, a release after what came before it (1.0rc1)."""
    numbers = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    assert numbers is not None
    return tuple(map(int, numbers[0].split("."))), numbers[0] == version
