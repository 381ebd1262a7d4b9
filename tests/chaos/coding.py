"""T3: hub, worker, job or agent are killed while coding jobs wait for an answer, or go on with it.

python -m tests.chaos.coding --kills 50 --seed 7

Each kill hits a batch of jobs. What is checked is seen from outside: questions that the hub knows,
pushes that the git server got, branches on it, and processes that are left.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from desktop.core.code.forge_keys import key_name
from desktop.core.policy import Policy
from desktop.jobs.code.samples import till
from tests.chaos.rung import Rung
from tests.chaos.world import World
from tests.flows import programs
from tests.flows.coding import SUITE, TOKEN, policy_of, seed
from tests.git_servers.forge_double import ForgeDouble
from tests.git_servers.http_server import GitServer
from tests.llm_servers.scripted import ScriptedModel
from tests.llm_servers.scripted import running as model_running

NAME = "coding"
WORKER = "anna-pc"
VICTIMS = ("hub", "worker", "job", "agent")
BATCH = 2
"""Jobs at once, unless something else is said."""
AGENT_WORDS = "desktop.jobs.code.builtin"
JOB_WORDS = "run-job"
LEFT_SECONDS = 20.0


@dataclass
class CodingWorld(World):
    """A world whose jobs are work orders on one repository."""

    model: ScriptedModel | None = None
    server: GitServer | None = None
    bare: Path = Path()
    repository: str = ""
    batch: int = BATCH
    faults: list[str] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    stuck: int = 0

    def policy(self, *left_out: str) -> Policy:
        assert not left_out
        assert self.model is not None
        assert self.server is not None
        return policy_of(self.folder, self.model, self.server, slots=self.batch + 1)

    def order(self, key: str) -> str:
        return self.ask_for(
            key,
            "code.bugfix",
            repository=self.repository,
            instructions=till.INSTRUCTIONS,
            test_command=SUITE,
            level="autonomous",
        )

    def questions(self) -> dict[str, list[dict[str, object]]]:
        """Return what is open, by job; nothing while the hub does not answer."""
        found: dict[str, list[dict[str, object]]] = {}
        with contextlib.suppress(httpx.HTTPError):
            told = self.get("/questions")["questions"]
            assert isinstance(told, list)
            for one in told:
                found.setdefault(str(one["job_id"]), []).append(one)
        return found

    def states(self, jobs: list[str]) -> list[str]:
        with contextlib.suppress(httpx.HTTPError):
            return [str(self.get(f"/jobs/{job}")["state"]) for job in jobs]
        return []

    def answer(self, job: str) -> None:
        (question,) = self.questions()[job]
        self.post(f"/questions/{question['question_id']}/answer", {"reply": till.UTC})

    def kill(self, victim: str) -> int:
        """Kill with SIGKILL what is named, all of its sort; return how many that were."""
        match victim:
            case "hub":
                assert self.hub is not None
                programs.kill(self.hub)
                self.start_hub()
                return 1
            case "worker":
                programs.kill(self.workers[WORKER])
                self.start_worker(WORKER)
                return 1
            case _:
                words = JOB_WORDS if victim == "job" else AGENT_WORDS
                victims = list(self._running(words))
                for one in victims:
                    with contextlib.suppress(psutil.Error):
                        one.kill()
                return len(victims)

    def _running(self, words: str) -> Iterator[psutil.Process]:
        with contextlib.suppress(psutil.Error):
            for one in psutil.Process(self.workers[WORKER].pid).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    if any(words in word for word in one.cmdline()):
                        yield one

    def pushes(self) -> int:
        assert self.server is not None
        return sum(
            one.method == "POST" and one.target.endswith("/git-receive-pack")
            for one in self.server.seen
        )

    def orphans(self) -> list[str]:
        """Return what runs with a path of this world, and is no program of it."""
        mine = {os.getpid(), *(one.pid for one in (self.hub, *self.workers.values()) if one)}
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                words = process.cmdline()
                if process.pid not in mine and any(str(self.folder) in word for word in words):
                    found.append(f"{process.pid} {' '.join(words)[:200]}")
        return found

    def note(self, fault: str) -> None:
        self.faults.append(fault)


@contextlib.contextmanager
def coding_world(folder: Path, number: int, batch: int = BATCH) -> Iterator[CodingWorld]:
    """Start all of it; end all of it."""
    remotes = folder / "remotes"
    forge = ForgeDouble(sort="gitea", folder=remotes, token=TOKEN)
    with (
        GitServer(remotes, logins={"oauth2": TOKEN}, forge=forge) as server,
        model_running(*till.STEPS) as model,
    ):
        forge.web = server.url
        bare, url = seed(folder / "seed", server)
        keys = json.dumps({key_name(server.netloc): TOKEN})
        os.environ[programs.KEYS] = keys
        world = CodingWorld(
            folder, number, model=model, server=server, bare=bare, repository=url, batch=batch
        )
        try:
            world.start_hub()
            world.pair(WORKER)
            world.start_worker(WORKER)
            yield world
        finally:
            world.close()
            del os.environ[programs.KEYS]


def one_kill(world: CodingWorld, number: int, victim: str) -> None:
    """Have a batch of jobs ask, kill, and see that each goes on to one good end."""
    pushed_before = world.pushes()
    jobs = [world.order(f"{number}-{one}") for one in range(world.batch)]
    world.wait_for("all ask", lambda: set(jobs) <= set(world.questions()))
    assert len(world.orphans()) >= len(jobs), "no agent is seen to run"
    is_early = world.random.random() < 0.6
    if is_early:
        hit = world.kill(victim)
        assert hit, f"no {victim} was there to be killed"
        world.wait_for("all ask again", lambda: set(jobs) <= set(world.questions()))
    for job in jobs:
        _answer(world, job)
    if not is_early:
        time.sleep(world.random.random() * 3)
        world.kill(victim)
    _check(world, jobs, pushed_before)


def _answer(world: CodingWorld, job: str) -> None:
    """Answer until the hub has taken it; a question that is put twice is a fault."""

    def is_answered() -> bool:
        questions = world.questions().get(job, [])
        if len(questions) > 1:
            world.doubled += 1
            world.note(f"{job}: {len(questions)} open questions")
        try:
            world.post(f"/questions/{questions[0]['question_id']}/answer", {"reply": till.UTC})
        except (httpx.HTTPError, IndexError):
            return False
        return True

    world.wait_for(f"{job} is answered", is_answered)


def _check(world: CodingWorld, jobs: list[str], pushed_before: int) -> None:
    ends = ("succeeded", "failed", "dead", "interrupted", "cancelled")

    def over() -> bool:
        states = world.states(jobs)
        asked_again = [job for job in jobs if world.questions().get(job)]
        for job in asked_again:
            world.doubled += 1
            world.note(f"{job} asked again after its answer: {world.questions().get(job)}")
            _answer(world, job)
        return len(states) == len(jobs) and all(state in ends for state in states)

    try:
        world.wait_for("all are over", over)
    except AssertionError:
        world.stuck += 1
        world.note(f"stuck: {world.states(jobs)}")
        return
    for job in jobs:
        told = world.get(f"/jobs/{job}")
        if told["state"] != "succeeded":
            world.lost += 1
            world.note(f"{job} is {told['state']}: {told.get('error')}")
    pushes = world.pushes() - pushed_before
    if pushes != len(jobs):
        world.doubled += pushes > len(jobs)
        world.note(f"{pushes} pushes of {len(jobs)} jobs")


def check_left(world: CodingWorld) -> None:
    """See that no process is left, once nothing runs any more."""
    ends = time.monotonic() + LEFT_SECONDS
    while (left := world.orphans()) and time.monotonic() < ends:
        time.sleep(0.1)
    if left:
        world.note(f"{len(left)} processes are left: {left}")


def storm(
    folder: Path,
    kills: int,
    number: int,
    victims: tuple[str, ...] = VICTIMS,
    batch: int = BATCH,
) -> Rung:
    """Kill as often as asked for, each sort in its turn."""
    with coding_world(folder, number, batch) as world:
        hit: Counter[str] = Counter()
        for turn in range(kills):
            victim = victims[turn % len(victims)]
            one_kill(world, turn, victim)
            hit[victim] += 1
            check_left(world)
            print(f"kill {turn + 1}: {victim}, {len(world.faults)} faults", flush=True)
        print("\n".join(world.faults), end="\n" if world.faults else "")
        print(f"{kills * batch} jobs, kills: {dict(hit)}")
        return Rung(
            name=NAME,
            tried=kills * batch,
            faults=kills,
            lost=world.lost,
            doubled=world.doubled,
            stuck=world.stuck + len(world.faults) * (world.lost + world.doubled == 0),
        )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.coding", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    number = random.randrange(10**6) if options.seed is None else options.seed
    print(f"replay: python -m tests.chaos.coding --kills {options.kills} --seed {number}")
    folder = Path(tempfile.mkdtemp(prefix=f"deskhand-coding-{number}-"))
    try:
        rung = storm(folder, options.kills, number)
    except Exception:
        traceback.print_exc()
        rung = Rung(name=NAME, tried=1, faults=1, stuck=1)
    print(rung.line())
    if rung.is_clean:
        shutil.rmtree(folder)
    else:
        print(f"its stores and logs: {folder}")
    return 0 if rung.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
