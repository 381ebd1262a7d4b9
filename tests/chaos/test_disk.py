"""Disks that fail while hub and workers write: nothing acknowledged is lost, and all goes on.

DESKHAND_CHAOS_IO=500 DESKHAND_CHAOS_SEED=7 pytest -m chaos tests/chaos/test_disk.py
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chaos import disks, failing_disks
from tests.chaos.seeds import chosen_seed

JOBS = int(os.environ.get("DESKHAND_CHAOS_IO") or 30)
"""Jobs that are asked for while disks fail."""
SEED = chosen_seed()

pytestmark = disks.is_linux


@pytest.mark.timeout(180)
def test_a_few_jobs_get_through_failing_disks(tmp_path: Path) -> None:
    print(f"replay with DESKHAND_CHAOS_SEED={SEED}")
    print(failing_disks.fail(tmp_path, 12, ("anna-pc",), SEED))


@pytest.mark.chaos
@pytest.mark.timeout(300 + JOBS * 5)
def test_many_jobs_get_through_failing_disks(tmp_path: Path) -> None:
    print(f"replay with DESKHAND_CHAOS_SEED={SEED}")
    print(failing_disks.fail(tmp_path, JOBS, ("anna-pc", "studio-mac"), SEED))


@disks.is_root
@pytest.mark.chaos
@pytest.mark.timeout(300 + JOBS * 5)
def test_jobs_get_through_disks_that_are_full_again_and_again(tmp_path: Path) -> None:
    print(f"replay with DESKHAND_CHAOS_SEED={SEED}")
    print(failing_disks.fill(tmp_path, JOBS // failing_disks.JOBS_PER_FILL, SEED))
