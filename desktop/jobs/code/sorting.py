"""Decides about every path of a clone that may not be as it was, before git is told a single one.

No link is followed, nothing is opened; what is neither a file nor a link within the repository is
left out, and named.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from desktop.core.code.change import shown
from shared.errors import LimitReached

FILES_MAX = 2_000
FILE_BYTES_MAX = 10 * 1024**2
BYTES_MAX = 50 * 1024**2
LEFT_OUT_MAX = 3
"""Names in a note."""
_RULES = frozenset((".gitignore", ".gitattributes"))


@dataclass(slots=True)
class SortedPaths:
    """What was decided."""

    taken: list[bytes] = field(default_factory=list)
    removed: list[bytes] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    names: dict[str, list[str]] = field(default_factory=dict)
    bytes_taken: int = 0

    def leave(self, path: bytes, why: str) -> None:
        self.left_out[why] += 1
        if len(told := self.names.setdefault(why, [])) < LEFT_OUT_MAX:
            told.append(shown(path)[:80])

    def notes(self) -> Iterable[str]:
        for why, count in self.left_out.items():
            names = ", ".join(self.names[why])
            more = f" and {count - LEFT_OUT_MAX} more" if count > LEFT_OUT_MAX else ""
            yield f"Left out, {why}: {names}{more}."


def disarm(folder: Path) -> None:
    """Remove what git would wait at for ever when it opens it: a pipe called .gitignore."""
    for place, folders, files in os.walk(folder):
        if place == str(folder):
            folders[:] = [name for name in folders if name != ".git"]
        for name in {*files} & _RULES:
            path = Path(place, name)
            if not stat.S_ISREG(path.lstat().st_mode):
                path.unlink()


def sort_paths(folder: Path, candidates: list[bytes]) -> SortedPaths:
    """Look at paths of a folder.

    Raises:
        LimitReached: `change_too_large`.
    """
    found = SortedPaths()
    for path in candidates:
        _sort(folder, path, found)
    if len(found.taken) + len(found.removed) > FILES_MAX:
        raise _too_large(f"{len(found.taken) + len(found.removed):,} files", f"{FILES_MAX:,} files")
    if found.bytes_taken > BYTES_MAX:
        raise _too_large(f"{found.bytes_taken / 1e6:.0f} MB", f"{BYTES_MAX / 1e6:.0f} MB")
    return found


def _sort(folder: Path, path: bytes, found: SortedPaths) -> None:
    """Look at one path without following any link."""
    if path.endswith(b"/") or b".git" in path.lower().split(b"/"):
        found.leave(path, "a repository within the repository")
        return
    told = _looked(folder, path)
    if told is None:
        found.removed.append(path)
    elif stat.S_ISLNK(told.st_mode):
        if _leads_out(os.fsencode((folder / os.fsdecode(path)).readlink()), path):
            found.leave(path, "a link that leads out of the repository")
        else:
            found.taken.append(path)
    elif not stat.S_ISREG(told.st_mode):
        found.leave(path, "neither a file nor a link")
    elif told.st_size > FILE_BYTES_MAX:
        found.leave(path, f"larger than {FILE_BYTES_MAX / 1e6:.0f} MB")
    else:
        found.taken.append(path)
        found.bytes_taken += told.st_size


def _looked(folder: Path, path: bytes) -> os.stat_result | None:
    """Return what stands at a path; None when nothing does, or what leads there is no folder."""
    at = folder
    *parents, last = os.fsdecode(path).split("/")
    try:
        for part in parents:
            at = at / part
            if not stat.S_ISDIR(at.lstat().st_mode):
                return None
        told = (at / last).lstat()
    except OSError:
        return None
    return None if stat.S_ISDIR(told.st_mode) else told


def _leads_out(target: bytes, path: bytes) -> bool:
    """Say whether a link's words lead out of the tree it stands in."""
    if target.startswith((b"/", b"\\")) or b":" in target[:3]:
        return True
    depth = path.count(b"/")
    for part in target.replace(b"\\", b"/").split(b"/"):
        depth += -1 if part == b".." else part not in (b"", b".")
        if depth < 0:
            return True
    return False


def _too_large(what: str, most: str) -> LimitReached:
    return LimitReached(
        "change_too_large",
        f"The change has {what}; {most} are taken.",
        "Order the work in smaller parts, or list what is generated in .gitignore.",
    )
