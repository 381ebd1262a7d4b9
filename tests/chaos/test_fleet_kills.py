"""Jobs of the fleet survive kill -9 of nodes, broker and hub, and no effect is doubled.

Many more: python -m tests.chaos.fleet --kills 50
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chaos.fleet import VICTIMS, one_world
from tests.chaos.seeds import chosen_seed

SEED = chosen_seed()
KILLS = int(os.environ.get("DESKHAND_FLEET_KILLS") or len(VICTIMS))

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240 + 20 * KILLS)]


@pytest.mark.parametrize("sort", ["redis", "rabbitmq"])
def test_every_job_ends_once_whatever_is_killed(tmp_path: Path, sort: str) -> None:
    print(f"replay with DESKHAND_CHAOS_SEED={SEED}")

    rung = one_world(tmp_path, KILLS, SEED, sort)

    assert rung.is_clean, rung.line()
