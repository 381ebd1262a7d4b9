"""Looking around: what is in a folder, and where a text stands. Bounded, and never by a regex.

A pattern is literal text in which ".*" stands for anything within a line, "|" for "or", "^" and "$"
for a line's ends. It is looked for piece by piece, so no pattern can take long.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from desktop.jobs.code.builtin.tools.folder import Folder, is_binary, read_bytes
from desktop.jobs.code.builtin.tools.outcome import Outcome, ToolFault

ENTRIES_MAX = 400
"""Shown by one `list`."""
WALKED_MAX = 50_000
"""Files looked at by one call."""
LOOK_SECONDS_MAX = 20.0
MATCHES_MAX = 150
MATCH_CHARS_MAX = 240
SEARCHED_BYTES_MAX = 2 * 1024 * 1024
"""A larger file is data, and not searched."""
PATTERN_CHARS_MAX = 500
ALTERNATIVES_MAX = 20
SKIPPED = frozenset(
    {".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", "venv", ".tox", ".mypy_cache"}
)
_GAP = re.compile(r"(?<!\\)\.[*+]\??|(?<!\\)\\[swdSWD][*+]?\??")


def list_files(folder: Folder, path: str = ".", glob: str = "") -> Outcome:
    """Show the files below a folder, or those whose name fits a glob."""
    top = folder.find(path)
    if not top.is_dir():
        raise ToolFault(f"{path!r} is no folder.")
    names = [
        folder.shown(one) for one in _walk(top) if not glob or _fits(one.relative_to(top), glob)
    ]
    if not names:
        return Outcome(text=f"No file fits {glob!r}." if glob else f"{path!r} is empty.")
    shown = names if len(names) <= ENTRIES_MAX else _folders(names)
    more = len(shown) - ENTRIES_MAX
    notes = [f"[{more} more; look into a folder, or use glob]"] if more > 0 else []
    return Outcome(text="\n".join([*shown[:ENTRIES_MAX], *notes]))


def _folders(names: list[str]) -> list[str]:
    """Tell too many files by their folders."""
    counts: dict[str, int] = {}
    for name in names:
        parent = name.rpartition("/")[0] or "."
        counts[parent] = counts.get(parent, 0) + 1
    return [f"{parent}/ ({count} files)" for parent, count in sorted(counts.items())]


def _fits(path: Path, glob: str) -> bool:
    name = path.as_posix()
    plain = glob[:PATTERN_CHARS_MAX].removeprefix("./").replace("**/", "*").replace("**", "*")
    return fnmatchcase(name, plain) or ("/" not in glob and fnmatchcase(path.name, plain))


def _walk(top: Path) -> Iterator[Path]:
    """Give files below, links left out, the nearest first, within bounds."""
    end, count = time.monotonic() + LOOK_SECONDS_MAX, 0
    for parent, folders, files in os.walk(top):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        for name in sorted(files):
            count += 1
            if count > WALKED_MAX or time.monotonic() > end:
                return
            path = Path(parent, name)
            if not path.is_symlink():
                yield path


def grep(
    folder: Folder, pattern: str, path: str = ".", glob: str = "", *, ignore_case: bool = False
) -> Outcome:
    """Show lines that have a text, as "file:line: text"."""
    wanted = Pattern.of(pattern, ignore_case=ignore_case)
    top = folder.find(path)
    if not top.exists():
        raise ToolFault(f"There is no {path!r}.")
    files = [top] if top.is_file() else _walk(top)
    base = top.parent if top.is_file() else top
    found: list[str] = []
    for file in files:
        if glob and not _fits(file.relative_to(base), glob):
            continue
        found += _lines_in(file, folder.shown(file), wanted)
        if len(found) > MATCHES_MAX:
            break
    if not found:
        hint = f" {wanted.note}" if wanted.note else ""
        return Outcome(text=f"Nothing has {pattern!r}.{hint}")
    more = [f"[more than {MATCHES_MAX}; narrow it]"] if len(found) > MATCHES_MAX else []
    notes = [f"[{wanted.note}]"] if wanted.note else []
    return Outcome(text="\n".join([*found[:MATCHES_MAX], *more, *notes]))


def _lines_in(file: Path, shown: str, wanted: Pattern) -> Iterator[str]:
    try:
        raw = read_bytes(file, shown, bytes_max=SEARCHED_BYTES_MAX)
    except ToolFault:
        return
    if is_binary(raw):
        return
    for number, line in enumerate(raw.decode(errors="replace").split("\n"), 1):
        if wanted.is_in(line):
            cut = line.rstrip("\r")
            yield f"{shown}:{number}: {cut[:MATCH_CHARS_MAX]}"


@dataclass(frozen=True, slots=True)
class _Way:
    """One alternative: pieces in their order."""

    pieces: tuple[str, ...]
    at_start: bool
    at_end: bool

    def is_in(self, line: str) -> bool:
        *begin, last = self.pieces
        if self.at_start and not line.startswith(self.pieces[0]):
            return False
        place = 0
        for piece in begin:
            found = line.find(piece, place)
            if found < 0:
                return False
            place = found + len(piece)
        found = line.rfind(last, place) if self.at_end else line.find(last, place)
        if self.at_start and not begin:
            found = 0
        return found >= 0 and (not self.at_end or found + len(last) == len(line))


@dataclass(frozen=True, slots=True)
class Pattern:
    """What is looked for."""

    literal: str
    ways: tuple[_Way, ...]
    ignore_case: bool
    note: str = ""

    @classmethod
    def of(cls, told: str, *, ignore_case: bool) -> Pattern:
        """Read a pattern.

        Raises:
            ToolFault: it is empty or too long.
        """
        if not told or len(told) > PATTERN_CHARS_MAX or "\n" in told:
            raise ToolFault(f"`pattern` is one line of 1 to {PATTERN_CHARS_MAX} characters.")
        folded = told.casefold() if ignore_case else told
        parts = re.split(r"(?<!\\)\|", folded)[:ALTERNATIVES_MAX]
        ways = tuple(way for way in map(_way, parts) if any(way.pieces))
        is_strange = re.search(r"(?<!\\)[\[\](){}?+]", _GAP.sub("", told)) is not None
        note = "Only .* | ^ $ are understood; for more use run with grep -rnE" if is_strange else ""
        return cls(folded, ways, ignore_case, note)

    def is_in(self, line: str) -> bool:
        text = line.rstrip("\r")
        text = text.casefold() if self.ignore_case else text
        return self.literal in text or any(way.is_in(text) for way in self.ways)


def _way(part: str) -> _Way:
    at_start, at_end = part.startswith("^"), part.endswith("$") and not part.endswith("\\$")
    inner = part[at_start : len(part) - at_end].replace("\\b", "")
    pieces = [re.sub(r"\\(\W)", r"\1", piece) for piece in _GAP.split(inner)]
    # A gap at an end says that the line may go on there.
    return _Way(
        tuple(filter(None, pieces)), at_start and bool(pieces[0]), at_end and bool(pieces[-1])
    )
