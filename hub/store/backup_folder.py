"""Where backups lie: `backups` in the data folder, by the time they were made, the newest kept."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import structlog

from hub.store.backup import FILE_BYTES_MAX, FILES_MAX, SUFFIX, Contents, write_backup
from hub.store.database import STORE_NAME

log = structlog.get_logger()

FOLDER = "backups"
KEY_FILES = ("admin.key", "pepper.key")
FRONTENDS = "frontends"
"""What frontends keep beside the store."""
_NAME = f"hub-%Y%m%d-%H%M%S{SUFFIX}"


def name_of(at: datetime) -> str:
    return f"{at.astimezone(UTC):{_NAME}}"


def backups_in(data: Path) -> list[tuple[datetime, Path]]:
    """The backups of a data folder, by the times in their names, the oldest first."""
    found = []
    for path in (data / FOLDER).glob(f"hub-*{SUFFIX}"):
        try:
            made_at = datetime.strptime(path.name, _NAME).replace(tzinfo=UTC)
        except ValueError:
            continue
        found.append((made_at, path))
    return sorted(found)


def store_bytes(data: Path) -> int:
    """How large the store of a data folder is, with its write-ahead log."""
    files = (data / f"{STORE_NAME}{suffix}" for suffix in ("", "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def back_up(data: Path, target: Path, *, at: datetime, version: str) -> Contents:
    """Make a backup of a data folder's hub, running or not.

    Raises:
        Unavailable: as `write_backup`.
    """
    return write_backup(data / STORE_NAME, target, _files(data), at=at, version=version)


def rotate(data: Path, keep: int) -> list[Path]:
    """Delete the oldest backups of a data folder beyond `keep`; return them."""
    found = [path for _, path in backups_in(data)]
    old = found[: max(0, len(found) - keep)]
    for path in old:
        path.unlink(missing_ok=True)
    return old


def _files(data: Path) -> dict[str, bytes]:
    """Read the secrets, and what frontends keep, by path below the data folder."""
    kept = [path for path in sorted((data / FRONTENDS).rglob("*")) if path.is_file()]
    files = {}
    for path in [*(data / name for name in KEY_FILES), *kept[:FILES_MAX]]:
        if path.is_symlink() or not path.is_file():
            continue
        if path.stat().st_size > FILE_BYTES_MAX:
            log.warning("file_left_out_of_backup", path=str(path))
            continue
        files[path.relative_to(data).as_posix()] = path.read_bytes()
    return files
