"""A job with a child of its own: it is a coroutine like those that share one, and harms nobody."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from desktop.core.code.rules import CodeRules
from desktop.core.outcome import Ending
from desktop.runner.apart_child import LOSSES_MAX
from desktop.runner.lines import Asked, Supplied
from tests.desktop.runner.hard_children import all_gone, is_alive
from tests.desktop.runner.shared_trial import Job, Trial, trial

MEMORY_BYTES_MAX = 300 * 1024**2


async def scattered(child: Trial, text: str = "") -> tuple[Job, list[int]]:
    """Start a job whose programs stand in groups of their own; return all processes."""
    job = child.start("scatter", text=text, is_apart=True)
    await job.until()
    processes = [int(word) for word in job.logged[0].split()[1:]]
    return job, processes


async def test_each_has_a_process_and_nothing_of_it_stays(tmp_path: Path) -> None:
    async with trial(tmp_path) as child:
        outcomes = [await child.outcome("add", number=1, is_apart=True) for _ in range(2)]
        processes = {int(str(o.output["value"])) for o in outcomes if o.output}

        assert len(processes) == 2
        assert all(all_gone(process) for process in processes)


async def test_it_asks_and_gets_its_keys_and_rules(tmp_path: Path) -> None:
    supplied = Supplied(keys={"GITHUB_TOKEN": "abc"}, code=CodeRules(agent="mine"))
    async with trial(tmp_path, supplied=supplied) as child:
        asking = child.start("ask", is_apart=True)
        await asking.until(Asked)
        asking.job.answer("colour", "blue")
        asked = await asking.ended()
        key = await child.outcome("key", text="GITHUB_TOKEN", is_apart=True)
        agent = await child.outcome("agent", is_apart=True)

    assert asked.output is not None
    assert asked.output["value"] == "blue"
    assert key.output is not None
    assert key.output["number"] == 3
    assert agent.output is not None
    assert agent.output["value"] == "mine"


async def test_what_it_started_ends_with_it(tmp_path: Path) -> None:
    async with trial(tmp_path) as child:
        job, processes = await scattered(child, "done")
        outcome = await job.ended()

        assert outcome.ending is Ending.RESULT
        assert all_gone(*processes)


@pytest.mark.parametrize("text", ["", "deaf"])
async def test_cancelling_ends_the_whole_tree_in_time(tmp_path: Path, text: str) -> None:
    async with trial(tmp_path) as child:
        job, processes = await scattered(child, text)

        began = time.monotonic()
        job.job.end(Ending.CANCELLED)
        outcome = await job.ended()

        assert outcome.ending is Ending.CANCELLED
        assert time.monotonic() - began < 10, "the limit that is promised, not a speed"
        assert all_gone(*processes)


async def test_one_that_is_killed_begins_again_and_harms_no_other(tmp_path: Path) -> None:
    async with trial(tmp_path) as child:
        other = child.start("hang", is_apart=True)
        await other.until()
        job, processes = await scattered(child)

        os.kill(processes[0], signal.SIGKILL)
        outcome = await job.ended()
        at_last = await child.outcome("kill", tries=LOSSES_MAX, number=99, is_apart=True)

        assert outcome.ending is Ending.POSTPONED
        assert outcome.error is not None
        assert outcome.error.code == "job_killed"
        assert all_gone(*processes)
        assert at_last.ending is Ending.GONE, "not for ever"
        assert at_last.failure().code == "job_killed"
        assert not other.outcome.done()


async def test_the_memory_of_its_whole_tree_is_watched(tmp_path: Path) -> None:
    async with trial(tmp_path, memory_bytes_max=MEMORY_BYTES_MAX) as child:
        job = child.start("eat_below", is_apart=True)
        await job.until()
        outcome = await job.ended()

        assert outcome.ending is Ending.OUT_OF_MEMORY
        assert outcome.limit == MEMORY_BYTES_MAX
        assert all_gone(int(job.logged[0].split()[1]))


async def test_one_over_its_time_is_stopped(tmp_path: Path) -> None:
    async with trial(tmp_path) as child:
        outcome = await child.outcome("slow", is_apart=True)  # of 1 s

    assert outcome.ending is Ending.TIMED_OUT


async def test_rubbish_is_told_as_what_it_is(tmp_path: Path) -> None:
    async with trial(tmp_path) as child:
        outcome = await child.outcome("talk_rubbish", is_apart=True)

    assert outcome.ending is Ending.BROKE_PROTOCOL


async def test_one_that_is_stopped_before_it_began_starts_nothing(tmp_path: Path) -> None:
    async with trial(tmp_path) as child:
        job = child.start("hang", is_apart=True)
        job.job.end(Ending.CANCELLED)
        outcome = await job.ended()

        assert outcome.ending is Ending.CANCELLED
        assert job.said == []


async def test_ending_the_worker_leaves_nothing(tmp_path: Path) -> None:
    async with trial(tmp_path) as child:
        _, processes = await scattered(child)
        child.child.end()
        await asyncio.sleep(0)

    assert all_gone(*processes)


@pytest.mark.skipif(sys.platform != "linux", reason="the guard is Linux's")
def test_a_worker_that_is_killed_takes_all_of_it_along(tmp_path: Path) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.desktop.runner.doomed_sharer", str(tmp_path), "apart"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None
    told = next(line for line in worker.stdout if line.startswith("scattered"))
    processes = [int(word) for word in told.split()[1:]]
    assert all(is_alive(process) for process in processes)

    worker.kill()
    worker.wait()

    assert all(all_gone(process) for process in processes)
    worker.stdout.close()
