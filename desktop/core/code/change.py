"""A change: what a coding job did to a repository, as facts that git tells of two trees.

Read from `git diff-tree -r -M -z --raw --numstat`, whose names are bytes between NULs: no quoting,
nothing in a name can be taken for something else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shared.plain_text import plain_line
from shared.unified_diff import FileStatus

_STATUS = {
    "A": FileStatus.ADDED,
    "C": FileStatus.COPIED,
    "D": FileStatus.DELETED,
    "M": FileStatus.CHANGED,
    "R": FileStatus.RENAMED,
    "T": FileStatus.CHANGED,
}
MODE_LINK = "120000"
MODE_EXECUTABLE = "100755"
MODE_MODULE = "160000"
MODE_NONE = "000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFile:
    """One file that is not as it was."""

    path: str
    """As it is now, or as it was when the file is deleted; with what acts blotted out."""
    old_path: str = ""
    """Where it was, when it was renamed or copied."""
    status: FileStatus
    added: int = 0
    """Lines; 0 of a binary file."""
    removed: int = 0
    is_binary: bool = False
    old_mode: str = MODE_NONE
    new_mode: str = MODE_NONE

    @property
    def is_link(self) -> bool:
        return self.new_mode == MODE_LINK

    @property
    def is_mode_changed(self) -> bool:
        return MODE_NONE not in (self.old_mode, self.new_mode) and self.old_mode != self.new_mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """All of it, between two commits."""

    base: str
    """The commit that it began from, 40 or 64 hex digits."""
    commit: str
    """The commit that holds it; the same as `base` when nothing was changed."""
    files: tuple[ChangedFile, ...] = ()
    diff: str = ""
    """As `git diff` writes it, cut at a limit."""
    is_diff_cut: bool = False
    notes: tuple[str, ...] = ()
    """What was left out, or is worth a look: "3 files larger than 5 MB were left out"."""

    @property
    def is_empty(self) -> bool:
        return not self.files

    @property
    def added(self) -> int:
        return sum(file.added for file in self.files)

    @property
    def removed(self) -> int:
        return sum(file.removed for file in self.files)


def parse_files(output: bytes) -> tuple[ChangedFile, ...]:
    """Read what `git diff-tree -r -M -z --raw --numstat` tells, in its order.

    Raises:
        ValueError: git told something else.
    """
    fields = output.split(b"\0")
    if fields.pop() != b"":
        raise ValueError("the list of files does not end")
    cells = iter(fields)
    raw: dict[bytes, tuple[list[str], bytes]] = {}
    lines: dict[bytes, tuple[str, str]] = {}
    for cell in cells:
        if cell.startswith(b":"):
            told = cell[1:].decode("ascii").split(" ")
            first = next(cells, b"")
            path = next(cells, b"") if told[4][0] in "RC" else first
            raw[path] = (told, first)
        else:
            added, removed, rest = cell.split(b"\t", 2)
            path = rest or _last(cells)
            lines[path] = (added.decode("ascii"), removed.decode("ascii"))
    return tuple(_file(path, *told, lines.get(path, ("0", "0"))) for path, told in raw.items())


def _last(cells: Iterator[bytes]) -> bytes:
    """Pass over the old name of a renamed file and return the new one."""
    next(cells, b"")
    return next(cells, b"")


def _file(path: bytes, told: list[str], old: bytes, lines: tuple[str, str]) -> ChangedFile:
    old_mode, new_mode, _, _, letter = told
    status = _STATUS.get(letter[0])
    if status is None:
        raise ValueError(f"no status that is known: {letter!r}")
    is_binary = lines[0] == "-"
    return ChangedFile(
        path=shown(path),
        old_path=shown(old) if old != path else "",
        status=status,
        added=0 if is_binary else int(lines[0]),
        removed=0 if is_binary else int(lines[1]),
        is_binary=is_binary,
        old_mode=old_mode,
        new_mode=new_mode,
    )


def shown(path: bytes) -> str:
    """Make a name of the disk fit for people."""
    return plain_line(path.decode(errors="replace"))
