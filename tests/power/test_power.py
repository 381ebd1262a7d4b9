"""No power cut harms a store, and a store that trusts its disk too much is found out.

DESKHAND_POWER_IMAGES=50000 DESKHAND_POWER_SEED=7 pytest tests/power
"""

from __future__ import annotations

import os
import random
import sys

import pytest

from tests.power.campaign import SUBJECTS, run

IMAGES = int(os.environ.get("DESKHAND_POWER_IMAGES") or 2000)
SEED = int(os.environ.get("DESKHAND_POWER_SEED") or random.randrange(10**6))
HARMED = 200
NAMES = [subject.name for subject in SUBJECTS]

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="strace is Linux's"),
    pytest.mark.timeout(120 + IMAGES // 4),
]


@pytest.mark.parametrize("name", NAMES)
def test_no_power_cut_harms_a_store(name: str) -> None:
    tally = run(IMAGES // len(NAMES), SEED, only=name)
    print(tally)
    again = f"python -m tests.power --only {name} --images {IMAGES // len(NAMES)} --seed {SEED}"
    assert tally.is_clean, f"{tally.shown}\nreplay: {again}"
    assert tally.tried == IMAGES // len(NAMES)
    assert tally.faults > tally.tried // 2, "most cuts come while something is in the air"


@pytest.mark.parametrize("name", NAMES)
def test_a_store_that_does_not_wait_for_its_disk_loses_what_it_told(name: str) -> None:
    tally = run(HARMED, SEED, only=name, synchronous="NORMAL")
    assert tally.lost > HARMED // 10, str(tally)
