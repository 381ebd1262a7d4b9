"""A whole job on a hostile repository, with an agent that does what it says: nothing gets out.

The worker tests, takes, commits, shows and pushes what lies in a clone full of traps.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.core.code.rules import CodeRules, SandboxChoice
from desktop.jobs.code.samples import till
from desktop.jobs.code.sandbox import choose_now
from shared.errors import Unavailable
from shared.kinds.code import Level
from tests.desktop.jobs.code.box_room import HOLDING, rooms
from tests.desktop.jobs.code.escape import saboteur
from tests.desktop.jobs.code.work_world import FIX, MODEL, PlayedPerson, World, world_of

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the boxes of Linux"),
    pytest.mark.timeout(240),
]

SECONDS_MAX = 60.0
SECRET = "what nobody may have"
KEYS = {"GITHUB_TOKEN": "ghp-of-the-person", "OPENAI_API_KEY": "sk-of-the-person"}


@pytest.fixture(params=HOLDING, ids=str)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    try:
        choose_now(CodeRules(sandbox=request.param))
    except Unavailable as error:
        pytest.skip(str(error))
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.txt").write_text(SECRET, encoding="utf-8")
    sabotage = f"python3 saboteur.py {tmp_path}/proof {tmp_path}/secret/key.txt"
    code = Path(saboteur.__file__).read_text(encoding="utf-8")
    hostile_suite = (
        f"import subprocess, unittest\nsubprocess.run({sabotage.split()!r}, check=False)\n"
        "class T(unittest.TestCase):\n    def test_it(self): pass\n"
    )
    files = {**till.FILES, "saboteur.py": code, "tests/test_hostile.py": hostile_suite}
    steps = (*FIX[:-1], {"run": sabotage}, FIX[-1])
    with world_of(tmp_path, steps, files) as world:
        world.rules = CodeRules(model=MODEL, sandbox=request.param)
        yield world


async def test_a_clone_full_of_traps_is_tested_taken_shown_and_pushed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    person = PlayedPerson({till.QUESTION: till.UTC})

    output = await world.run("code.bugfix", person, level=Level.AUTONOMOUS)

    assert output.is_pushed
    assert not (world.folder / "proof").exists()
    assert (world.folder / "secret" / "key.txt").read_text(encoding="utf-8") == SECRET
    pushed = _pushed(world, output.branch)
    told = "".join(request.text for request in world.model.requests)
    for secret in (SECRET, *KEYS.values()):
        assert secret not in pushed
        assert secret not in told
        assert secret not in output.model_dump_json()
    assert "astimezone(UTC)" in pushed
    assert await _is_ended(world)


async def _is_ended(world: World) -> bool:
    """Say whether the program that puts a file back again and again does so no more."""
    traces = list((world.folder / "data").rglob("still-here"))
    assert traces, "the program that stays was never there"
    for trace in traces:
        trace.unlink()
    await asyncio.sleep(0.3)  # six times as long as it takes to put it back
    return not any(trace.exists() for trace in traces)


def test_the_traps_are_live_for_whoever_uses_git_as_it_stands() -> None:
    for room in rooms(SandboxChoice.BUBBLEWRAP):
        proof, key = room.root / "proof", room.root / "key.txt"
        key.write_text(SECRET, encoding="utf-8")
        shutil.copy(saboteur.__file__, room.clone)
        room.shell(f"git init -q . && python3 saboteur.py {proof} {key}")
        assert not proof.exists()

        env = {"PATH": os.environ["PATH"], "HOME": str(room.root / "home")}
        git = ("git", "-C", str(room.clone), "-c", "index.threads=1", "status")
        with subprocess.Popen(
            git, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as run:
            end = time.monotonic() + SECONDS_MAX
            while not proof.exists() and time.monotonic() < end:
                time.sleep(0.01)
            run.kill()  # a fifo stands in its way

        assert proof.exists()


def _pushed(world: World, branch: str) -> str:
    """Return all that the remote has of a branch: names, kinds and contents."""
    remote = world.repository.remote
    words = ["git", "-C", str(remote), "archive", "--format=tar", branch]
    tar = subprocess.run(words, capture_output=True, check=True).stdout
    return tar.decode(errors="replace")
