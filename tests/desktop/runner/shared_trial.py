"""A real shared child for a test, and all that its jobs said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from desktop.core.outcome import Outcome
from desktop.runner.apart_child import ApartChild
from desktop.runner.child import ChildLimits
from desktop.runner.lines import FromChild, Logged, Order, Supplied
from desktop.runner.shared_child import SharedChild
from desktop.runner.shared_job import SharedJob
from desktop.runner.shared_life import Patience
from shared.environment import Environment
from shared.ids import JobId, TaskId
from shared.jobs import JobSpec, Origin
from tests.desktop.runner.shared_play import EXECUTORS, KINDS, KINDS_AT

BOUND_SECONDS = 30.0
ENVIRONMENT = Environment()


@dataclass
class Job:
    """A job of the test, running."""

    job: SharedJob | ApartChild
    outcome: asyncio.Task[Outcome]
    said: list[FromChild]
    news: asyncio.Event

    @property
    def logged(self) -> list[str]:
        return [line.line for line in self.said if isinstance(line, Logged)]

    async def until(self, kind: type[FromChild] = Logged) -> None:
        """Wait until it has said such a line."""
        async with asyncio.timeout(BOUND_SECONDS):
            while not any(isinstance(line, kind) for line in self.said):
                self.news.clear()
                await self.news.wait()

    async def ended(self) -> Outcome:
        async with asyncio.timeout(BOUND_SECONDS):
            return await self.outcome


@dataclass
class Trial:
    """One shared child, started by its first job."""

    folder: Path
    tasks: asyncio.TaskGroup
    memory_bytes_max: int
    supplied: Supplied
    patience: Patience
    child: SharedChild = field(init=False)

    def __post_init__(self) -> None:
        self.child = SharedChild(ENVIRONMENT, self.tasks, self._supply, patience=self.patience)

    async def _supply(self) -> Supplied:
        return self.supplied

    def start(
        self,
        name: str,
        *,
        job_id: JobId | None = None,
        tries: int = 0,
        number: int = 0,
        text: str = "",
        origin: Origin = Origin.LOCAL,
        is_apart: bool = False,
    ) -> Job:
        """Begin a job, or one anew."""
        job_id = job_id or JobId(ENVIRONMENT.new_id())
        workdir = self.folder / "jobs" / job_id
        workdir.mkdir(parents=True, exist_ok=True)
        kind = f"shared.{name}"
        order = Order(
            spec=JobSpec(
                job_id=job_id,
                task_id=TaskId(ENVIRONMENT.new_id()),
                kind=kind,
                title=name,
                origin=origin,
                inputs={"number": number, "text": text},
            ),
            executor=EXECUTORS[kind],
            kinds_at=KINDS_AT,
            workdir=str(workdir),
            workspace=str(workdir),
            models_folder=str(self.folder),
            data_folder=str(self.folder),
            folders=(),
            memory_bytes_max=self.memory_bytes_max,
            threads_max=1,
            tries=tries,
        )
        limits = ChildLimits(
            memory_bytes_max=self.memory_bytes_max,
            running_seconds_max=KINDS[kind].timeout_seconds,
        )
        said: list[FromChild] = []
        news = asyncio.Event()

        def hear(line: FromChild) -> None:
            said.append(line)
            news.set()

        make = self.child.apart if is_apart else self.child.job
        job = make(order, limits, hear)
        return Job(job, self.tasks.create_task(job.run()), said, news)

    async def outcome(
        self,
        name: str,
        *,
        tries: int = 0,
        number: int = 0,
        text: str = "",
        is_apart: bool = False,
    ) -> Outcome:
        """Run a job to its end."""
        job = self.start(name, tries=tries, number=number, text=text, is_apart=is_apart)
        return await job.ended()

    async def process(self) -> int:
        """The id of the child's process, once a job has run in it."""
        output = (await self.outcome("add")).output
        assert output is not None
        return int(str(output["value"]))


@asynccontextmanager
async def trial(
    folder: Path,
    *,
    memory_bytes_max: int = 2 * 1024**3,
    supplied: Supplied | None = None,
    patience: Patience | None = None,
) -> AsyncIterator[Trial]:
    """Open a child, and end it whatever became of the test."""
    async with asyncio.TaskGroup() as tasks:
        opened = Trial(
            folder, tasks, memory_bytes_max, supplied or Supplied(), patience or Patience()
        )
        try:
            yield opened
        finally:
            opened.child.end()


def environment_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()
