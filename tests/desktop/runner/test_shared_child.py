"""The real child that many jobs share: each looks like any other, and none harms another."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from desktop.core.network_rules import NetworkRules
from desktop.core.outcome import Ending
from desktop.runner.lines import Asked, Follow, Logged, Parts, PartsOver, Progressed, Supplied
from desktop.runner.shared_life import Patience
from desktop.runner.suspects import LOSSES_MAX
from shared.jobs import Origin
from tests.desktop.runner.hard_children import all_gone, is_alive
from tests.desktop.runner.shared_trial import BOUND_SECONDS, trial


async def test_many_jobs_are_done_in_one_process(tmp_path: Path) -> None:
    async with trial(tmp_path) as child:
        jobs = [child.start("add", number=number) for number in range(500)]
        outcomes = [await job.ended() for job in jobs]

    assert [o.output["number"] for o in outcomes if o.output] == list(range(1, 501))
    assert len({o.output["value"] for o in outcomes if o.output}) == 1


async def test_a_job_that_fails_harms_no_other(tmp_path: Path) -> None:
    async with trial(tmp_path) as child:
        hanging = child.start("hang")
        await hanging.until()
        process = await child.process()

        crashed = await child.outcome("crash")
        refused = await child.outcome("refuse")
        left = await child.outcome("leave")
        huge = await child.outcome("huge")
        printed = await child.outcome("print_much")

        assert not hanging.outcome.done()
        assert await child.process() == process
    assert crashed.error is not None
    assert "ValueError: the reason" in crashed.error.message
    assert any("the reason" in line for line in crashed.tail), "its last words are its own"
    assert refused.error is not None
    assert refused.error.code == "odd"
    assert left.error is not None
    assert left.error.code == "job_crashed"
    assert huge.error is not None
    assert huge.error.code == "line_too_large"
    assert printed.ending is Ending.RESULT


async def test_jobs_ask_at_the_same_time(tmp_path: Path) -> None:
    async with trial(tmp_path) as child:
        asking = [child.start("ask") for _ in range(20)]
        for job in asking:
            await job.until(Asked)
        await asyncio.sleep(0)
        for number, job in enumerate(asking):
            job.job.answer("colour", "red" if number % 2 else "blue")
        outcomes = [await job.ended() for job in asking]

    assert [o.output["value"] for o in outcomes if o.output] == ["blue", "red"] * 10


async def test_a_cancelled_job_ends_alone(tmp_path: Path) -> None:
    async with trial(tmp_path) as child:
        process = await child.process()
        hanging, other = child.start("hang"), child.start("hang")
        await hanging.until()
        await other.until()

        hanging.job.end(Ending.CANCELLED)

        assert (await hanging.ended()).ending is Ending.CANCELLED
        assert not other.outcome.done()
        assert await child.process() == process


async def test_a_job_cancelled_at_once_never_begins(tmp_path: Path) -> None:
    async with trial(tmp_path) as child:
        process = await child.process()
        job = child.start("hang")
        await asyncio.sleep(0)
        job.job.end(Ending.CANCELLED)

        assert (await job.ended()).ending is Ending.CANCELLED
        assert await child.process() == process, "it said so, and nobody had to be ended"


async def test_a_killed_child_postpones_its_jobs_and_the_next_begins(tmp_path: Path) -> None:
    async with trial(tmp_path) as child:
        process = await child.process()
        hanging = [child.start("hang") for _ in range(3)]
        for job in hanging:
            await job.until()

        os.kill(process, signal.SIGKILL)
        outcomes = [await job.ended() for job in hanging]

        assert await child.process() != process
    for outcome in outcomes:
        assert outcome.ending is Ending.POSTPONED
        assert outcome.error is not None
        assert outcome.error.retryable
        assert "SIGKILL" in outcome.error.message
        assert 0 < outcome.seconds < 10


def test_a_worker_that_dies_takes_the_child_along(tmp_path: Path) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.desktop.runner.doomed_sharer", str(tmp_path), "shared"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None
    process = next(int(line.split()[-1]) for line in worker.stdout if line.startswith("hanging"))
    assert is_alive(process)

    worker.kill()
    worker.wait()

    assert all_gone(process)
    worker.stdout.close()


async def test_a_job_over_its_time_is_stopped_and_waiting_is_no_time(tmp_path: Path) -> None:
    async with trial(tmp_path) as child:
        await child.process()
        asking = child.start("ask_soon")  # of 1 s
        await asking.until(Asked)
        slow = await child.outcome("slow")  # of 1 s, too
        asking.job.answer("colour", "red")
        asked = await asking.ended()

    assert slow.ending is Ending.TIMED_OUT
    assert asked.ending is Ending.RESULT


async def test_a_child_that_eats_its_memory_is_ended(tmp_path: Path) -> None:
    async with trial(tmp_path, memory_bytes_max=300 * 1024**2) as child:
        hanging = child.start("hang")
        await hanging.until()
        eating = child.start("eat")

        eaten, hung = await eating.ended(), await hanging.ended()
        alone = await child.outcome("eat")

    assert eaten.ending is Ending.POSTPONED, "nobody knows which of two it was"
    assert hung.ending is Ending.POSTPONED
    assert alone.ending is Ending.OUT_OF_MEMORY
    assert alone.limit == 300 * 1024**2


async def test_progress_is_the_newest_and_lines_are_all_there(tmp_path: Path) -> None:
    async with trial(tmp_path) as child:
        job = child.start("flood", number=2000)
        await job.ended()

    progress = [line for line in job.said if isinstance(line, Progressed)]
    assert progress[-1].done == 2000
    assert sum(isinstance(line, Logged) for line in job.said) == 2000


async def test_parts_are_waited_for_and_what_follows_is_told(tmp_path: Path) -> None:
    async with trial(tmp_path) as child:
        job = child.start("parts", number=3)
        await job.until(Parts)
        job.job.parts_ended(PartsOver(succeeded=3, failed=0, cancelled=0))
        outcome = await job.ended()

    assert Parts(kind="shared.add", inputs={"text": "part"}, indexes=(0, 1, 2)) in job.said
    assert Follow(kind="shared.add", inputs={"number": 7}) in job.said
    assert outcome.output is not None
    assert outcome.output["number"] == 3


async def test_a_postponed_job_says_when(tmp_path: Path) -> None:
    async with trial(tmp_path) as child:
        first = await child.outcome("postpone", number=1, text="12.5")
        second = await child.outcome("postpone", number=1, tries=1)

    assert first.ending is Ending.POSTPONED
    assert first.seconds == 12.5
    assert first.error is not None
    assert first.error.code == "busy"
    assert second.ending is Ending.RESULT


async def test_a_key_that_is_added_reaches_jobs_that_run(tmp_path: Path) -> None:
    canary = "sk-canary-5d1c"
    async with trial(tmp_path) as child:
        waiting = child.start("key", text="OPENAI_API_KEY")
        process = await child.process()
        child.supplied = Supplied(keys={"OPENAI_API_KEY": canary})
        await child.process()
        outcome = await waiting.ended()
        assert canary not in " ".join(psutil.Process(process).cmdline())
        assert canary not in str(psutil.Process(process).environ())

    assert outcome.output is not None
    assert outcome.output["number"] == len(canary)
    assert canary not in repr(child.supplied)


@pytest.mark.parametrize("origin", [Origin.LOCAL, Origin.CHAT])
async def test_a_job_goes_by_the_owner_s_word_for_whoever_asked(
    tmp_path: Path, origin: Origin
) -> None:
    network = NetworkRules(proxy="http://proxy.example.org:3128")
    supplied = Supplied(send_text=(Origin.LOCAL,), network=network)
    async with trial(tmp_path, supplied=supplied) as child:
        outcome = await child.start("rules", origin=origin).ended()

    assert outcome.output is not None
    assert outcome.output["number"] == (origin is Origin.LOCAL)
    assert outcome.output["value"] == network.proxy


async def test_an_idle_child_ends_and_closes_what_its_jobs_shared(tmp_path: Path) -> None:
    async with trial(tmp_path, patience=Patience(idle_seconds=0.2)) as child:
        await child.outcome("visit")
        visited = await child.outcome("visit")
        process = child.child.pid
        assert process is not None
        await asyncio.to_thread(all_gone, process)

        assert await child.process() != process
    assert visited.output is not None
    assert visited.output["number"] == 2
    assert (tmp_path / "closed").exists()


async def test_a_job_that_does_not_stop_takes_the_child_along(tmp_path: Path) -> None:
    async with trial(tmp_path) as child:
        hanging, deaf = child.start("hang"), child.start("deaf")
        await hanging.until()
        await deaf.until()
        since = time.monotonic()
        deaf.job.end(Ending.CANCELLED)

        assert (await deaf.ended()).ending is Ending.CANCELLED
        assert (await hanging.ended()).ending is Ending.POSTPONED
    assert time.monotonic() - since < BOUND_SECONDS


async def test_a_job_that_kills_each_child_is_found_and_harms_no_other(tmp_path: Path) -> None:
    async with trial(tmp_path) as child:
        cursed = child.start("curse")
        job_id = cursed.job.job_id
        hanging, losses = child.start("hang"), 0
        while (outcome := await cursed.ended()).ending is Ending.POSTPONED:
            losses += 1
            cursed = child.start("curse", job_id=job_id, tries=losses)
            if losses == LOSSES_MAX + 1:  # it is apart from now on
                await hanging.ended()
                hanging = child.start("hang")
                await hanging.until()
        assert losses == LOSSES_MAX + 2, "with all, with a few, alone"
        assert not hanging.outcome.done()
    assert outcome.ending is Ending.GONE
    assert "SIGSEGV" in outcome.failure().message


async def test_a_suspect_that_is_innocent_ends_well(tmp_path: Path) -> None:
    async with trial(tmp_path) as child:
        hanging = child.start("hang")
        for number in range(LOSSES_MAX + 1):
            await hanging.until()
            assert child.child.pid is not None
            os.kill(child.child.pid, signal.SIGKILL)
            await hanging.ended()
            hanging = child.start("hang", job_id=hanging.job.job_id, tries=number + 1)
        await hanging.until()
        process = await child.process()
        assert f"hanging in {process}" not in hanging.logged, "it has a child to itself"
        hanging.job.end(Ending.CANCELLED)
        assert (await hanging.ended()).ending is Ending.CANCELLED


async def test_a_child_whose_loop_stands_still_is_ended(tmp_path: Path) -> None:
    patience = Patience(ping_every=1, unheard_looks_max=4)
    async with trial(tmp_path, patience=patience) as child:
        await child.process()
        stuck, hanging = child.start("stuck"), child.start("hang")
        assert (await stuck.ended()).ending is Ending.POSTPONED
        assert (await hanging.ended()).ending is Ending.POSTPONED


async def test_of_many_suspects_only_a_few_are_tried_one_by_one(tmp_path: Path) -> None:
    async with trial(tmp_path) as child:
        jobs = [child.start("kill", number=3) for _ in range(40)]
        outcomes = [await job.ended() for job in jobs]
        for tries in range(1, LOSSES_MAX + 1):
            assert all(outcome.ending is Ending.POSTPONED for outcome in outcomes)
            ids = [job.job.job_id for job in jobs]
            jobs = [child.start("kill", job_id=one, number=3, tries=tries) for one in ids]
            outcomes = [await job.ended() for job in jobs]
        ids = [job.job.job_id for job in jobs]
        jobs = [child.start("kill", job_id=one, number=3, tries=LOSSES_MAX + 1) for one in ids]
        outcomes = [await job.ended() for job in jobs]

    assert all(outcome.ending is Ending.RESULT for outcome in outcomes)
    processes = {str(outcome.output["value"]) for outcome in outcomes if outcome.output}
    assert len(processes) == 1, "innocent ones share a child even then"
