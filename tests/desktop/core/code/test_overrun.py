"""A box that uses more than it may is told which limit it passed, in figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop.core.code.box import BoxLimits
from desktop.core.code.overrun import DISK_FREE_BYTES_MIN, Seen, overrun

LIMITS = BoxLimits(memory_bytes_max=10**9, processes_max=100, disk_bytes_max=2 * 10**9)
WELL = Seen(memory_bytes=10**9, processes=100, written_bytes=2 * 10**9, free_bytes=10**12)


def test_at_its_limits_all_is_well() -> None:
    assert overrun(WELL, LIMITS) is None


@pytest.mark.parametrize(
    ("seen", "code", "words"),
    [
        (replace(WELL, memory_bytes=3 * 10**9), "box_memory", "3.0 GB of memory; it may use 1.0"),
        (replace(WELL, processes=101), "box_processes", "101 processes; it may have 100"),
        (replace(WELL, written_bytes=5 * 10**9), "box_disk", "5.0 GB were written"),
        (replace(WELL, free_bytes=DISK_FREE_BYTES_MIN - 1), "box_disk", "0.5 GB are free"),
    ],
)
def test_above_one_it_says_which(seen: Seen, code: str, words: str) -> None:
    error = overrun(seen, LIMITS)

    assert error is not None
    assert error.code == code
    assert words in error.message
