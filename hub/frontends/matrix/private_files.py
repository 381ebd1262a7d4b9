"""Small files that only the hub's user can read, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def private_folder(folder: Path) -> Path:
    """Make a folder that nobody else may look into."""
    folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
    folder.chmod(FOLDER_MODE)
    return folder


def private_file(path: Path) -> Path:
    """Make a file that others cannot read, before somebody else makes it readable."""
    path.touch(mode=FILE_MODE)
    path.chmod(FILE_MODE)
    return path


def write_private(path: Path, text: str) -> None:
    """Put a text in the place of what was there; after a crash it is one or the other."""
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
