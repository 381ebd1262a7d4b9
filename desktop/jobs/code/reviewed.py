"""Reads what a review left: its findings, and how long the files are that they name."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from desktop.core.code.findings import TEXT_CHARS_MAX, Found, read_findings

FILE_BYTES_MAX = 20 * 1024**2


def found_in(text: str, said: str, tree: Path) -> Found:
    """Read findings from the agent's file, or from its last words, and hold them to a clone."""

    def line_count(name: str) -> int | None:
        path = tree / name
        parts = Path(name).parts
        if not parts or ".." in parts or parts[0] == ".git":
            return None
        if Path(name).is_absolute() or not path.resolve().is_relative_to(tree.resolve()):
            return None
        content = _bytes(path)
        return None if content is None else content.count(b"\n") + (not content.endswith(b"\n"))

    found = read_findings(text, line_count) if text.strip() else Found()
    return found if found.is_told else read_findings(said, line_count)


def text_of(path: Path) -> str:
    """Read what an agent wrote: no link, no pipe, no more than anybody reads."""
    content = _bytes(path)
    return "" if content is None else content[: TEXT_CHARS_MAX * 4].decode(errors="replace")


def _bytes(path: Path) -> bytes | None:
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            return file.read(FILE_BYTES_MAX)
    except (OSError, ValueError):
        return None
