"""Disks that fail while hub and workers write: nothing acknowledged is lost, and all goes on.

DESKHAND_CHAOS_IO=500 DESKHAND_CHAOS_SEED=7 pytest -m chaos tests/chaos/test_disk.py
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.chaos import disks
from tests.chaos.world import World

JOBS = int(os.environ.get("DESKHAND_CHAOS_IO") or 100)
"""Jobs that are asked for while disks fail."""
SEED = int(os.environ.get("DESKHAND_CHAOS_SEED") or random.randrange(10**6))
PROBABILITY = 0.02
"""Of each write and each sync."""

pytestmark = disks.is_linux


@pytest.mark.timeout(180)
def test_a_few_jobs_get_through_failing_disks(tmp_path: Path) -> None:
    work_on_failing_disks(tmp_path, 12, ("anna-pc",))


@pytest.mark.chaos
@pytest.mark.timeout(300 + JOBS * 5)
def test_many_jobs_get_through_failing_disks(tmp_path: Path) -> None:
    work_on_failing_disks(tmp_path, JOBS, ("anna-pc", "studio-mac"))


def work_on_failing_disks(folder: Path, jobs: int, names: tuple[str, ...]) -> None:
    disks.needs_libfiu()
    print(f"replay with DESKHAND_CHAOS_SEED={SEED}")
    world = World(folder, SEED, under=("fiu-run", "-x"))
    try:
        world.start_hub()
        for name in names:
            world.pair(name)
            world.start_worker(name)
        world.wait_for(
            "all are there", lambda: world.get("/health")["workers_online"] == len(names)
        )
        disks.fail_now(world, PROBABILITY)
        for number in range(jobs):
            kind = "play.effect" if number % 2 else "play.count"
            world.ask_for(f"job {number}", kind, text=str(world.marks), number=5)
        disks.mend(world)
        disks.settle(world)
        disks.judge(world)
        faults = disks.faults_told(world)
        disks.judge_stores(world)
        assert faults, "no disk has failed, so nothing was shown"
        print(f"failing disks  tried {jobs} jobs  faults {faults}  lost 0  doubled 0  stuck 0")
    except BaseException:
        for log in sorted(folder.glob("*.log")):
            print(f"--- {log.name}\n{log.read_text()[-3000:]}")
        raise
    finally:
        world.close()
