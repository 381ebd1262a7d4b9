"""The files a job may touch: inside the allowed folders, symlinks and ".." resolved first."""

from __future__ import annotations

import difflib
import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from desktop.core.documents.new_name import check_new, same
from desktop.core.file_name import is_trap
from shared.errors import BadInput, NotAllowed, NotFound

FILES_SEEN_MAX = 20_000
"""Files looked at per search; a home folder may hold millions."""
DEPTH_MAX = 6
"""Folders below an allowed folder that a search goes down."""
NEAR_MISSES_MAX = 3
OF_PROGRAMS = ("Library", "AppData")
"""Of a home folder: where programs of macOS and Windows keep their settings. Nothing is written
there unless the owner allows a folder in them."""
SIBLINGS_MAX = 20_000


class AllowedFolders:
    """The allowed folders of one job, resolved."""

    def __init__(self, folders: tuple[Path, ...], *, guarded: tuple[Path, ...] = ()) -> None:
        """Resolve them. `guarded`: what jobs may not write into even if it lies in one of them."""
        self.folders = tuple(folder.expanduser().resolve() for folder in folders)
        self._guarded = tuple(folder.resolve() for folder in guarded)

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

    def place(self, name: str) -> Path:
        """Say where a file that is to be written is, or would be: nothing is made.

        A name without a folder belongs into the first allowed folder; "Documents/a.md" into the
        allowed folder of that name. A file whose name differs in case alone is that file. Folders
        that are missing are still to be made.

        Raises:
            BadInput: `file_name_invalid`, `file_is_folder`, `file_not_plain`.
            NotAllowed: `file_outside_folders`, `file_guarded`, `folders_none`.
        """
        if not self.folders:
            raise NotAllowed(
                "folders_none",
                "Deskhand may use no folder on this machine.",
                "Its owner allows one in Settings, or in the policy file: folders.",
            )
        try:
            return self._placed(name)
        except OSError as error:
            raise BadInput(
                "file_name_invalid",
                f"That is no name for a file here ({error.strerror}).",
                "Choose a shorter one.",
            ) from None

    def _placed(self, name: str) -> Path:
        if is_trap(name, is_windows=sys.platform == "win32") or "\x00" in name:
            raise self._outside(name.replace("\x00", ""))
        given = _expanded(name)
        if given.is_absolute():
            base, parts = self._below(given, name)
        else:
            base, parts = self._base(check_new(name))
        at = base
        for number, part in enumerate(parts):
            at = self._writable(_sibling(at, part), name, is_last=number == len(parts) - 1)
        return at

    def _below(self, given: Path, name: str) -> tuple[Path, tuple[str, ...]]:
        """Split an absolute path into an allowed folder and the parts below it."""
        if ".." in given.parts:
            raise self._outside(name)
        for folder in self.folders:
            for around in (given, given.resolve()):
                if around.is_relative_to(folder) and around != folder:
                    below = around.relative_to(folder).as_posix()
                    is_there = around.exists()
                    return folder, tuple(below.split("/")) if is_there else check_new(below)
        raise self._outside(name)

    def _base(self, parts: tuple[str, ...]) -> tuple[Path, tuple[str, ...]]:
        for folder in self.folders:
            if len(parts) > 1 and same(folder.name) == same(parts[0]):
                return folder, parts[1:]
        return self.folders[0], parts

    def _writable(self, path: Path, name: str, *, is_last: bool) -> Path:
        """Follow one part of a path to where it leads, if something may be written there."""
        if path.is_symlink() and not path.exists():
            raise self._outside(name)
        real = path.resolve()
        if not self.holds(real):
            raise self._outside(name)
        self._check_open(real)
        if not real.exists() or (real.is_file() if is_last else real.is_dir()):
            return real
        if real.is_dir():
            raise BadInput("file_is_folder", f"{real.name} is a folder.", "Choose another name.")
        raise BadInput("file_not_plain", f"{real.name} is no ordinary file.", "Choose another.")

    def _check_open(self, real: Path) -> None:
        """See that a path is no setting: not hidden below its allowed folder, and none of ours."""
        inside = [folder for folder in self.folders if real.is_relative_to(folder)]
        is_hidden = all(
            any(part.startswith(".") for part in real.relative_to(folder).parts)
            for folder in inside
        )
        is_guarded = any(real.is_relative_to(guard) for guard in self._guarded)
        is_system = any(
            real.is_relative_to(guard) and not any(f.is_relative_to(guard) for f in inside)
            for guard in (Path.home() / name for name in OF_PROGRAMS)
        )
        if is_hidden or is_guarded or is_system:
            raise NotAllowed(
                "file_guarded",
                f"{real.name} belongs to the settings of programs; jobs write nothing there.",
                "Choose a folder for documents.",
            )

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


def _sibling(folder: Path, name: str) -> Path:
    """Find what has this name in a folder, whatever its case; where it would be if nothing has."""
    path = folder / name
    if path.exists() or path.is_symlink() or not folder.is_dir():
        return path
    wanted = same(name)
    with os.scandir(folder) as entries:
        for entry in itertools.islice(entries, SIBLINGS_MAX):
            if same(entry.name) == wanted:
                return folder / entry.name
    return path


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
