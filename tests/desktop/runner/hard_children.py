"""Starting one real child for a test, and looking at what became of it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import psutil

from desktop.core.outcome import Outcome
from desktop.runner.child import Child, ChildLimits
from desktop.runner.lines import FromChild, Logged, Order
from shared.environment import Environment
from shared.ids import JobId, TaskId
from shared.jobs import JobSpec
from tests.desktop.runner.hard_executors import EXECUTORS, KINDS_AT

BOUND_SECONDS = 20.0
LOOK_SECONDS = 0.02
ENVIRONMENT = Environment()


def spec(kind: str, **inputs: int | str) -> JobSpec:
    return JobSpec(
        job_id=JobId(ENVIRONMENT.new_id()),
        task_id=TaskId(ENVIRONMENT.new_id()),
        kind=f"hard.{kind}",
        title=kind,
        inputs=dict(inputs),
    )


class Trial:
    """A child of one test, and all it said."""

    def __init__(
        self,
        workdir: Path,
        job: JobSpec,
        *,
        memory_bytes_max: int = 2 * 1024**3,
        leaving_seconds_max: float = 10.0,
    ) -> None:
        self.said: list[FromChild] = []
        self.workdir = workdir
        self._news = asyncio.Event()
        order = Order(
            spec=job,
            executor=EXECUTORS[job.kind],
            kinds_at=KINDS_AT,
            workdir=str(workdir),
            workspace=str(workdir),
            models_folder=str(workdir),
            folders=(),
            memory_bytes_max=memory_bytes_max,
            threads_max=1,
        )
        limits = ChildLimits(
            memory_bytes_max=memory_bytes_max,
            running_seconds_max=120.0,
            leaving_seconds_max=leaving_seconds_max,
        )
        self.child = Child(order, limits, ENVIRONMENT, self._hear)

    async def run(self) -> Outcome:
        return await asyncio.wait_for(self.child.run(), BOUND_SECONDS)

    @property
    def logged(self) -> list[str]:
        return [line.line for line in self.said if isinstance(line, Logged)]

    async def heard(self) -> str:
        """Wait for the first line of the log."""
        async with asyncio.timeout(BOUND_SECONDS):
            while not self.logged:
                self._news.clear()
                await self._news.wait()
        return self.logged[0]

    def _hear(self, line: FromChild) -> None:
        self.said.append(line)
        self._news.set()


def is_alive(pid: int) -> bool:
    """Say whether a process runs; one that is dead and not collected yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def all_gone(*pids: int, seconds: float = 10.0) -> bool:
    """Wait until none of the processes runs; other programs tell us nothing, so it looks."""
    end = time.monotonic() + seconds
    while any(is_alive(pid) for pid in pids):
        if time.monotonic() > end:
            return False
        time.sleep(LOOK_SECONDS)
    return True


def with_words(words: str) -> list[int]:
    """Find the processes whose command line holds these words."""
    found = []
    for process in psutil.process_iter():
        try:
            if words in " ".join(process.cmdline()) and is_alive(process.pid):
                found.append(process.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found
