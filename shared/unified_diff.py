"""Reads the text of `git diff` into files, hunks and numbered lines, for every view of it.

The text holds what strangers wrote: names and lines come out harmless (`plain`), long ones are
cut, and nothing in a line is taken for a header, because hunks are read by their own counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from shared.plain_text import plain, plain_line

LINE_CHARS_MAX = 2_000
LINES_MAX = 20_000
"""Of all files together; more is nothing that anybody reads."""
NAME_CHARS_MAX = 1_024

_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@ ?(.*)", re.DOTALL)
_ESCAPE = re.compile(rb'\\([0-3][0-7]{2}|[abtnvfr"\\])')
_ESCAPED = {b"a": 7, b"b": 8, b"t": 9, b"n": 10, b"v": 11, b"f": 12, b"r": 13}


class FileStatus(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    DELETED = "deleted"
    RENAMED = "renamed"
    COPIED = "copied"


class LineSort(StrEnum):
    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    NOTE = "note"
    """Git's own word: no line end at the end of the file."""


@dataclass(frozen=True, slots=True)
class DiffLine:
    sort: LineSort
    text: str
    """Without its sign and its line end."""
    old_number: int | None = None
    """In the file as it was, from 1; None for an added line."""
    new_number: int | None = None
    """In the file as it is; None for a removed line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    old_start: int
    new_start: int
    place: str = ""
    """What the lines stand in, as git found it: "def main():"."""
    lines: tuple[DiffLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDiff:
    """One file of a diff."""

    path: str
    """As it is now, or as it was when the file is deleted."""
    old_path: str
    """Another than `path` when it was renamed or copied."""
    status: FileStatus
    is_binary: bool = False
    old_mode: str = ""
    """Both are there when the mode changed: "100644", "100755"."""
    new_mode: str = ""
    hunks: tuple[Hunk, ...] = ()

    @property
    def added(self) -> int:
        return self._count(LineSort.ADDED)

    @property
    def removed(self) -> int:
        return self._count(LineSort.REMOVED)

    def _count(self, sort: LineSort) -> int:
        return sum(line.sort is sort for hunk in self.hunks for line in hunk.lines)


@dataclass(frozen=True, slots=True)
class Diff:
    files: tuple[FileDiff, ...]
    is_cut: bool = False
    """The text ended in the middle of a hunk, or was longer than `LINES_MAX`."""


def parse_diff(text: str) -> Diff:
    """Read a diff as `git diff` writes it; what belongs to no file is passed over.

    Never raises: a text that is no diff has no files.
    """
    reader = _Reader(text.removesuffix("\n").split("\n"))
    files = tuple(reader.files())
    return Diff(files=files, is_cut=reader.is_cut)


@dataclass(slots=True)
class _Head:
    """What the lines before a file's first hunk said."""

    old: str = ""
    new: str = ""
    status: FileStatus = FileStatus.CHANGED
    is_binary: bool = False
    old_mode: str = ""
    new_mode: str = ""
    hunks: list[Hunk] = field(default_factory=list)

    def learn(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        match word:
            case "new" if rest.startswith("file mode "):
                self.status, self.new_mode = FileStatus.ADDED, rest[10:16]
            case "deleted":
                self.status, self.old_mode = FileStatus.DELETED, rest[10:16]
            case "old" if rest.startswith("mode "):
                self.old_mode = rest[5:11]
            case "new" if rest.startswith("mode "):
                self.new_mode = rest[5:11]
            case "rename" | "copy":
                self._moved(word, rest)
            case "---" | "+++":
                self._named(word, rest)
            case "Binary" | "GIT":
                self.is_binary = True
            case _:
                pass

    def _moved(self, word: str, rest: str) -> None:
        self.status = FileStatus.RENAMED if word == "rename" else FileStatus.COPIED
        end, _, name = rest.partition(" ")
        if end == "from":
            self.old = unquoted(name)
        elif end == "to":
            self.new = unquoted(name)

    def _named(self, word: str, rest: str) -> None:
        name = unquoted(rest.removesuffix("\t"))
        if name == "/dev/null":
            return
        if word == "---":
            self.old = name[2:]
        else:
            self.new = name[2:]

    def file(self) -> FileDiff:
        path = self.old if self.status is FileStatus.DELETED else self.new or self.old
        return FileDiff(
            path=_name(path),
            old_path=_name(self.old or self.new),
            status=self.status,
            is_binary=self.is_binary,
            old_mode=self.old_mode,
            new_mode=self.new_mode,
            hunks=tuple(self.hunks),
        )


class _Reader:
    """Walks the lines once."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0
        self._left = LINES_MAX
        self.is_cut = False

    def files(self) -> Iterator[FileDiff]:
        head: _Head | None = None
        while self._at < len(self._lines) and not self.is_cut:
            line = self._lines[self._at]
            self._at += 1
            if line.startswith("diff --git "):
                if head is not None:
                    yield head.file()
                head = _begun(line)
            elif head is not None and (start := _HUNK.fullmatch(line)):
                head.hunks.append(self._hunk(start))
            elif head is not None and not head.hunks:
                head.learn(line)
        if head is not None:
            yield head.file()

    def _hunk(self, start: re.Match[str]) -> Hunk:
        old, new = int(start[1]), int(start[3])
        hunk_lines = tuple(self._body(old, _count(start[2]), new, _count(start[4])))
        return Hunk(old_start=old, new_start=new, place=_short(start[5]), lines=hunk_lines)

    def _body(self, old: int, old_left: int, new: int, new_left: int) -> Iterator[DiffLine]:
        while old_left > 0 or new_left > 0 or self._is_note():
            if self._at >= len(self._lines) or self._left == 0:
                self.is_cut = True
                return
            line = self._lines[self._at]
            self._at, self._left = self._at + 1, self._left - 1
            text = _short(line[1:])
            match line[:1]:
                case "+":
                    yield DiffLine(LineSort.ADDED, text, None, new)
                    new, new_left = new + 1, new_left - 1
                case "-":
                    yield DiffLine(LineSort.REMOVED, text, old, None)
                    old, old_left = old + 1, old_left - 1
                case "\\":
                    yield DiffLine(LineSort.NOTE, text.strip())
                case " " | "":
                    yield DiffLine(LineSort.SAME, text, old, new)
                    old, old_left, new, new_left = old + 1, old_left - 1, new + 1, new_left - 1
                case _:
                    self.is_cut = True
                    return

    def _is_note(self) -> bool:
        return self._at < len(self._lines) and self._lines[self._at].startswith("\\")


def _begun(line: str) -> _Head:
    """Begin a file with both names of its first line; later lines say them without doubt.

    Without a rename both names are the same one, so the line is split in its middle.
    """
    both = line.removeprefix("diff --git ")
    if both.startswith('"'):
        first, _, second = both.partition('" ')
        return _Head(old=unquoted(first + '"')[2:], new=unquoted(second)[2:])
    half = len(both) // 2
    return _Head(old=both[2:half], new=both[half + 3 :])


def unquoted(name: str) -> str:
    r"""Return a name as it is on the disk: git writes odd ones as "a/\303\244.txt"."""
    if len(name) < 2 or not (name.startswith('"') and name.endswith('"')):
        return name
    return _ESCAPE.sub(_byte, name[1:-1].encode(errors="replace")).decode(errors="replace")


def _byte(found: re.Match[bytes]) -> bytes:
    code = found[1]
    if code.isdigit():
        return bytes([int(code, 8)])
    return bytes([_ESCAPED[code]]) if code in _ESCAPED else code


def _count(told: str | None) -> int:
    return 1 if told is None else int(told)


def _short(text: str) -> str:
    text = plain(text.removesuffix("\r"))
    return text if len(text) <= LINE_CHARS_MAX else f"{text[: LINE_CHARS_MAX - 1]}…"


def _name(path: str) -> str:
    return plain_line(path)[:NAME_CHARS_MAX]
