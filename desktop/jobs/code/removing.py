"""Removes folders that strangers' programs wrote in, however deep and however locked they are."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

MODE = 0o700


def remove(folder: Path) -> None:
    """Remove a folder and all in it; none that is there is no error. It blocks.

    Whoever wrote there has ended. No link is followed. What cannot be removed stays, and whoever
    needs the place finds it taken.
    """
    # The usual way gives up at folders that may not be read, and at a thousand within each other.
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.is_dir() and not folder.is_symlink():
        with contextlib.suppress(OSError):
            _remove_by_hand(folder)


def _remove_by_hand(folder: Path) -> None:
    """Bring every folder below to the top, so that no path is too long, and empty it there."""
    mark = secrets.token_hex(8)
    fresh = (folder / f".{mark}-{number}" for number in itertools.count())
    waiting = list(_emptied(folder))
    while waiting:
        below = waiting.pop()
        for inner in _emptied(below):
            with contextlib.suppress(OSError):
                waiting.append(inner.replace(next(fresh)))
        with contextlib.suppress(OSError):
            below.rmdir()
    folder.rmdir()


def _emptied(folder: Path) -> Iterator[Path]:
    """Remove what is no folder from a folder; tell the others, which may be moved now."""
    with contextlib.suppress(OSError):
        folder.chmod(MODE)
        for entry in list(os.scandir(folder)):
            path = Path(entry.path)
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    path.chmod(MODE)
                    yield path
                else:
                    path.unlink()
