"""The folder that the agent works in: names to paths, and no further.

A polite border: it keeps a model from wandering off by mistake. Whoever wants to cheat meets the
sandbox.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from desktop.jobs.code.builtin.tools.outcome import ToolFault

PATH_CHARS_MAX = 4000
FILE_BYTES_MAX = 8 * 1024 * 1024
"""Of a file that is read as a whole, or written."""
GUARDED = ".git"


@dataclass(frozen=True, slots=True)
class Folder:
    """A working folder."""

    root: Path
    """Absolute and resolved."""

    def find(self, name: str, *, will_write: bool = False) -> Path:
        """Return the path that a name means, links followed.

        Raises:
            ToolFault: it is no path, leads out, or is git's own and would be written.
        """
        if not name or len(name) > PATH_CHARS_MAX or "\0" in name:
            raise ToolFault("`path` is the name of a file, relative to the working folder.")
        try:
            path = Path(os.path.realpath(self.root / name))
        except (OSError, ValueError, UnicodeEncodeError):
            raise ToolFault(f"{name!r} is no path that can be opened.") from None
        if path != self.root and self.root not in path.parents:
            raise ToolFault(f"{name!r} is outside of the working folder; all your files are in it.")
        if will_write and GUARDED in path.relative_to(self.root).parts:
            raise ToolFault("What is in .git is left alone: commits are made for you.")
        return path

    def shown(self, path: Path) -> str:
        """Name a path of this folder as the model does."""
        return path.relative_to(self.root).as_posix()


def read_bytes(path: Path, shown: str, *, bytes_max: int = FILE_BYTES_MAX) -> bytes:
    """Read a file whole.

    Raises:
        ToolFault: it is not there, no plain file, or too large.
    """
    try:
        with open(path, "rb", opener=_without_a_wait) as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise ToolFault(f"{shown!r} is no plain file.")
            if facts.st_size > bytes_max:
                raise ToolFault(
                    f"{shown!r} has {facts.st_size} bytes, more than {bytes_max} that this reads. "
                    "Look at a part of it with `run` (head, tail, sed -n)."
                )
            return file.read(bytes_max + 1)
    except IsADirectoryError:
        raise ToolFault(f"{shown!r} is a folder; `list` shows what is in it.") from None
    except FileNotFoundError:
        raise ToolFault(f"There is no file {shown!r}.") from None
    except OSError as error:
        raise ToolFault(f"{shown!r} cannot be read: {error.strerror}.") from None


def _without_a_wait(path: str, flags: int) -> int:
    """Open what looks like a file and may be a pipe that nobody writes to."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def is_binary(raw: bytes) -> bool:
    return b"\0" in raw[:8192]
