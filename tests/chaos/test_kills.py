"""Hub, workers and children are killed at random while a person keeps asking.

Oracles: every job the hub acknowledged is there and comes to an end; a job that may not run twice
has left at most one mark unless a person said "run it again"; one that succeeded has left at
least one; what has ended stays as it ended; nothing stays open.

    DESKHAND_CHAOS_KILLS=200 DESKHAND_CHAOS_SEED=7 pytest -m chaos tests/chaos
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.world import World

KILLS = int(os.environ.get("DESKHAND_CHAOS_KILLS") or 30)
SEED = int(os.environ.get("DESKHAND_CHAOS_SEED") or random.randrange(10**6))
JOBS_PER_KILL = 2
ENDED = {"succeeded", "failed", "cancelled", "dead"}

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120 + KILLS * 15)]


def test_nothing_is_lost_doubled_or_stuck_whatever_is_killed(tmp_path: Path) -> None:
    print(f"replay with DESKHAND_CHAOS_SEED={SEED}")
    world = World(tmp_path, SEED)
    try:
        world.start_hub()
        for name in ("anna-pc", "studio-mac"):
            world.pair(name)
            world.start_worker(name)
        ended: dict[str, str] = {}
        for number in range(KILLS):
            for extra in range(JOBS_PER_KILL):
                ask(world, number * JOBS_PER_KILL + extra)
            linger(world)
            world.kill_something()
            if number % 5 == 4:
                note_endings(world, ended)
        settle(world)
        note_endings(world, ended)
        judge(world)
        print(f"{len(world.asked)} jobs, kills {world.kills}: 0 lost, 0 doubled, 0 stuck")
    except BaseException:
        for log in sorted(tmp_path.glob("*.log")):
            print(f"--- {log.name}\n{log.read_text()[-3000:]}")
        raise
    finally:
        world.close()


def ask(world: World, number: int) -> None:
    """Half of the jobs may run twice, the other half must not."""
    kind = "play.effect" if number % 2 else "play.count"
    pause = world.random.choice([0, 30, 300])
    world.ask_for(f"job {number}", kind, text=str(world.marks), number=pause)


def linger(world: World) -> None:
    """Let things go on for a random moment, so that kills fall at every step of a job's life."""
    time.sleep(world.random.choice([0, 0.02, 0.1, 0.3, 0.8]))


def note_endings(world: World, ended: dict[str, str]) -> None:
    """Whatever has ended once must be found as it was."""
    for job_id, shown in world.jobs().items():
        state = str(shown["state"])
        assert ended.get(job_id, state) == state, f"{job_id} was {ended[job_id]}, is {state}"
        if state in ENDED:
            ended[job_id] = state


def settle(world: World) -> None:
    """Answer what was interrupted ("it is done"), and wait until everything has ended."""

    def all_ended() -> bool:
        for question_id in world.open_questions():
            world.post(f"/questions/{question_id}/answer", {"reply": "Mark done"})
        return all(shown["state"] in ENDED for shown in world.jobs().values())

    try:
        world.wait_for("every job has ended", all_ended)
    except AssertionError:
        stuck = {j: s for j, s in world.jobs().items() if s["state"] not in ENDED}
        raise AssertionError(f"stuck: {stuck}") from None


def judge(world: World) -> None:
    shown = world.jobs()
    assert len(shown) == len(world.asked), "an acknowledged job is gone"
    marks = Counter(world.marks.read_text().split()) if world.marks.exists() else Counter()
    doubled = {job_id: count for job_id, count in marks.items() if count > 1}
    assert not doubled, f"ran twice: {doubled}"
    for job_id, job in shown.items():
        if job["kind"] == "play.effect" and job["state"] == "succeeded":
            by_hand = "Marked as done" in str(job["result"])
            assert marks[job_id] == 1 or by_hand, f"{job_id} succeeded without its effect"
        assert job["state"] != "dead", f"{job_id} died: {job['error']}"
