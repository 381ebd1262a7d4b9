"""Coding jobs survive kill -9 of the hub, the worker, the job and the agent in mid-question.

Many more of them: python -m tests.chaos.coding --kills 50
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.coding import VICTIMS, storm
from tests.chaos.seeds import chosen_seed

SEED = chosen_seed()

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]


@pytest.mark.parametrize("victim", VICTIMS)
def test_nothing_is_lost_or_doubled_and_nothing_is_left(tmp_path: Path, victim: str) -> None:
    print(f"replay with DESKHAND_CHAOS_SEED={SEED}")

    rung = storm(tmp_path, 1, SEED, (victim,), batch=1)

    assert rung.is_clean, rung.line()
