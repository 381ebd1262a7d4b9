"""A plan of twelve steps, half of them elsewhere, comes to its end whatever is killed.

Replay a run that failed: DESKHAND_CHAOS_SEED=<its seed> pytest -m chaos tests/chaos/test_steps.py
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from shared.database import peek
from tests.chaos.seeds import chosen_seed
from tests.chaos.world import World

STEPS = ("play.step_tell", "play.step_stride") * 6
KILLS = 8
SEED = chosen_seed()

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]


def test_each_step_is_told_as_it_came_out_and_none_is_run_twice_that_may_not_be(
    tmp_path: Path,
) -> None:
    print(f"replay with DESKHAND_CHAOS_SEED={SEED}")
    place = tmp_path / "done"
    place.mkdir()
    world = World(tmp_path, SEED)
    try:
        world.start_hub()
        world.pair("anna-pc", "play.step_stride")
        world.pair("lab", "play.plan")
        for name in ("anna-pc", "lab"):
            world.start_worker(name)
        maker = world.ask_for("the plan", "play.plan", text=str(place), kinds=STEPS)
        for _ in range(KILLS):
            # Somewhere in the middle of something: there is no moment that this waits for.
            time.sleep(world.random.uniform(0.1, 2.0))
            world.kill_something()
        world.wait_for("the plan has ended", lambda: state(world, maker) == "succeeded")
        world.wait_for("all its steps have ended", lambda: not unended(world, maker))
        print(f"kills: {world.kills}")
        judge(place, result(world, maker))
    finally:
        world.close()


def judge(place: Path, told: dict[str, list[str]]) -> None:
    """Compare what the plan heard with the marks that its steps left."""
    assert len(told["states"]) == len(STEPS)
    for number, (kind, ended) in enumerate(zip(STEPS, told["states"], strict=True)):
        mark = place / f"done{number}"
        marks = len(mark.read_text().split()) if mark.exists() else 0
        if kind == "play.step_stride":
            assert marks <= 1, f"step {number} was run {marks} times"
        assert marks or ended != "succeeded", f"step {number} left no mark"


def state(world: World, job_id: str) -> object:
    [(found,)] = rows(world, "select state from jobs where job_id = ?", job_id)
    assert found not in ("failed", "dead", "cancelled", "interrupted"), found
    return found


def unended(world: World, maker: str) -> list[tuple[object, ...]]:
    ended = "('succeeded', 'failed', 'cancelled', 'dead')"
    return rows(world, f"select 1 from jobs where part_of = ? and state not in {ended}", maker)


def result(world: World, job_id: str) -> dict[str, list[str]]:
    [(found,)] = rows(world, "select result from jobs where job_id = ?", job_id)
    told: dict[str, list[str]] = json.loads(str(found))
    return told


def rows(world: World, query: str, *values: object) -> list[tuple[object, ...]]:
    with peek(world.folder / "hub" / "hub.sqlite3") as store:
        return store.execute(query, values).fetchall()
