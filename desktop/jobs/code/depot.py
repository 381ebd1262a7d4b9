"""A job's repository: its mirror, its clone, the commits made of it, and where they are pushed.

Everything git does for a job goes through here; the clone's own .git is never opened again once an
agent has worked in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from desktop.core.code.change import Change
from desktop.core.code.forge_keys import Login, login_for
from desktop.core.code.refs import HEADS, checked_branch
from desktop.core.code.repository import Repository, Scheme, of_folder
from desktop.jobs.code.clones import Clone, make_clone
from desktop.jobs.code.delivering import Parcel, Pushed, push
from desktop.jobs.code.git import At, Git, Reach
from desktop.jobs.code.git_process import Progress
from desktop.jobs.code.identity import Identity, read_identity
from desktop.jobs.code.mirrors import OWN_REFS, Mirror, Mirrors
from desktop.jobs.code.places import Place, find_place, uncommitted
from desktop.jobs.code.removing import remove
from desktop.jobs.code.taking import changed, commit, take
from desktop.jobs.code.tasks import plainly
from desktop.jobs.context import SharedContext
from desktop.system.way import Way

LoginOf = Callable[[Repository], Login | None]


def git_of(context: SharedContext) -> Git:
    """Return git as this machine's coding jobs run it."""
    home = context.data_folder / "code" / "git-home"
    return Git(home, way=Way(context.network), ca_file=context.network.ca_file)


def mirrors_of(context: SharedContext, git: Git) -> Mirrors:
    return Mirrors(context.data_folder / "code" / "mirrors", git)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where a job's work begins."""

    base: str
    """The branch that it is for."""
    base_commit: str
    """The commit that the whole change is told from."""
    tip: str
    """The commit that the job's own goes on from: the base's, or an earlier job's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Depot:
    """What a job has of its repository."""

    git: Git
    mirrors: Mirrors
    place: Place
    mirror: Mirror
    author: Identity
    login_of: LoginOf

    @classmethod
    async def opened(cls, context: SharedContext, repository: str, progress: Progress) -> Depot:
        """Find a repository, as far as the owner allows it, and bring its mirror up to date.

        Raises:
            AppError: as `find_place` and `Mirrors.refreshed`.
        """
        git = git_of(context)
        await git.check()
        patterns = context.code.repositories
        place = await find_place(git, repository, folders=context.folders, patterns=patterns)

        def login_of(remote: Repository) -> Login | None:
            is_http = remote.scheme in (Scheme.HTTP, Scheme.HTTPS)
            return login_for(remote.netloc, context.keys) if is_http else None

        mirrors = mirrors_of(context, git)
        with plainly():
            async with asyncio.TaskGroup() as group:
                login = login_of(place.source)
                refreshing = group.create_task(
                    mirrors.refreshed(place.source, login=login, progress=progress)
                )
                reading = group.create_task(asyncio.to_thread(read_identity, place.git_dir))
        return cls(
            git=git,
            mirrors=mirrors,
            place=place,
            mirror=refreshing.result(),
            author=reading.result(),
            login_of=login_of,
        )

    async def start(self, base: str | None, branch: str | None, kept_tip: str = "") -> Start:
        """Find where work begins: a branch of the repository, or an earlier job's own.

        Args:
            base: the branch that the work is for; the repository's own without it.
            branch: of the earlier job.
            kept_tip: the commit that the earlier job left, if it was not pushed.

        Raises:
            AppError: as `Mirror.commit_of`.
        """
        name, base_commit = self.mirror.commit_of(base)
        if not branch:
            return Start(base=name, base_commit=base_commit, tip=base_commit)
        tip = await self._tip_of(branch) or kept_tip
        if not tip:
            _, tip = self.mirror.commit_of(branch)
        return Start(base=name, base_commit=await self._fork(base_commit, tip), tip=tip)

    async def _tip_of(self, branch: str) -> str:
        """Return where a job's own branch is by now; empty when it was never pushed."""
        target = self.place.target
        if target == self.place.source:
            return self.mirror.branches.get(branch, "")
        ref = f"{OWN_REFS}/branches/{branch}"
        reach = Reach(remote=target, login=self.login_of(target))
        words = ("fetch", "--no-tags", "--no-write-fetch-head", "--", target.url)
        heads = f"+{HEADS}{checked_branch(branch)}:{ref}"
        ran = await self.git.attempt(*words, heads, at=self.mirror.at, reach=reach)
        if ran.status != 0:
            return ""
        return (await self.git.attempt("rev-parse", "--verify", ref, at=self.mirror.at)).line

    async def cloned(self, folder: Path, start: Start) -> Clone:
        """Make a clone, with what an earlier job has committed already in it."""
        branches = {**self.mirror.branches, start.base: start.tip}
        return await make_clone(
            self.git,
            self.mirrors,
            replace(self.mirror, branches=branches),
            folder,
            base=start.base,
            author=self.author,
            login=self.login_of(self.place.source),
        )

    def again(self, folder: Path, start: Start, clone_commit: str) -> Clone:
        """Return a clone that was made before. `clone_commit`: what was checked out then."""
        index = folder.with_name(f"{folder.name}.index")
        return Clone(folder=folder, index=index, base=start.base, commit=clone_commit)

    async def committed(
        self, clone: Clone, start: Start, *, job: str, message: str, seconds: int
    ) -> Change:
        """Commit what is in the clone now, on top of the start's tip.

        The change that is returned is that of this job alone; see `whole`.
        """
        taken = await take(self.git, self.mirror, clone, parent=start.tip)
        return await commit(
            self.git,
            self.mirror,
            taken,
            job=job,
            message=message,
            author=self.author,
            seconds=seconds,
        )

    async def whole(self, start: Start, change: Change) -> Change:
        """Tell a change from the branch that it is for, with what earlier jobs did."""
        if start.base_commit == change.base:
            return change
        return await changed(
            self.git, self.mirror, start.base_commit, change.commit, notes=change.notes
        )

    async def between(self, older: str, newer: str) -> Change:
        """Tell what two commits that are in the mirror differ in."""
        if older == newer:
            return Change(base=older, commit=newer)
        return await changed(self.git, self.mirror, older, newer)

    async def checked_out(self, name: str, folder: Path) -> None:
        """Have a fresh clone of one commit, with nothing in it that is not part of it."""
        await asyncio.to_thread(remove, folder)
        source = str(self.mirror.git_dir)
        where = self.mirror.repository.shown
        await self.git.run(
            "clone", "--shared", "--template=", "--no-tags", "--no-checkout", "--quiet",
            "--", source, str(folder),
            reach=Reach(remote=of_folder(source)), where=where,
        )  # fmt: skip
        at = At(git_dir=folder / ".git", work_tree=folder)
        await self.git.run("checkout", "--quiet", "--detach", name, "--", at=at, where=where)

    async def uncommitted(self, scratch: Path) -> int:
        """Count the files of the person's own folder that the job does not see."""
        return await uncommitted(self.git, self.place, self.mirror, scratch)

    async def pushed(
        self, start: Start, *, commit: str, branch: str, options: tuple[str, ...] = ()
    ) -> Pushed:
        """Push a commit to its own branch; what is there already is not pushed again."""
        target = self.place.target
        return await push(
            self.git,
            self.mirror.at,
            Reach(remote=target, login=self.login_of(target)),
            Parcel(commit=commit, branch=branch, base=start.base, options=options),
        )

    async def _fork(self, base_commit: str, tip: str) -> str:
        """Return the commit in which two lines of work last were one."""
        ran = await self.git.attempt("merge-base", base_commit, tip, at=self.mirror.at)
        return ran.line if ran.status == 0 and ran.line else base_commit
