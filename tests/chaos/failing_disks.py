"""Disks that fail, and disks that are full, under real programs; one line for both.

python -m tests.chaos.failing_disks --jobs 60 --seed 7
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.chaos import disks
from tests.chaos.disks import Filler, small_disk
from tests.chaos.world import World
from tests.flows.programs import BALLAST

PROBABILITY = 0.02
"""Of each write and each sync."""
JOBS_PER_FILL = 3
BALLAST_BYTES = 1024 * 1024
DISK = "16m"
FULL_SECONDS_MAX = 2.0


@dataclass(slots=True)
class Tried:
    jobs: int
    faults: int

    def __str__(self) -> str:
        return (
            f"failing disks  tried {self.jobs} jobs  faults {self.faults}"
            "  lost 0  doubled 0  stuck 0"
        )


def fail(folder: Path, jobs: int, names: tuple[str, ...], seed: int) -> Tried:
    """Ask for jobs while writes and syncs fail at random.

    Raises:
        AssertionError: something acknowledged is gone, ran twice, is damaged, or does not end.
    """
    disks.needs_libfiu()
    with a_world(folder, seed, under=("fiu-run", "-x")) as world:
        start(world, names)
        disks.fail_now(world, PROBABILITY)
        for number in range(jobs):
            ask(world, number)
        disks.mend(world)
        disks.settle(world)
        disks.judge(world)
        faults = disks.faults_told(world)
        disks.judge_stores(world)
        assert faults, "no disk has failed, so nothing was shown"
        return Tried(jobs, faults)


def fill(folder: Path, fills: int, seed: int) -> Tried:
    """Ask for jobs while the disk of the hub or of the worker is full, again and again.

    Raises:
        AssertionError: as `fail`.
    """
    with contextlib.ExitStack() as stack:
        fillers = [
            Filler(stack.enter_context(small_disk(folder / name, DISK)))
            for name in ("hub", "anna-pc")
        ]
        world = stack.enter_context(
            a_world(folder, seed, under=("env", f"{BALLAST}={BALLAST_BYTES}"))
        )
        start(world, ("anna-pc",))
        for number in range(fills):
            ask(world, number * JOBS_PER_FILL)
            filler = world.random.choice(fillers)
            filler.fill()
            # Some of these are refused; what was taken must be done.
            for extra in range(1, JOBS_PER_FILL):
                disks.ask_once(world, *job(world, number * JOBS_PER_FILL + extra))
            time.sleep(world.random.random() * FULL_SECONDS_MAX)
            filler.free()
        disks.settle(world)
        disks.judge(world)
        disks.judge_stores(world)
        return Tried(len(world.asked), fills)


@contextlib.contextmanager
def a_world(folder: Path, seed: int, under: tuple[str, ...]) -> Iterator[World]:
    """Make a world; what its programs said is printed when something goes wrong in it."""
    world = World(folder, seed, under=under)
    try:
        yield world
    except BaseException:
        for log in sorted(folder.glob("*.log")):
            print(f"--- {log.name}\n{log.read_text()[-3000:]}")
        raise
    finally:
        world.close()


def start(world: World, names: tuple[str, ...]) -> None:
    world.start_hub()
    for name in names:
        world.pair(name)
        world.start_worker(name)
    world.wait_for("all are there", lambda: world.get("/health")["workers_online"] == len(names))


def job(world: World, number: int) -> tuple[str, str, dict[str, object]]:
    """Half of the jobs may run twice, the other half must not."""
    kind = "play.effect" if number % 2 else "play.count"
    return f"job {number}", kind, {"text": str(world.marks), "number": 5}


def ask(world: World, number: int) -> None:
    key, kind, inputs = job(world, number)
    world.ask_for(key, kind, **inputs)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.failing_disks")
    parser.add_argument("--jobs", type=int, default=40, help="asked for while disks fail")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "failing").mkdir()
        (folder / "full").mkdir()
        tried = fail(folder / "failing", options.jobs, ("anna-pc", "studio-mac"), options.seed)
        if os.geteuid() == 0:
            full = fill(folder / "full", max(1, options.jobs // JOBS_PER_FILL), options.seed)
            tried = Tried(tried.jobs + full.jobs, tried.faults + full.faults)
        else:
            print("full disks were left out: only root may mount a small one", file=sys.stderr)
    print(tried)
    return 0


if __name__ == "__main__":
    sys.exit(main())
