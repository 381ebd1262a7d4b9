"""kill -9 anywhere between the first fetch and the push: begun again, it ends as if nothing was."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.git_servers.flow_program import go
from tests.git_servers.http_server import GitServer
from tests.git_servers.repositories import fill, git

STAGES = ("mirror", "clone", "take", "push")
KILLS = 3
"""In each stage, at moments spread over it."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with GitServer(tmp_path / "remote") as made:
        rest = {f"src/f{n}.bin": os.urandom(20_000) for n in range(150)}
        fill(made.repository("x"), tmp_path / "first", {"README.md": b"# x\n", **rest})
        yield made


def _killed(folder: Path, url: str, stage: str, seconds: float) -> bool:
    """Start the program, kill it some time into a stage, and say whether it still ran."""
    argv = [sys.executable, "-m", "tests.git_servers.flow_program", str(folder), url, "job1"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
        assert program.stdout is not None
        for line in program.stdout:
            if line.decode().strip() == stage:
                break
        # The moment is the point of the test: there is no event to wait for.
        time.sleep(seconds)
        is_running = program.poll() is None
        program.kill()
        program.stdout.read()
    return is_running


@pytest.mark.parametrize("stage", STAGES)
async def test_a_flow_that_is_killed_goes_on(server: GitServer, tmp_path: Path, stage: str) -> None:
    dice = random.Random(stage)
    folder, url = tmp_path / "worker", f"{server.url}/x.git"
    for number in range(KILLS):
        seconds = (number + dice.random()) * 0.1
        await asyncio.to_thread(_killed, folder, url, stage, seconds)
    commit = await go(folder, url, "job1")
    bare = tmp_path / "remote" / "x.git"
    assert git(bare, "rev-parse", "deskhand/job1-work") == commit
    assert git(bare, "rev-list", "--count", "main..deskhand/job1-work") == "1"
    assert git(bare, "for-each-ref", "--format=%(refname:short)").split() == [
        "deskhand/job1-work", "main",
    ]  # fmt: skip
    (mirror,) = [*(folder / "mirrors").glob("*/mirror.git")]
    git(mirror, "fsck", "--strict")
    assert not [*mirror.rglob("*.lock")]


async def test_four_jobs_on_one_repository_do_not_hear_each_other(
    server: GitServer, tmp_path: Path
) -> None:
    names = [f"job{number}" for number in range(4)]
    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(go(tmp_path / "worker", f"{server.url}/x.git", name))
    bare = tmp_path / "remote" / "x.git"
    for name in names:
        changed = git(bare, "diff", "--name-only", "main", f"deskhand/{name}-work")
        assert changed == f"{name}.txt"
        assert git(bare, "rev-list", "--count", f"main..deskhand/{name}-work") == "1"
    assert len([*(tmp_path / "worker" / "mirrors").iterdir()]) == 1
    fetched = [seen for seen in server.seen if seen.target.endswith("/git-upload-pack")]
    packs = [seen for seen in fetched if b"command=fetch" in seen.body]
    assert len(packs) <= 2, "one fetch served all four"
