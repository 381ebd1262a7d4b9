"""A start that is measured is a whole one: the remote's newest commit, the agent's first words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.benchmarks.coding import bench, sandbox
from tests.benchmarks.coding.starts import a_yard
from tests.benchmarks.report import OURS, Part

needs_box = pytest.mark.skipif(shutil.which("bwrap") is None, reason="no sandbox here")


@needs_box
async def test_a_kept_mirror_fetches_what_is_new_alone(tmp_path: Path) -> None:
    with a_yard(tmp_path, commits=3, files=60) as yard:
        first, again = await yard.start(), await yard.start()
        _, whole_kb = yard.shallow()
    assert again.fetched_kb < whole_kb / 10
    assert first.fetched_kb > again.fetched_kb * 10
    assert 0 < again.workspace < again.prompted


def test_the_box_of_a_job_is_beside_the_bare_start_before_it() -> None:
    part = Part("coding", "Coding")
    taken = {sandbox.PLAIN: [1.0, 2.0], "bubblewrap": [9.0, 9.0], "bubblewrap + relay": [31.0, 52]}
    bench.add_boxes(part, "true", taken)
    start, more = part.figures
    assert (start.median(OURS), start.median(bench.BARE)) == (41.5, 1.5)
    assert more.samples[OURS].values == [30.0, 50.0]
    assert more.is_met


def test_without_a_sandbox_it_is_said_so() -> None:
    part = Part("coding", "Coding")
    bench.add_boxes(part, "true", {sandbox.PLAIN: [1.0]})
    assert part.figures == []
    assert "No sandbox works" in part.notes[0]
