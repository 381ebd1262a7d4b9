"""A run of 300 parts goes on whatever is killed: hub, worker or the child that all parts share.

Replay a run that failed: DESKHAND_CHAOS_SEED=<its seed> pytest -m chaos tests/chaos/test_parts.py
"""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from shared.database import peek
from tests.chaos.seeds import chosen_seed
from tests.chaos.world import World

PARTS = 300
KILLS = 10
SEED = chosen_seed()

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]


def test_each_part_is_counted_once_and_what_follows_comes_once(tmp_path: Path) -> None:
    print(f"replay with DESKHAND_CHAOS_SEED={SEED}")
    place = tmp_path / "done"
    place.mkdir()
    world = World(tmp_path, SEED)
    try:
        world.start_hub()
        world.pair("anna-pc")
        world.start_worker("anna-pc")
        maker = world.ask_for("the run", "play.run", number=PARTS, text=str(place))
        for kill in range(KILLS):
            goal = round((kill + world.random.random()) * PARTS / KILLS)
            world.wait_for(f"{goal} parts are done", partial(has_done, place, goal))
            world.kill_something()
        world.wait_for("the run has ended well", lambda: is_over(world, maker))
        world.wait_for("what follows it has ended", lambda: followers(world) == ["succeeded"])
        print(f"kills: {world.kills}")
        assert ends(world, maker) == dict.fromkeys(range(PARTS), 1)
        assert len((place / "after").read_text().split()) >= 1
    finally:
        world.close()


def has_done(place: Path, goal: int) -> bool:
    return sum(1 for _ in place.glob("done*")) >= goal


def is_over(world: World, job_id: str) -> bool:
    state = rows(world, "select state from jobs where job_id = ?", job_id)
    assert state not in ([("failed",)], [("dead",)], [("cancelled",)]), state
    return state == [("succeeded",)]


def followers(world: World) -> list[object]:
    return [state for (state,) in rows(world, "select state from jobs where kind = 'play.after'")]


def ends(world: World, maker: str) -> Counter[int]:
    """How often each part ended well, as the hub counts it."""
    found = rows(world, "select inputs from jobs where part_of = ? and state = 'succeeded'", maker)
    return Counter(json.loads(str(inputs))["index"] for (inputs,) in found)


def rows(world: World, query: str, *values: object) -> list[tuple[object, ...]]:
    with peek(world.folder / "hub" / "hub.sqlite3") as store:
        return store.execute(query, values).fetchall()
