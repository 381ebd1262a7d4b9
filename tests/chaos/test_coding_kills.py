"""Coding jobs survive kill -9 of the hub, the worker, the job and the agent in mid-question.

Many more of them: python -m tests.chaos.coding --kills 50
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.chaos.coding import VICTIMS, storm

SEED = int(os.environ.get("DESKHAND_CHAOS_SEED") or random.randrange(10**6))

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]


@pytest.mark.parametrize("victim", VICTIMS)
def test_nothing_is_lost_or_doubled_and_nothing_is_left(tmp_path: Path, victim: str) -> None:
    print(f"replay with DESKHAND_CHAOS_SEED={SEED}")

    rung = storm(tmp_path, 1, SEED, (victim,), batch=1)

    assert rung.is_clean, rung.line()
