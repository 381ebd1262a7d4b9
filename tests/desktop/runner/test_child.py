"""Real children: what they do wrong becomes a sentence, and none of them is left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from desktop.core.outcome import Ending, Outcome
from desktop.runner.child import Child, ChildLimits
from desktop.runner.lines import Asked, FromChild, Logged, Order, Progressed
from shared.environment import Environment
from shared.ids import JobId, TaskId
from shared.jobs import JobSpec

MEMORY = 400 * 1024**2


def order(kind: str, workdir: Path, **inputs: int | str) -> Order:
    return Order(
        spec=JobSpec(
            job_id=JobId("job"),
            task_id=TaskId("task"),
            kind=f"play.{kind}",
            title=kind,
            inputs=inputs,
        ),
        executor=f"tests.flows.play:{kind}",
        kinds_at="tests.flows.play:KINDS",
        workdir=str(workdir),
        workspace=str(workdir),
        models_folder=str(workdir),
        folders=(str(workdir),),
        memory_bytes_max=MEMORY,
        threads_max=1,
    )


class Run:
    """One child and what it said."""

    def __init__(self, ordered: Order, seconds: float = 30.0, *, cores: int | None = None) -> None:
        self.lines: list[FromChild] = []
        self.spoke = asyncio.Event()
        limits = ChildLimits(memory_bytes_max=MEMORY, running_seconds_max=seconds, cores_max=cores)
        self.child = Child(ordered, limits, Environment(), self._note)

    def _note(self, line: FromChild) -> None:
        self.lines.append(line)
        self.spoke.set()

    async def until_it_speaks(self) -> None:
        await asyncio.wait_for(self.spoke.wait(), 30)


async def run(kind: str, workdir: Path, **inputs: int | str) -> tuple[Outcome, list[FromChild]]:
    one = Run(order(kind, workdir, **inputs))
    return await one.child.run(), one.lines


async def test_a_result_comes_back_with_progress_and_log(tmp_path: Path) -> None:
    outcome, lines = await run("count", tmp_path, number=3)
    assert outcome.ending is Ending.RESULT
    assert outcome.output is not None
    assert outcome.output["number"] == 3
    assert [line.done for line in lines if isinstance(line, Progressed)] == [1, 2, 3]
    assert [line.line for line in lines if isinstance(line, Logged)] == ["counted to 3"]


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        ("refuse", "file_empty", "sales.csv is empty."),
        ("crash", "job_crashed", "ValueError: cannot make sense of this"),
        ("exit", "job_crashed", "exit code 9). Its last words: the last words"),
        ("kill_self", "job_killed", "SIGSEGV"),
        ("wrong_output", "job_crashed", "AssertionError"),
        ("garbage", "child_unreadable", "could not read"),
    ],
)
async def test_each_bad_end_phrases_itself(
    tmp_path: Path, kind: str, code: str, words: str
) -> None:
    outcome, _ = await run(kind, tmp_path)
    failure = outcome.failure()
    assert failure.code == code
    assert words in failure.message
    assert failure.hint


async def test_a_child_that_needs_too_much_memory_is_stopped_and_says_so(tmp_path: Path) -> None:
    outcome, _ = await run("eat", tmp_path)
    assert outcome.ending is Ending.OUT_OF_MEMORY
    assert outcome.failure().message == "It was stopped because it needed more than 400 MB."


async def test_a_child_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    one = Run(order("hang", tmp_path), seconds=0.5)
    outcome = await one.child.run()
    assert outcome.failure().code == "timed_out"


async def test_time_spent_asking_does_not_count(tmp_path: Path) -> None:
    one = Run(order("ask", tmp_path), seconds=5.0)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(one.child.run())
        await one.until_it_speaks()
        assert isinstance(one.lines[0], Asked)
        stood = one.child._seconds()
        await asyncio.to_thread(psutil.cpu_percent, 0.2)
        assert one.child._seconds() == stood
        one.child.answer("colour", "blue")
    outcome = running.result()
    assert outcome.output is not None
    assert outcome.output["text"] == "blue"


async def test_a_cancelled_job_takes_its_whole_tree_with_it(tmp_path: Path) -> None:
    one = Run(order("tree", tmp_path, text=str(tmp_path / "pid")))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(one.child.run())
        await one.until_it_speaks()
        pids = [await read_pid(tmp_path / f"pid{n}") for n in (3, 4)]
        one.child.end(Ending.CANCELLED)
    assert running.result().ending is Ending.CANCELLED
    assert [pid for pid in pids if is_alive(pid)] == []


async def test_a_job_cancelled_before_it_was_up_never_gets_far(tmp_path: Path) -> None:
    one = Run(order("effect", tmp_path, text=str(tmp_path / "marks"), number=5000))
    one.child.end(Ending.CANCELLED)
    outcome = await asyncio.wait_for(one.child.run(), 10)
    assert outcome.ending is Ending.CANCELLED
    assert not (tmp_path / "marks").exists()


async def test_prints_of_libraries_do_not_disturb_the_protocol(tmp_path: Path) -> None:
    outcome, lines = await run("print_much", tmp_path)
    assert outcome.ending is Ending.RESULT
    assert lines == []
    assert outcome.tail[-1] == "and warns 19999"


async def test_a_flood_of_lines_arrives_whole(tmp_path: Path) -> None:
    outcome, lines = await run("flood", tmp_path)
    assert outcome.ending is Ending.RESULT
    assert len(lines) == 40_000


async def test_a_job_sees_nothing_of_the_workers_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789abcdef")
    outcome, _ = await run("secrets", tmp_path)
    assert outcome.output is not None
    names = str(outcome.output["text"]).split()
    assert "OPENAI_API_KEY" not in names
    assert "OMP_NUM_THREADS" in names


@pytest.mark.skipif(psutil.cpu_count() == 1, reason="one core cannot be shared out")
async def test_a_child_keeps_to_the_cores_it_may_use(tmp_path: Path) -> None:
    one = Run(order("hang", tmp_path), cores=1)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(one.child.run())
        await one.until_it_speaks()
        process = one.child._process
        assert process is not None
        cores = psutil.Process(process.pid).cpu_affinity()
        one.child.end(Ending.CANCELLED)
        await asyncio.wait_for(running, 10)
    mine = psutil.Process().cpu_affinity()
    assert mine is not None
    assert cores == mine[-1:]


async def test_a_child_whose_worker_vanishes_ends_itself(tmp_path: Path) -> None:
    one = Run(order("hang", tmp_path))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(one.child.run())
        await one.until_it_speaks()
        process = one.child._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()  # what the system does when the worker dies
        outcome = await asyncio.wait_for(running, 10)
    assert outcome.ending is Ending.GONE


async def read_pid(path: Path) -> int:
    """Wait until a process has written its id."""

    def text() -> str:
        return path.read_text() if path.exists() else ""

    for _ in range(500):
        if text():
            return int(text())
        await asyncio.sleep(0.02)
    raise AssertionError(f"{path.name} was not written")


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
