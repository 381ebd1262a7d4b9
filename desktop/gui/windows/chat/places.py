"""Where files lie on this computer, and whether jobs may use them. Disks may be slow: in a thread.

The worker decides by the same rules when the job runs; this only spares the person the way there.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from shared.kinds import file_name_of


def roots_of(folders: Iterable[str]) -> tuple[Path, ...]:
    """Return the allowed folders, links resolved."""
    return tuple(Path(folder).expanduser().resolve() for folder in folders)


def is_allowed(path: Path, folders: Iterable[str]) -> bool:
    """Say whether a file lies in an allowed folder, links and ".." resolved first."""
    try:
        resolved = path.resolve()
    except (OSError, RuntimeError):
        return False
    return any(resolved.is_relative_to(root) for root in roots_of(folders))


def may_use(file: str, folders: Iterable[str]) -> bool:
    """Say whether jobs may use a file that a person named; a bare name is looked for anyway."""
    path = Path(file).expanduser()
    return not path.is_absolute() or is_allowed(path, folders)


def locate(names: Iterable[str], hints: Iterable[str], folders: Iterable[str]) -> dict[str, Path]:
    """Find files of a result: beside the files it was made of, or in an allowed folder.

    Args:
        names: as a job told them; only plain names in allowed folders are found.
        hints: paths or names of files that the job was given.
        folders: of the policy.
    """
    roots = roots_of(folders)
    places = [*_beside(hints, roots), *roots]
    found: dict[str, Path] = {}
    for name in names:
        if file_name_of(name) != name:
            continue
        for place in places:
            path = place / name
            if path.is_file() and is_allowed(path, folders):
                found[name] = path
                break
    return found


def _beside(hints: Iterable[str], roots: tuple[Path, ...]) -> Iterable[Path]:
    for hint in hints:
        if not hint or "\x00" in hint or hint.startswith(("\\\\", "//")):
            continue  # another machine's disk: only looking would tell it who asks
        path = Path(hint).expanduser()
        yield from (path.parent,) if path.is_absolute() else ((r / path).parent for r in roots)
