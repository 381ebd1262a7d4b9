"""Finds the repository that a work order names, and where its branch is to go.

A folder has to lie in an allowed one, with its .git; it is read, never written, and what is not
committed there is not taken along. Its branch goes to what it calls "origin", or, if it has none,
into the folder's repository itself, as a branch that nobody has checked out.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.core.code.git_fault import fault_of
from desktop.core.code.repository import Repository, Scheme, of_folder, parse_repository
from desktop.core.code.repository_rules import check_folder, check_remote
from desktop.jobs.code.git import At, Git
from desktop.jobs.code.mirrors import Mirror
from shared.errors import AppError, NotAllowed, NotFound
from shared.plain_text import plain_line

_PARTIAL = r"^(extensions\.partialclone|remote\..*\.(promisor|partialclonefilter))$"
"""Git fetches what is missing by itself, in a way that such a folder's configuration chooses."""
_NAMES = ("-z", "--name-only", "--no-renames", "--ignore-submodules=all")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A repository that may be worked on."""

    source: Repository
    """Where it is fetched from."""
    target: Repository
    """Where its branch is pushed to."""
    git_dir: Path | None = None
    """Of a folder of the person's own."""
    notes: tuple[str, ...] = ()


async def find_place(
    git: Git, text: str, *, folders: Sequence[Path], patterns: Sequence[str]
) -> Place:
    """Find a repository by what a person calls it, as far as the owner allows it.

    Args:
        git: as everywhere.
        text: a path, a folder's bare name, or a URL; hostile.
        folders: that the owner allows, resolved.
        patterns: `repositories` of the policy.

    Raises:
        BadInput: as `parse_repository`.
        NotAllowed: as `check_remote` and `check_folder`.
        NotFound: `repository_not_found`.
    """
    named = parse_repository(text)
    if named.scheme is not Scheme.FOLDER:
        check_remote(named, patterns)
        return Place(source=named, target=named)
    folder = await asyncio.to_thread(_found, named.path, folders)
    git_dir = await _git_dir(git, folder)
    check_folder(git_dir, folders)
    source = of_folder(str(folder))
    target, notes = await _target(git, source, git_dir, folders)
    return Place(source=source, target=target, git_dir=git_dir, notes=notes)


def _found(path: str, folders: Sequence[Path]) -> Path:
    """Return the resolved folder; a bare name is an allowed one's, or of one right below it."""
    told = Path(path).expanduser()
    named = [folder for folder in folders if folder.name == path]
    below = [folder / told for folder in folders]
    candidates = [told] if told.is_absolute() else [*named, *below]
    there = [one.resolve() for one in candidates if one.is_dir()]
    if not there:
        shown = plain_line(path)[:80]
        raise NotFound(
            "repository_not_found",
            f"There is no folder {shown} here.",
            "Name it with its whole path, or by its name if it lies right in an allowed folder.",
        )
    for one in there:
        check_folder(one, folders)
    return there[0]


async def _git_dir(git: Git, folder: Path) -> Path:
    """Return where the repository of a folder keeps its objects; nothing above it is looked at."""
    env = {"GIT_CEILING_DIRECTORIES": str(folder.parent)}
    there = ("-C", str(folder))
    ran = await git.attempt(*there, "rev-parse", "--git-common-dir", env=env)
    if "dubious ownership" in ran.words:
        raise fault_of(ran.words, str(folder))
    if ran.status != 0 or not ran.line:
        raise NotFound(
            "repository_not_found",
            f"{folder} is no git repository.",
            "Name the folder that holds .git, or make one there: git init.",
        )
    partial = await git.attempt(*there, "config", "--get-regexp", _PARTIAL, env=env)
    if partial.line:
        raise NotAllowed(
            "repository_partial",
            f"{folder} holds only a part of its repository, and says where the rest is from.",
            "Order the work by the URL of the whole one.",
        )
    return await asyncio.to_thread((folder / ran.line).resolve)


async def _target(
    git: Git, source: Repository, git_dir: Path, folders: Sequence[Path]
) -> tuple[Repository, tuple[str, ...]]:
    """Return where a folder's branch goes: the person's own "origin" needs no pattern."""
    words = ("config", "--file", str(git_dir / "config"), "--no-includes", "--get-all")
    ran = await git.attempt(*words, "remote.origin.url")
    told = ran.line.split("\n")[0] if ran.status == 0 else ""
    if not told:
        return source, ()
    try:
        origin = _origin(told, git_dir)
        if origin.scheme is Scheme.FOLDER:
            check_folder(await _git_dir(git, Path(origin.path)), folders)
        elif not origin.is_encrypted:
            check_remote(origin, ())
    except AppError as error:
        return source, (f"The branch stays in the folder: {error.message}",)
    return origin, ()


def _origin(told: str, git_dir: Path) -> Repository:
    """Read the URL in a repository's configuration; relative ones start at its work tree."""
    if told.startswith(("./", "../")):
        told = str((git_dir.parent / told).resolve())
    origin = parse_repository(told)
    if origin.scheme is not Scheme.FOLDER:
        return origin
    return of_folder(str(Path(origin.path).expanduser().resolve()))


async def uncommitted(git: Git, place: Place, mirror: Mirror, scratch: Path) -> int:
    """Count the files of a person's own folder that a job does not see, for they are no commit's.

    Nothing of theirs is written, not even git's index, and no program of their configuration runs.

    Args:
        git: as everywhere.
        place: one with a folder.
        mirror: the place's.
        scratch: a file for a copy of the index; removed again.
    """
    if place.git_dir is None:
        return 0
    folder = Path(place.source.path)
    index = place.git_dir / "index"
    if place.git_dir == folder or not index.is_file() or not mirror.default:
        return 0
    await asyncio.to_thread(shutil.copy2, index, scratch)
    at = At(git_dir=mirror.git_dir, work_tree=folder, index=scratch)
    found: set[bytes] = set()
    try:
        for words in (
            ("diff-files", *_NAMES),
            ("ls-files", "-z", "--others", "--exclude-standard"),
            ("diff-index", "--cached", *_NAMES, mirror.commit_of(None)[1], "--"),
        ):
            ran = await git.attempt(*words, at=at)
            found |= {path for path in ran.out.split(b"\0") if path and ran.status == 0}
    finally:
        await asyncio.to_thread(scratch.unlink, missing_ok=True)
    return len(found)
