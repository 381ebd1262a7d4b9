"""Children at their worst: nothing is left behind, nothing breaks the worker's own reading."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.core.outcome import Ending
from desktop.runner.lines import Progressed
from desktop.runner.processes import child_environment
from tests.desktop.runner.hard_children import Trial, all_gone, is_alive, spec, with_words

MIB = 1024**2
ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let children import the executors of these tests."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


async def test_what_a_finished_job_left_behind_is_ended(tmp_path: Path) -> None:
    outcome = await Trial(tmp_path, spec("litter")).run()
    assert outcome.ending is Ending.RESULT
    assert outcome.output is not None
    assert all_gone(int(str(outcome.output["value"])))


def test_the_import_path_of_a_job_never_names_its_own_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", ".", "below", str(ROOT)]))
    assert child_environment(1)["PYTHONPATH"] == str(ROOT)


async def test_a_job_that_stays_after_its_last_word_gives_its_slot_back(tmp_path: Path) -> None:
    outcome = await Trial(tmp_path, spec("lingers"), leaving_seconds_max=0.2).run()
    assert outcome.ending is Ending.RESULT
    assert outcome.output == {"headline": "Done."}


async def test_a_failure_is_no_longer_than_people_read(tmp_path: Path) -> None:
    outcome = await Trial(tmp_path, spec("long_failure")).run()
    failure = outcome.failure()
    assert len(failure.model_dump_json()) < 10_000


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing tells whose it was")
async def test_what_a_crashed_job_left_outside_its_group_is_ended(tmp_path: Path) -> None:
    trial = Trial(tmp_path, spec("litter_apart"))
    await trial.run()
    left = int(trial.logged[0].removeprefix("left "))
    try:
        assert all_gone(left, seconds=3)
    finally:
        if is_alive(left):
            os.kill(left, signal.SIGKILL)


async def test_a_crowd_that_grows_while_it_is_cancelled_is_ended(tmp_path: Path) -> None:
    trial = Trial(tmp_path, spec("crowd"))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(trial.run())
        await trial.heard()
        trial.child.end(Ending.CANCELLED)
    assert running.result().ending is Ending.CANCELLED
    assert all_gone(*with_words(f"crowd of {tmp_path}"))
    assert with_words(f"crowd of {tmp_path}") == []


async def test_memory_of_processes_below_counts(tmp_path: Path) -> None:
    outcome = await Trial(tmp_path, spec("eat_below"), memory_bytes_max=200 * MIB).run()
    assert outcome.ending is Ending.OUT_OF_MEMORY
    assert "was stopped because it needed more than 200 MB" in outcome.failure().message


async def test_a_line_without_an_end_ends_the_child(tmp_path: Path) -> None:
    outcome = await Trial(tmp_path, spec("huge_line")).run()
    assert outcome.failure().code == "child_unreadable"


async def test_text_that_no_encoding_can_say_does_not_break_a_job(tmp_path: Path) -> None:
    trial = Trial(tmp_path, spec("odd_text"))
    outcome = await trial.run()
    assert outcome.ending is Ending.RESULT, outcome
    assert outcome.output is not None
    for said in (str(outcome.output["value"]), trial.logged[0]):
        said.encode()


async def test_progress_that_is_no_number_does_not_break_a_job(tmp_path: Path) -> None:
    trial = Trial(tmp_path, spec("not_a_number"))
    outcome = await trial.run()
    assert outcome.ending is Ending.RESULT, outcome
    for said in trial.said:
        assert isinstance(said, Progressed)
        assert 0 <= said.done < float("inf")
        assert 0 <= said.total < float("inf")


async def test_an_exit_that_is_an_exception_is_a_failure_with_words(tmp_path: Path) -> None:
    outcome = await Trial(tmp_path, spec("noisy_exit")).run()
    failure = outcome.failure()
    assert failure.code == "job_crashed"
    assert "a library that calls exit" in failure.message


async def test_an_executor_that_is_not_there_is_a_failure_with_a_code(tmp_path: Path) -> None:
    failure = (await Trial(tmp_path, spec("missing")).run()).failure()
    assert failure.code == "job_crashed"
    assert "AttributeError" in failure.message


async def test_a_child_is_nice_quiet_and_in_its_own_folder(tmp_path: Path) -> None:
    outcome = await Trial(tmp_path, spec("surroundings")).run()
    assert outcome.output is not None
    folder, niceness, wait_policy = str(outcome.output["value"]).split("|")
    assert folder == str(tmp_path)
    assert int(niceness) > os.nice(0)
    assert wait_policy == "PASSIVE"


async def test_a_file_in_the_working_folder_is_never_imported(tmp_path: Path) -> None:
    for name in ("json.py", "desktop.py", "signal.py"):
        (tmp_path / name).write_text("raise SystemExit('imported from the working folder')")
    outcome = await Trial(tmp_path, spec("surroundings")).run()
    assert outcome.ending is Ending.RESULT, outcome
    assert outcome.output is not None
    paths = outcome.output["notes"]
    assert isinstance(paths, list)
    assert "" not in paths
    assert str(tmp_path) not in paths


@pytest.mark.parametrize("kind", ["hang", "busy", "grandchildren"])
def test_nothing_survives_a_worker_that_is_killed(tmp_path: Path, kind: str) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.desktop.runner.doomed_worker", kind, str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with worker:
        assert worker.stdout is not None
        told = worker.stdout.readline()
        pids = [int(word) for word in told.split() if word.isdecimal()]
        assert pids
        assert all(is_alive(pid) for pid in pids)
        worker.kill()
    try:
        assert all_gone(*pids)
    finally:
        for pid in filter(is_alive, pids):
            os.kill(pid, signal.SIGKILL)
