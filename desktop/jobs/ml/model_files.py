"""The files of one model folder: forced to disk, hashed, read back with suspicion.

Which folders there are is left to `model_folder`. Nothing here needs numpy.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import JsonValue, TypeAdapter, ValidationError

from desktop.jobs.ml.manifest import FORMAT_VERSION, FileFacts, Manifest, too_new
from shared.errors import AppError, BadInput, LimitReached, NotAllowed, Unavailable

JsonDict = dict[str, JsonValue]

MANIFEST_BYTES_MAX = 4 * 2**20
SIDE_FILE_BYTES_MAX = 64 * 2**20
READ_BYTES = 2**20
LEFTOVER_SECONDS = 24 * 3600.0
"""Something half written that is older than this was left by a job that was killed."""
REQUIRED = ("model.npz", "schema.json")
PACKAGES_TOLD = ("numpy", "pandas", "scikit-learn", "scipy")

_JSON_DICT: TypeAdapter[JsonDict] = TypeAdapter(JsonDict)


def read_manifest(folder: Path) -> Manifest:
    """Read manifest.json and see that the files it names are there in full.

    Raises:
        BadInput: `model_damaged`, `model_changed`, `model_too_new`.
    """
    raw = _bytes(folder / "manifest.json", MANIFEST_BYTES_MAX)
    try:
        manifest = Manifest.model_validate_json(raw)
    except ValidationError as error:
        format_version = _format_version(raw)
        if format_version > FORMAT_VERSION:
            raise too_new(format_version) from None
        raise _damaged(f"manifest.json has {error.error_count()} faults") from None
    if manifest.format_version > FORMAT_VERSION:
        raise too_new(manifest.format_version)
    if manifest.model_id != folder.name:
        raise _damaged(f"it calls itself '{manifest.model_id[:60]}'")
    for name in REQUIRED:
        if name not in manifest.files:
            raise _damaged(f"its manifest does not name {name}")
        if _size(folder / name) != manifest.files[name].size_bytes:
            raise changed(name)
    return manifest


def _format_version(raw: bytes) -> int:
    """Look for the version in a manifest whose other fields cannot be understood."""
    try:
        value = _JSON_DICT.validate_json(raw).get("format_version")
    except ValidationError:
        return 0
    return value if isinstance(value, int) else 0


def check(folder: Path, manifest: Manifest, name: str) -> None:
    """See that a file is, to the last bit, what was saved.

    Raises:
        BadInput: `model_changed`, `model_damaged`.
    """
    if name not in manifest.files:
        raise _damaged(f"it has no {name}")
    if _size(folder / name) < 0 or facts_of(folder / name) != manifest.files[name]:
        raise changed(name)


def read_json(folder: Path, manifest: Manifest, name: str) -> JsonDict:
    """Read a JSON file of a model after checking it.

    Raises:
        BadInput: `model_changed`, `model_damaged`.
    """
    check(folder, manifest, name)
    try:
        return _JSON_DICT.validate_json(_bytes(folder / name, SIDE_FILE_BYTES_MAX))
    except ValidationError:
        raise _damaged(f"{name} is not readable") from None


def _bytes(path: Path, bytes_max: int) -> bytes:
    size = _size(path)
    if size < 0:
        raise _damaged(f"{path.name} is missing")
    if size > bytes_max:
        raise _damaged(f"{path.name} is {size // 2**20} MB large")
    try:
        return path.read_bytes()
    except OSError as error:
        raise _damaged(f"{path.name} cannot be read ({error.strerror})") from None


def _size(path: Path) -> int:
    """Give the size in bytes; -1 when it is no file."""
    try:
        return path.stat().st_size if path.is_file() else -1
    except OSError:
        return -1


def facts_of(path: Path) -> FileFacts:
    """Measure and hash a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(READ_BYTES):
            digest.update(block)
        return FileFacts(size_bytes=stream.tell(), sha256=digest.hexdigest())


def _damaged(what: str) -> BadInput:
    return BadInput(
        "model_damaged",
        f"This model's folder is damaged: {what}.",
        "Train it again, or restore its folder from a backup.",
    )


def changed(name: str) -> BadInput:
    """Phrase that a file is missing or not the one that was saved."""
    return BadInput(
        "model_changed",
        f"This model is not used: its {name} is not the one that was saved.",
        "Train it again, or restore its folder from a backup.",
    )


def json_text(value: JsonDict) -> str:
    """Write compact JSON; numbers that JSON does not know are a programmer's error."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def versions() -> dict[str, str]:
    """Say which packages are installed here."""
    found = {}
    for package in PACKAGES_TOLD:
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def force_to_disk(folder: Path) -> None:
    """Have every file of a folder, and the folder itself, written through."""
    for path in folder.iterdir():
        with path.open("rb+") as stream:
            os.fsync(stream.fileno())
    force_folder(folder)


def force_folder(folder: Path) -> None:
    """Have a folder's list of names written through, where the system can do that."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_leftover(path: Path) -> bool:
    """Say whether nobody can still be writing this file or folder."""
    try:
        return time.time() - path.stat().st_mtime > LEFTOVER_SECONDS
    except OSError:
        return False


def save_failed(error: OSError, folder: Path) -> AppError:
    """Phrase why something could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return LimitReached(
            "disk_full",
            f"The disk of '{folder}' is full.",
            "Free some space, then try again.",
            retryable=True,
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return NotAllowed(
            "folder_read_only",
            f"Deskhand may not write into '{folder}'.",
            "Change the folder's permissions, or use a folder you may write to.",
        )
    return Unavailable(
        "write_failed",
        f"Writing into '{folder}' failed: {error.strerror or error}.",
        "Check the disk, then try again.",
        retryable=True,
    )
