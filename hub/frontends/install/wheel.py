"""The wheel this hub serves, made from the very installation that runs.

So a worker always gets what its hub speaks with, whether the hub came from a wheel, a source
tree or an editable install. The same files always give the same bytes: times and order are fixed.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import os
import threading
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.errors import Unavailable

NAME = "deskhand"
ROOT = Path(__file__).parents[3]
EPOCH = (2020, 2, 2, 0, 0, 0)
"""No file of a wheel is older or newer: zip has no time before 1980 and no zone."""
LEFT_OUT = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "WHEEL")
"""Of an installed package's metadata: what tells of this machine, or is written anew."""
WHEEL = """\
Wheel-Version: 1.0
Generator: deskhand-hub
Root-Is-Purelib: true
Tag: py3-none-any
"""
Contents = Mapping[str, bytes]


class OwnWheel:
    """Packed at the first wish, into a folder of its own. Blocking: call it from a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._place: Path | None = None
        self._lock = threading.Lock()

    def place(self) -> Path:
        """Where the wheel is.

        Raises:
            Unavailable: `wheel_not_made`.
        """
        with self._lock:
            if self._place is None or not self._place.is_file():
                try:
                    self._place = pack(self._folder)
                except OSError as error:
                    raise Unavailable(
                        "wheel_not_made",
                        f"The worker's package could not be made: {error.strerror}.",
                        f"See whether {self._folder} can be written and the disk has room.",
                        retryable=True,
                    ) from error
            return self._place


def pack(folder: Path) -> Path:
    """Write the wheel into `folder`, in place of one made before; return its place."""
    version, contents = from_source(ROOT) if is_source(ROOT) else from_installed()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    place = folder / f"{NAME}-{version}-py3-none-any.whl"
    aside = folder / f".{place.name}.{os.getpid()}"
    try:
        _write(aside, f"{NAME}-{version}.dist-info", contents)
        aside.replace(place)
    finally:
        aside.unlink(missing_ok=True)
    return place


def is_source(root: Path) -> bool:
    """Whether this program runs from its source tree, an editable install included."""
    try:
        return str(_project(root)["name"]) == NAME
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        return False


def from_source(root: Path) -> tuple[str, Contents]:
    """The version, and what the build would put into a wheel of this tree."""
    told = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    project = told["project"]
    wheel = told["tool"]["hatch"]["build"]["targets"]["wheel"]
    contents = {
        str(file.relative_to(root).as_posix()): file.read_bytes()
        for package in wheel["packages"]
        for file in _files(root / package)
    }
    for place, inside in wheel.get("force-include", {}).items():
        contents[inside] = (root / place).read_bytes()
    version = str(project["version"])
    information = f"{NAME}-{version}.dist-info"
    contents[f"{information}/METADATA"] = _metadata(project).encode()
    contents[f"{information}/entry_points.txt"] = _entry_points(project).encode()
    for licence in project.get("license-files", []):
        contents[f"{information}/licenses/{licence}"] = (root / licence).read_bytes()
    return version, contents


def from_installed() -> tuple[str, Contents]:
    """The version, and the files of an installed wheel, as its RECORD lists them."""
    distribution = importlib.metadata.distribution(NAME)
    contents = {}
    for file in distribution.files or []:
        inside = file.as_posix()
        is_outside = inside.startswith(("../", "/"))
        is_local = ".dist-info/" in inside and file.name in LEFT_OUT
        if not is_outside and not is_local and "__pycache__" not in file.parts:
            contents[inside] = file.read_binary()
    return distribution.version, contents


def _write(place: Path, information: str, contents: Contents) -> None:
    whole = {**contents, f"{information}/WHEEL": WHEEL.encode()}
    record = [f"{name},sha256={_sum(held)},{len(held)}" for name, held in sorted(whole.items())]
    record.append(f"{information}/RECORD,,")
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(whole):
            _add(archive, name, whole[name])
        _add(archive, f"{information}/RECORD", ("\n".join(record) + "\n").encode())


def _add(archive: zipfile.ZipFile, name: str, held: bytes) -> None:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = 0o100644 << 16
    archive.writestr(entry, held)


def _sum(held: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(held).digest()).rstrip(b"=").decode()


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        is_made = "__pycache__" in file.parts or file.suffix in (".pyc", ".pyo")
        if file.is_file() and not file.is_symlink() and not is_made:
            yield file


def _project(root: Path) -> dict[str, Any]:
    told = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    project: dict[str, Any] = told["project"]
    return project


def _metadata(project: Mapping[str, Any]) -> str:
    """Write core metadata (specification 2.4) of a project table."""
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {NAME}",
        f"Version: {project['version']}",
        f"Summary: {project['description']}",
        f"License-Expression: {project['license']}",
        *(f"License-File: {name}" for name in project.get("license-files", [])),
        f"Requires-Python: {project['requires-python']}",
        *(f"Requires-Dist: {need}" for need in project["dependencies"]),
    ]
    for extra, needs in project.get("optional-dependencies", {}).items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {_with_extra(need, extra)}" for need in needs]
    return "\n".join(lines) + "\n"


def _with_extra(need: str, extra: str) -> str:
    """Add `extra == "…"` to a requirement, whose own marker stays."""
    package, _, marker = (part.strip() for part in need.partition(";"))
    asked = f"extra == '{extra}'"
    return f"{package}; ({marker}) and {asked}" if marker else f"{package}; {asked}"


def _entry_points(project: Mapping[str, Any]) -> str:
    lines = ["[console_scripts]"]
    lines += [f"{name} = {target}" for name, target in project["scripts"].items()]
    return "\n".join(lines) + "\n"
