"""The whole way of a change as a program of its own, to be killed anywhere and begun again.

    python -m tests.git_servers.flow_program FOLDER URL NAME

Prints a line before each stage, so that whoever kills it knows where.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from desktop.core.code.refs import job_branch
from desktop.core.code.repository import parse_repository
from desktop.jobs.code.clones import make_clone
from desktop.jobs.code.delivering import Parcel, push
from desktop.jobs.code.git import Git, Reach
from desktop.jobs.code.identity import Identity
from desktop.jobs.code.mirrors import Mirrors
from desktop.jobs.code.taking import commit, take

ANNA = Identity("Anna", "anna@example.org")
SECONDS = 1_800_000_000


async def go(folder: Path, url: str, name: str) -> str:
    """Fetch, clone, change, commit and push; return the commit."""
    git = Git(folder / "home")
    repository = parse_repository(url)
    mirrors = Mirrors(folder / "mirrors", git)
    print("mirror", flush=True)
    mirror = await mirrors.refreshed(repository)
    print("clone", flush=True)
    clone = await make_clone(git, mirrors, mirror, folder / "jobs" / name / "clone", base="main")
    (clone.folder / f"{name}.txt").write_text(f"{name}\n")
    print("take", flush=True)
    taken = await take(git, mirror, clone)
    change = await commit(
        git, mirror, taken, job=name, message=f"{name}\n", author=ANNA, seconds=SECONDS
    )
    print("push", flush=True)
    parcel = Parcel(commit=change.commit, branch=job_branch(name, "work"), base="main")
    await push(git, mirror.at, Reach(remote=repository), parcel)
    print("done", flush=True)
    return change.commit


if __name__ == "__main__":
    asyncio.run(go(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
