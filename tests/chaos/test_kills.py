"""Real processes, lines, clocks and stores fail at random while a person keeps asking.

Replay a run that failed: DESKHAND_CHAOS_SEED=<its seed> pytest -m chaos tests/chaos/test_kills.py
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.seeds import chosen_seed
from tests.chaos.storm import Storm
from tests.chaos.storm_world import World

WORLDS = 2
FAULTS = 30
"""In each world."""
SEED = chosen_seed()

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]


@pytest.mark.parametrize("number", range(WORLDS))
def test_nothing_is_lost_doubled_or_stuck_whatever_fails(tmp_path: Path, number: int) -> None:
    print(f"replay with DESKHAND_CHAOS_SEED={SEED} (world {number})")
    with World(tmp_path, SEED + number) as world:
        world.start_hub()
        for name in ("anna-pc", "studio-mac"):
            world.add_machine(name)
        storm = Storm(world)
        found = storm.run(FAULTS)
        assert not found.faults, "\n".join(found.faults)
        print(f"{found.tried} jobs, {storm.faults.total()} faults: {dict(storm.faults)}")
