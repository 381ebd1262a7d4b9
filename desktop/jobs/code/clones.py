"""Clones: a job's own working copy, with a .git of its own and the mirror's objects behind it.

An agent may write anything into it, its .git included; so after this moment no git of ours runs
with that .git again (`taking` reads the files alone). What the index knew of the files is copied
away first, so that taking need not read all of them again.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from desktop.core.code.forge_keys import Login
from desktop.core.code.git_fault import CORRUPT
from desktop.core.code.repository import of_folder
from desktop.jobs.code.git import At, Git, Reach
from desktop.jobs.code.identity import Identity
from desktop.jobs.code.mirrors import Mirror, Mirrors
from desktop.jobs.code.removing import remove
from shared.errors import AppError

CLONE_SECONDS_MAX = 900.0
NOTE_MODULES = "Submodules of the repository were not fetched."
NOTE_LARGE = "Files that Git LFS keeps were not fetched: their places hold a few lines of text."
ATTRIBUTES_BYTES_MAX = 1024**2
_LFS = re.compile(rb"filter\s*=\s*lfs\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clone:
    """A working copy."""

    folder: Path
    index: Path
    """A copy of git's index as it was before anybody worked here; ours, outside of the box."""
    base: str
    """The branch that it began from."""
    commit: str
    """The commit that it began from."""
    notes: tuple[str, ...] = ()


async def make_clone(
    git: Git,
    mirrors: Mirrors,
    mirror: Mirror,
    folder: Path,
    *,
    base: str | None = None,
    author: Identity | None = None,
    login: Login | None = None,
) -> Clone:
    """Make a clone that borrows a mirror's objects.

    What an earlier try left there is replaced. A mirror that turns out to be damaged is fetched
    anew, once.

    Args:
        git: as everywhere.
        mirrors: where the mirror is from.
        mirror: refreshed.
        folder: where it is to be; what stands there is removed. Its neighbour, of the same name and
            ".index", is written, too.
        base: the branch to begin from; the remote's own without it.
        author: written into the clone's configuration, for commits that an agent makes.
        login: for the remote, if the mirror has to be fetched anew.

    Raises:
        AppError: as `Mirror.commit_of` and `fault_of`.
    """
    name, commit = mirror.commit_of(base)
    maker = _Maker(git, mirror, folder, name, commit, author)
    try:
        return await maker.made(mirrors)
    except AppError as error:
        if error.code != CORRUPT:
            raise
    await mirrors.renewed(mirror, login=login)
    return await maker.made(mirrors)


@dataclass(frozen=True, slots=True)
class _Maker:
    git: Git
    mirror: Mirror
    folder: Path
    base: str
    commit: str
    author: Identity | None

    async def made(self, mirrors: Mirrors) -> Clone:
        fresh = self.folder.with_name(f"{self.folder.name}.new")
        index = self.folder.with_name(f"{self.folder.name}.index")
        for old in (fresh, self.folder):
            await asyncio.to_thread(remove, old)
        fresh.parent.mkdir(parents=True, exist_ok=True)
        await self._clone(fresh)
        notes = await asyncio.to_thread(_notes, fresh)
        shutil.copy2(fresh / ".git" / "index", index)
        fresh.replace(self.folder)
        mirrors.lend(self.mirror, self.folder)
        return Clone(
            folder=self.folder, index=index, base=self.base, commit=self.commit, notes=notes
        )

    async def _clone(self, fresh: Path) -> None:
        source = str(self.mirror.git_dir)
        told = [] if self.author is None else [
            "-c", f"user.name={self.author.name}", "-c", f"user.email={self.author.email}",
        ]  # fmt: skip
        await self.git.run(
            "clone", "--shared", "--template=", "--no-tags", "--no-checkout", "--quiet",
            *told, "--", source, str(fresh),
            reach=Reach(remote=of_folder(source)),
            where=self.mirror.repository.shown,
        )  # fmt: skip
        at = At(git_dir=fresh / ".git", work_tree=fresh)
        await self._on_base(at)

    async def _on_base(self, at: At) -> None:
        """Check out the commit that was told, whatever the mirror's branch is by now."""
        where = self.mirror.repository.shown
        branch = ("checkout", "--quiet", "--no-guess", "-B", self.base, self.commit, "--")
        await self.git.run(*branch, at=at, where=where)


def _notes(fresh: Path) -> tuple[str, ...]:
    """Say what of the repository is not there."""
    notes = [NOTE_MODULES] if _is_file(fresh / ".gitmodules") else []
    attributes = fresh / ".gitattributes"
    if _is_file(attributes):
        with attributes.open("rb") as file:
            if _LFS.search(file.read(ATTRIBUTES_BYTES_MAX)):
                notes.append(NOTE_LARGE)
    return tuple(notes)


def _is_file(path: Path) -> bool:
    """A link may lead anywhere."""
    return path.is_file() and not path.is_symlink()


def remove_clone(folder: Path) -> None:
    """Remove a clone and what belongs to it. It blocks: call it in a thread."""
    # First the name: whoever dies in the middle leaves no clone that looks whole.
    gone = folder.with_name(f"{folder.name}.gone")
    remove(gone)
    if folder.exists():
        folder.replace(gone)
    remove(gone)
    folder.with_name(f"{folder.name}.index").unlink(missing_ok=True)
