"""Takes what an agent left in a clone, trusting nothing there but the bytes of files.

The clone's .git is not opened. Git runs with the mirror as its git folder, an index of ours and the
clone as its work tree; so hooks, monitors, filters, attributes with drivers, nested repositories
and whatever an agent has written into any configuration mean nothing. Which files there are is
decided in `sorting`, path by path, before git is told a single one.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from desktop.core.code.change import Change, parse_files, shown
from desktop.core.code.file_sorts import is_run_by_forge
from desktop.jobs.code.clones import Clone
from desktop.jobs.code.git import At, Git
from desktop.jobs.code.git_process import Limits
from desktop.jobs.code.identity import Identity
from desktop.jobs.code.mirrors import OWN_REFS, Mirror
from desktop.jobs.code.sorting import LEFT_OUT_MAX, SortedPaths, disarm, sort_paths

DIFF_BYTES_MAX = 4 * 1024**2
JUNK = (
    "__pycache__/", "*.py[cod]", ".pytest_cache/", ".mypy_cache/", ".ruff_cache/", ".hypothesis/",
    ".tox/", ".nox/", ".venv/", "*.egg-info/", ".coverage", "node_modules/", ".npm/", ".gradle/",
    ".DS_Store", "Thumbs.db", "*.swp", "*~", ".deskhand/",
)  # fmt: skip
"""What tests and tools leave behind; taken only where the repository has such files already."""
_SHOWN_APART = re.compile(
    rb"\.gitmodules$|\.gitattributes$|\.husky/|\.pre-commit-config|\.devcontainer/|\.vscode/"
)
_JOB = re.compile(r"[A-Za-z0-9-]{1,64}")


async def take(git: Git, mirror: Mirror, clone: Clone, *, parent: str | None = None) -> Taken:
    """Put the clone's files as they are now into the mirror, as a tree.

    The agent's processes have ended by now. Taking again gives the same.

    Args:
        git: as everywhere.
        mirror: the clone's.
        clone: as it was made.
        parent: the commit to compare with, when it is not the one the clone began from.

    Raises:
        LimitReached: `change_too_large`.
        AppError: as `fault_of`.
    """
    index = clone.index.with_suffix(".taken")
    lock = index.with_name(f"{index.name}.lock")
    lock.unlink(missing_ok=True)  # of a try that was killed: nobody else writes this index
    shutil.copy2(clone.index, index)
    at = At(git_dir=mirror.git_dir, work_tree=clone.folder, index=index)
    taker = _Taker(git, at, clone.folder, mirror.repository.shown)
    try:
        found = await taker.sorted()
        await taker.update(found)
        tree = (await git.run("write-tree", at=at, where=taker.where)).line
    finally:
        index.unlink(missing_ok=True)
        lock.unlink(missing_ok=True)
    return Taken(tree=tree, parent=parent or clone.commit, notes=tuple(found.notes()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The files of a clone, as git keeps them."""

    tree: str
    parent: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Taker:
    git: Git
    at: At
    folder: Path
    where: str

    async def _paths(self, *words: str, stdin: bytes = b"") -> list[bytes]:
        ran = await self.git.run(*words, at=self.at, stdin=stdin, where=self.where)
        return [path for path in ran.out.split(b"\0") if path]

    async def sorted(self) -> SortedPaths:
        """Decide about every path that may not be as it was."""
        await asyncio.to_thread(disarm, self.folder)
        junk = [f"--exclude={pattern}" for pattern in JUNK]
        fresh = await self._paths("ls-files", "-z", "--others", "--exclude-standard", *junk)
        names = ("-z", "--name-only", "--no-renames", "--ignore-submodules=all")
        changed = await self._paths("diff-files", *names)
        found = await asyncio.to_thread(sort_paths, self.folder, sorted({*fresh, *changed}))
        return await self._without_filtered(found)

    async def _without_filtered(self, found: SortedPaths) -> SortedPaths:
        """Leave out files that a program (Git LFS) would have to put into another form."""
        if not found.taken:
            return found
        stdin = b"\0".join(found.taken) + b"\0"
        told = await self._paths("check-attr", "-z", "--stdin", "filter", stdin=stdin)
        for path, value in zip(told[::3], told[2::3], strict=True):
            if value not in (b"unspecified", b"unset", b"set"):
                found.taken.remove(path)
                found.leave(path, "a filter such as Git LFS would have to write it")
        return found

    async def update(self, found: SortedPaths) -> None:
        """Tell git the paths that were decided about, and none else."""
        if found.removed:
            lines = b"".join(b"0 %s\t%s\0" % (b"0" * 40, path) for path in found.removed)
            words = ["update-index", "-z", "--index-info"]
            await self.git.run(*words, at=self.at, stdin=lines, where=self.where)
        if found.taken:
            words = ["update-index", "--add", "--replace", "-z", "--stdin"]
            stdin = b"\0".join(found.taken) + b"\0"
            await self.git.run(*words, at=self.at, stdin=stdin, where=self.where)


async def commit(
    git: Git,
    mirror: Mirror,
    taken: Taken,
    *,
    job: str,
    message: str,
    author: Identity,
    seconds: int,
) -> Change:
    """Make one commit of what was taken, and tell what it changes; none when that is nothing.

    The commit stands in the mirror as refs/deskhand/JOB. With the same words and the same moment
    it is the same commit.

    Args:
        git: as everywhere.
        mirror: where the tree is.
        taken: what `take` has returned.
        job: the job's id or short id.
        message: subject, body and trailers.
        author: the person.
        seconds: since the epoch.
    """
    assert _JOB.fullmatch(job), job
    where = mirror.repository.shown
    before = (
        await git.run("rev-parse", f"{taken.parent}^{{tree}}", at=mirror.at, where=where)
    ).line
    if before == taken.tree:
        return Change(base=taken.parent, commit=taken.parent, notes=taken.notes)
    made = await git.run(
        "commit-tree", taken.tree, "-p", taken.parent, "-F", "-",
        at=mirror.at,
        stdin=message.encode(errors="replace"),
        env=author.variables(seconds=seconds),
        where=where,
    )  # fmt: skip
    # Nobody else writes this job's ref: a lock on it is of a try that was killed.
    (mirror.git_dir / OWN_REFS / f"{job}.lock").unlink(missing_ok=True)
    await git.run("update-ref", f"{OWN_REFS}/{job}", made.line, at=mirror.at, where=where)
    return await changed(git, mirror, taken.parent, made.line, notes=taken.notes)


async def changed(
    git: Git,
    mirror: Mirror,
    base: str,
    commit: str,
    *,
    notes: tuple[str, ...] = (),
    diff_bytes_max: int = DIFF_BYTES_MAX,
) -> Change:
    """Tell what is different between two commits of a mirror; a longer diff is cut."""
    where = mirror.repository.shown
    words = ["diff-tree", "-r", "-M", "-l1000", "--no-ext-diff", "--no-textconv"]
    facts = await git.run(
        *words, "-z", "--raw", "--numstat", "--no-abbrev", base, commit, "--",
        at=mirror.at, where=where,
    )  # fmt: skip
    text = await git.run(
        *words, "-p", "--full-index", base, commit, "--",
        at=mirror.at,
        limits=Limits(out_bytes_max=diff_bytes_max, is_cuttable=True),
        where=where,
    )  # fmt: skip
    return Change(
        base=base,
        commit=commit,
        files=parse_files(facts.out),
        diff=text.out.decode(errors="replace"),
        is_diff_cut=text.is_cut,
        notes=(*notes, *_worth_a_look(facts.out)),
    )


def _worth_a_look(facts: bytes) -> Iterable[str]:
    """Name files that make others run something once they are pushed."""
    names = {part for part in facts.split(b"\0") if _is_worth_a_look(part)}
    if names:
        told = ", ".join(shown(name)[:80] for name in sorted(names)[:LEFT_OUT_MAX])
        yield f"Worth a look, it decides what others run: {told}."


def _is_worth_a_look(path: bytes) -> bool:
    return bool(_SHOWN_APART.match(path)) or is_run_by_forge(path.decode(errors="replace"))
