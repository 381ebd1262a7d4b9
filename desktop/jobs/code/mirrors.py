"""Mirrors: one bare copy of each repository on this machine, fetched once, shared by all its jobs.

    mirrors/<key>/lock           held by whoever fetches, and by the git that does
    mirrors/<key>/mirror.git     refs/heads and refs/tags as they are there; refs/deskhand our own
    mirrors/<key>/ready          written when the first fetch has ended well
    mirrors/<key>/clones/        one line a clone that borrows its objects: no mirror goes under it

A clone borrows the mirror's objects, so nothing in a mirror is ever pruned, packed away or written
by anybody but this module, `taking` and `delivering`. A damaged mirror is fetched anew beside the
old one and takes its place; what jobs have committed comes along as far as it can be read.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from desktop.core.code.forge_keys import Login
from desktop.core.code.git_fault import CORRUPT
from desktop.core.code.refs import HEADS, checked_branch
from desktop.core.code.repository import Repository, of_folder
from desktop.jobs.code.git import At, Git, Reach
from desktop.jobs.code.git_process import Progress
from shared.errors import AppError, BadInput, Conflict, NotFound
from shared.file_lock import FileLock

LOCK_SECONDS = 3600.0
"""As long as one fetch may take: who waits is served from what it brought."""
LOCK_LOOK_SECONDS = 0.05
OWN_REFS = "refs/deskhand"
RECENT_SECONDS = 3600.0
"""Used within this time, a mirror may be about to be cloned."""
_VALUE = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}|ref: refs/heads/.+")
TEMPORARY = ("tmp_", ".tmp-", "incoming-")

_CONFIG = """\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
[gc]
\tauto = 0
[maintenance]
\tauto = false
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """One that is there, as it was when it was last refreshed."""

    repository: Repository
    folder: Path
    branches: dict[str, str]
    """Commits by branch, as the remote told them."""
    default: str = ""
    """The branch that the remote calls its own; empty when it names none."""

    @property
    def git_dir(self) -> Path:
        return self.folder / "mirror.git"

    @property
    def at(self) -> At:
        return At(git_dir=self.git_dir)

    def commit_of(self, base: str | None) -> tuple[str, str]:
        """Return the branch to begin from and its commit.

        Raises:
            BadInput: `branch_invalid`, `branch_unknown`.
            NotFound: `branch_missing`.
        """
        name = checked_branch(base or self.default) if base or self.default else ""
        if not name:
            raise BadInput(
                "branch_unknown",
                f"{self.repository.shown} names no branch of its own to begin from.",
                "Say which branch to begin from.",
            )
        if name not in self.branches:
            near = ", ".join(sorted(self.branches)[:5])
            raise NotFound(
                "branch_missing",
                f'{self.repository.shown} has no branch "{name}".',
                f"Name one that is there: {near}.",
            )
        return name, self.branches[name]


class Mirrors:
    """All mirrors of this machine."""

    def __init__(self, folder: Path, git: Git) -> None:
        self._folder = folder
        self._git = git

    def folder_of(self, repository: Repository) -> Path:
        return self._folder / repository.key

    async def refreshed(
        self,
        repository: Repository,
        *,
        login: Login | None = None,
        progress: Progress | None = None,
    ) -> Mirror:
        """Return a repository's mirror as the remote is now; fetched only if something is new.

        Whoever comes at the same time waits, and finds little left to fetch.

        Raises:
            AppError: as `fault_of`; `repository_empty`; `mirror_busy`.
        """
        reach = Reach(remote=repository, login=login, progress=progress)
        folder = self.folder_of(repository)
        async with self.locked(folder) as lock:
            mirror = await self._told(repository, folder, reach)
            at = replace(mirror.at, lock=lock)
            try:
                await self._fetched(mirror, at, reach)
            except AppError as error:
                if error.code != CORRUPT:
                    raise
                await self._anew(mirror, reach, lock)
            os.utime(folder / "ready")
            return mirror

    async def renewed(self, mirror: Mirror, *, login: Login | None = None) -> None:
        """Fetch a mirror anew in which damage was found."""
        reach = Reach(remote=mirror.repository, login=login)
        async with self.locked(mirror.folder) as lock:
            await self._anew(mirror, reach, lock)

    @contextlib.asynccontextmanager
    async def locked(self, folder: Path) -> AsyncIterator[FileLock]:
        """Hold a mirror's lock; the system takes it back from who dies.

        Raises:
            Conflict: `mirror_busy`.
        """
        taken = Conflict(
            "mirror_busy",
            "Another job is fetching the same repository for very long.",
            "It is tried again.",
            retryable=True,
        )
        with contextlib.ExitStack() as held:
            try:
                async with asyncio.timeout(LOCK_SECONDS):
                    # The system has no bell that rings when a lock of another process is free.
                    while (lock := _try(folder / "lock", taken)) is None:  # noqa: ASYNC110
                        await asyncio.sleep(LOCK_LOOK_SECONDS)
            except TimeoutError:
                raise taken from None
            held.enter_context(lock)
            yield lock

    async def _told(self, repository: Repository, folder: Path, reach: Reach) -> Mirror:
        """Ask the remote for its branches: one question, and mostly the only one."""
        words = ("ls-remote", "--symref", "--", repository.url, "HEAD", "refs/heads/*")
        told = (await self._git.run(*words, reach=reach)).out.decode(errors="surrogateescape")
        branches, default, head = _branches(told)
        if not branches:
            raise BadInput(
                "repository_empty",
                f"{repository.shown} has no branch yet.",
                "Make a first commit, so that there is something to begin from.",
            )
        return Mirror(
            repository=repository,
            folder=folder,
            branches=branches,
            default=default if default in branches else _likely(branches, head),
        )

    async def _fetched(self, mirror: Mirror, at: At, reach: Reach) -> None:
        ready = mirror.folder / "ready"
        if not ready.exists():
            _begin(mirror.git_dir)
        elif await self._own_branches(at) == mirror.branches:
            return
        _tidy(mirror.git_dir)
        await self._fetch(mirror, at, reach)
        ready.touch()

    async def _fetch(self, mirror: Mirror, at: At, reach: Reach) -> None:
        words = (
            "fetch", "--prune", "--no-tags", "--progress", "--no-write-fetch-head", "--force",
            "--no-recurse-submodules", "--", mirror.repository.url,
            "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*",
        )  # fmt: skip
        await self._git.run(*words, at=at, reach=reach)

    async def _own_branches(self, at: At) -> dict[str, str]:
        words = ("for-each-ref", "--format=%(objectname)%09%(refname)", "refs/heads/")
        told = (await self._git.run(*words, at=at)).out.decode(errors="surrogateescape")
        return _branches(told)[0]

    async def _anew(self, mirror: Mirror, reach: Reach, lock: FileLock) -> None:
        """Fetch all of it beside the damaged one, save our own commits, and change places."""
        fresh, old = mirror.folder / "fresh.git", mirror.folder / "old.git"
        for folder in (fresh, old):
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        _begin(fresh)
        at = At(git_dir=fresh, lock=lock)
        await self._fetch(mirror, at, reach)
        await self._saved(mirror.git_dir, at)
        if mirror.git_dir.exists():
            mirror.git_dir.replace(old)
        fresh.replace(mirror.git_dir)
        (mirror.folder / "ready").touch()
        await asyncio.to_thread(shutil.rmtree, old, ignore_errors=True)

    async def _saved(self, damaged: Path, at: At) -> None:
        """Take along what jobs have committed, each by itself: one may be what is damaged."""
        told = await self._git.attempt(
            "for-each-ref", "--format=%(refname)", OWN_REFS, at=At(git_dir=damaged)
        )
        reach = Reach(remote=of_folder(str(damaged)))
        for ref in told.out.decode(errors="replace").split():
            words = ("fetch", "--no-tags", "--no-write-fetch-head", "--", str(damaged))
            await self._git.attempt(*words, f"+{ref}:{ref}", at=at, reach=reach)

    # What borrows from a mirror, and when one may go.

    def lend(self, mirror: Mirror, clone: Path) -> None:
        """Write down that a clone lives from a mirror's objects; idempotent."""
        folder = mirror.folder / "clones"
        folder.mkdir(exist_ok=True)
        name = sha256(os.fsencode(clone)).hexdigest()[:24]
        (folder / name).write_bytes(os.fsencode(clone))

    async def tidy(self, *, now: float, age_seconds: float, bytes_max: int) -> int:
        """Remove mirrors that nobody used for long, and the oldest when all are too large.

        Args:
            now: seconds since the epoch, as files are dated.
            age_seconds: without use.
            bytes_max: of all mirrors together.

        Returns:
            How many went. None goes while a clone borrows from it, or somebody fetches.
        """
        found = sorted(await asyncio.to_thread(lambda: [*_found(self._folder)]))
        left = sum(size for _, _, size in found)
        gone = 0
        for used_at, folder, size in found:
            unused = now - used_at
            may_go = unused > age_seconds or (left > bytes_max and unused > RECENT_SECONDS)
            if may_go and await self._removed(folder):
                left, gone = left - size, gone + 1
        return gone

    async def _removed(self, folder: Path) -> bool:
        lock = _try(folder / "lock", Conflict("mirror_busy", "In use."))
        if lock is None:
            return False
        with lock:
            if any(_borrowers(folder)):
                return False
            # Not ready first: whoever dies in between leaves nothing that looks whole.
            (folder / "ready").unlink(missing_ok=True)
            await asyncio.to_thread(shutil.rmtree, folder / "mirror.git", ignore_errors=True)
            return True


def _try(path: Path, taken: AppError) -> FileLock | None:
    try:
        return FileLock(path, taken)
    except AppError:
        return None


def _begin(git_dir: Path) -> None:
    """Make an empty bare repository, or make one that was begun empty again."""
    shutil.rmtree(git_dir, ignore_errors=True)
    for part in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info"):
        (git_dir / part).mkdir(parents=True, exist_ok=True)
    (git_dir / "config").write_text(_CONFIG)
    (git_dir / "HEAD").write_text("ref: refs/heads/main\n")


def _tidy(git_dir: Path) -> None:
    """Remove what a git that was killed has left: locks that nobody holds, halves of packs.

    Only ever called with the mirror's lock, which git holds as long as it lives.
    """
    for lock in (*git_dir.glob("*.lock"), *(git_dir / "refs").rglob("*.lock")):
        lock.unlink(missing_ok=True)
    for path in (git_dir / "objects" / "pack").iterdir():
        if path.name.startswith(TEMPORARY):
            path.unlink(missing_ok=True)


def _branches(told: str) -> tuple[dict[str, str], str, str]:
    """Read branches, the default's name, and the commit of HEAD."""
    branches: dict[str, str] = {}
    default = head = ""
    for line in told.split("\n"):
        value, _, name = line.partition("\t")
        if not _VALUE.fullmatch(value):
            continue
        if value.startswith("ref: ") and name == "HEAD":
            default = value.removeprefix("ref: ").removeprefix(HEADS)
        elif name == "HEAD":
            head = value
        elif name.startswith(HEADS):
            branches[name.removeprefix(HEADS)] = value
    return branches, default, head


def _likely(branches: dict[str, str], head: str) -> str:
    """Choose the default of a server that does not name it: a usual name, with HEAD's commit."""
    for name in ("main", "master", "trunk", "develop"):
        if name in branches and branches[name] == (head or branches[name]):
            return name
    return next(iter(branches)) if len(branches) == 1 else ""


def _found(folder: Path) -> Iterator[tuple[float, Path, int]]:
    """Tell when each mirror was last used, where it is and how large."""
    if not folder.exists():
        return
    for one in folder.iterdir():
        ready = one / "ready"
        with contextlib.suppress(OSError):
            yield ready.stat().st_mtime, one, _size(one)


def _size(folder: Path) -> int:
    """Add up files; a fetch of another job makes and removes some meanwhile."""
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                size += Path(place, name).lstat().st_size
    return size


def _borrowers(folder: Path) -> Iterator[Path]:
    """Tell the clones that are still there, and forget the others."""
    lent = folder / "clones"
    for line in lent.iterdir() if lent.exists() else ():
        clone = Path(os.fsdecode(line.read_bytes()))
        if clone.exists():
            yield clone
        else:
            line.unlink(missing_ok=True)
