"""What git costs a coding job: the mirror, the clone, what is taken of it, the push.

    python -m tests.benchmarks.coding.repositories [FOLDER]

Without a folder a repository of 2,000 commits and 800 files is made. Times are medians in seconds;
the last lines are four jobs at once on one mirror, which is how the clone's time is read on a busy
machine.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from desktop.core.code.repository import of_folder
from desktop.jobs.code.clones import Clone, make_clone
from desktop.jobs.code.delivering import Parcel, push
from desktop.jobs.code.git import Git, Reach
from desktop.jobs.code.identity import Identity
from desktop.jobs.code.mirrors import Mirror, Mirrors
from desktop.jobs.code.taking import commit, take
from tests.git_servers.repositories import git

TIMES = 5
FILES = 800
COMMITS = 2_000
Result = TypeVar("Result")
ANNA = Identity("Anna", "anna@example.org")


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        source = Path(sys.argv[1]) if len(sys.argv) > 1 else made(Path(place) / "source")
        asyncio.run(measured(Path(place), source))


def made(folder: Path, commits: int = COMMITS, files: int = FILES) -> Path:
    """Make a repository by git's fast-import: each commit changes a few of many files."""
    dice = random.Random(1)
    lines = [b"feature done\n"]
    for number in range(commits):
        lines.append(b"commit refs/heads/main\n")
        lines.append(b"committer Anna <anna@example.org> %d +0000\n" % (1_700_000_000 + number))
        lines.append(b"data 4\nwork\n")
        for file in range(files) if number == 0 else dice.sample(range(files), 3):
            text = b"".join(b"line %d\n" % dice.randrange(10**9) for _ in range(200))
            path = b"src/p%d/f%d.py" % (file % 40, file)
            lines.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path, len(text), text))
    lines.append(b"done\n")
    git(folder.parent, "init", "-q", "--bare", "-b", "main", str(folder))
    git(folder, "fast-import", "--quiet", stdin=b"".join(lines))
    return folder


async def measured(place: Path, source: Path) -> None:
    runner = Git(place / "home")
    mirrors = Mirrors(place / "mirrors", runner)
    repository = of_folder(str(source))
    print("| step | seconds |")
    print("|---|---|")
    begin = time.perf_counter()
    mirror = await mirrors.refreshed(repository)
    _row("mirror, first time", time.perf_counter() - begin)
    await _timed("mirror, nothing new", lambda _: mirrors.refreshed(repository))
    folders = [place / "jobs" / str(number) / "clone" for number in range(TIMES)]
    clones = await _timed(
        "clone --shared, checked out", lambda n: make_clone(runner, mirrors, mirror, folders[n])
    )
    await _timed("taken, nothing changed", lambda n: take(runner, mirror, clones[n]))
    await _delivered(place, runner, mirror, clones)
    begin = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for folder in folders[:4]:
            group.create_task(make_clone(runner, mirrors, mirror, folder))
    _row("four clones at once, all of them", time.perf_counter() - begin)


async def _delivered(place: Path, runner: Git, mirror: Mirror, clones: list[Clone]) -> None:
    target = place / "target.git"
    subprocess.run(["git", "clone", "-q", "--bare", mirror.git_dir, target], check=True)
    for number, clone in enumerate(clones):
        (clone.folder / "new.py").write_text(f"{number}\n")
    taken = await _timed("taken, one file changed", lambda n: take(runner, mirror, clones[n]))
    changes = await _timed(
        "committed, facts and diff told",
        lambda n: commit(
            runner, mirror, taken[n], job=f"j{n}", message="x\n", author=ANNA, seconds=1
        ),
    )
    reach = Reach(remote=of_folder(str(target)))
    await _timed(
        "pushed to a folder",
        lambda n: push(
            runner,
            mirror.at,
            reach,
            Parcel(commit=changes[n].commit, branch=f"deskhand/{n}-x", base="main"),
        ),
    )


async def _timed(name: str, do: Callable[[int], Awaitable[Result]]) -> list[Result]:
    told, results = [], []
    for number in range(TIMES):
        begin = time.perf_counter()
        results.append(await do(number))
        told.append(time.perf_counter() - begin)
    _row(name, statistics.median(told))
    return results


def _row(name: str, seconds: float) -> None:
    print(f"| {name} | {seconds:.3f} |")


if __name__ == "__main__":
    main()
