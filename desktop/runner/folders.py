"""The files a job may touch: inside the allowed folders, symlinks and ".." resolved first."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from desktop.core.file_name import is_trap
from shared.errors import BadInput, NotAllowed, NotFound

FILES_SEEN_MAX = 20_000
"""Files looked at per search; a home folder may hold millions."""
DEPTH_MAX = 6
"""Folders below an allowed folder that a search goes down."""
NEAR_MISSES_MAX = 3


class AllowedFolders:
    """The allowed folders of one job, resolved."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self.folders = tuple(folder.expanduser().resolve() for folder in folders)

    def find(self, name: str) -> Path:
        """Find a file by path, absolute or below an allowed folder, or by its bare name.

        Raises:
            NotAllowed: `file_outside_folders`.
            NotFound: `file_missing`.
            BadInput: `file_ambiguous`, `file_name_invalid`.
        """
        if not name.strip() or "\x00" in name or len(name) > 4096:
            raise BadInput(
                "file_name_invalid", "That is not the name of a file.", "Name one, as in sales.csv."
            )
        if is_trap(name, is_windows=sys.platform == "win32"):
            raise self._outside(name)
        try:
            return self._found(_expanded(name), name)
        except OSError:  # a name that no file can have: one of too many bytes, say
            raise self._missing(name) from None

    def _found(self, given: Path, name: str) -> Path:
        if given.is_absolute():
            return self._allowed_file(given, name)
        for folder in self.folders:
            candidate = folder / given
            if candidate.exists():
                return self._allowed_file(candidate, name)
        if ".." in given.parts:
            raise self._outside(name)
        return self._by_name(given, name)

    def recent(self, suffixes: tuple[str, ...], *, count_max: int) -> list[Path]:
        """List files with these suffixes, the most recently changed first."""
        found = [p for p in self._walk() if p.suffix.lower() in suffixes]
        found.sort(key=lambda p: (-_changed(p), p.name))
        return found[:count_max]

    def holds(self, path: Path) -> bool:
        """Say whether a path, once resolved, lies in an allowed folder."""
        try:
            resolved = path.resolve()
        except (OSError, RuntimeError):
            return False
        return any(resolved.is_relative_to(folder) for folder in self.folders)

    def _allowed_file(self, path: Path, name: str) -> Path:
        if not self.holds(path):
            raise self._outside(name)
        resolved = path.resolve()
        if resolved.is_dir():
            raise BadInput(
                "file_is_folder",
                f"{resolved.name} is a folder, not a file.",
                "Name a file that is in it.",
            )
        if not resolved.is_file():
            raise self._missing(name)
        return resolved

    def _by_name(self, given: Path, name: str) -> Path:
        tail = given.parts
        matches = [p for p in self._walk() if p.parts[-len(tail) :] == tail]
        if len(matches) == 1:
            return self._allowed_file(matches[0], name)
        if not matches:
            raise self._missing(name)
        places = ", ".join(str(p.parent.name) for p in matches[:NEAR_MISSES_MAX])
        raise BadInput(
            "file_ambiguous",
            f"There are {len(matches)} files called {name}: in {places}.",
            "Say which, with its folder.",
        )

    def _outside(self, name: str) -> NotAllowed:
        allowed = ", ".join(folder.name for folder in self.folders) or "none so far"
        return NotAllowed(
            "file_outside_folders",
            f"{Path(name).name} is outside the folders Deskhand may use on this machine.",
            f"Allowed: {allowed}. The owner adds folders in the machine's policy file.",
        )

    def _missing(self, name: str) -> NotFound:
        wanted = Path(name).name
        names = {p.name for p in self._walk()}
        near = difflib.get_close_matches(wanted, names, n=NEAR_MISSES_MAX, cutoff=0.6)
        hint = f"Did you mean {' or '.join(near)}?" if near else "Check its name and its folder."
        return NotFound("file_missing", f"There is no file {wanted} in the allowed folders.", hint)

    def _walk(self) -> Iterator[Path]:
        seen = 0
        for folder in self.folders:
            for here, below, names in os.walk(folder, followlinks=False):
                depth = len(Path(here).relative_to(folder).parts)
                below[:] = [] if depth >= DEPTH_MAX else [d for d in below if d[0] != "."]
                for name in names:
                    seen += 1
                    if seen > FILES_SEEN_MAX:
                        return
                    path = Path(here) / name
                    # A link may point anywhere; it counts only where it leads.
                    if not name.startswith(".") and (not path.is_symlink() or self.holds(path)):
                        yield path


def _expanded(name: str) -> Path:
    given = Path(name.strip())
    try:
        return given.expanduser()
    except RuntimeError:  # "~somebody" who has no home here
        return given


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
