"""Starts of whole coding jobs on a repository behind HTTP, beside a fresh shallow clone of it.

Before each start the remote gains a commit, so no job is spared its look there. A job is ours from
its first line to its last: order, mirror, clone, sandbox, gateway, the built-in agent in its box;
only the model is scripted, and says at once that it is done.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from desktop.core.code.rules import CodeRules
from desktop.jobs.code import work
from shared.kinds.code import CodeInputs
from tests.benchmarks.coding.repositories import FILES, made
from tests.desktop.jobs.code.work_world import MODEL, PlayedPerson, World, world_of
from tests.git_servers.http_server import GitServer
from tests.git_servers.repositories import git
from tests.llm_servers.scripted import Request

KIND = "code.review"
"""Changes nothing, so what is measured ends with its start."""

NOTHING_FOUND = "I read it.\n\n```json\n[]\n```\n"


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds since a job's first line, and what came from the remote."""

    workspace: float
    """Until its clone is checked out."""
    prompted: float
    """Until the agent, prompted, asks its model the first time."""
    fetched_kb: float


@dataclass
class Yard:
    """A remote, and a machine that works on it."""

    folder: Path
    world: World
    source: Path
    server: GitServer
    asked: list[float] = field(default_factory=list)
    """When the model was, in this job."""
    commits: int = 0

    def __post_init__(self) -> None:
        model = self.world.model
        heard = model.heard

        def noted(request: Request) -> None:
            if request.spoken:
                self.asked.append(time.perf_counter())
            heard(request)

        model.heard = noted  # type: ignore[method-assign]

    @property
    def url(self) -> str:
        return f"{self.server.url}/{self.source.name}"

    async def start(self) -> Start:
        """Run one job."""
        number, sent = self._commit(), self.server.bytes_sent
        context = self.world.context(KIND, PlayedPerson(), number=number)
        ready: list[float] = []
        tell = context.progress

        def progress(
            stage: str, done: float, total: float, *, eta_seconds: float | None = None
        ) -> None:
            if stage == "repository" and done >= total:
                ready.append(time.perf_counter())
            tell(stage, done, total, eta_seconds=eta_seconds)

        context.progress = progress
        inputs = CodeInputs(repository=self.url, instructions="Say what is wrong with it.")
        self.asked.clear()
        begun = time.perf_counter()
        try:
            await work.run(context, inputs)
        finally:
            await context.aclose()
        return Start(
            ready[-1] - begun, self.asked[0] - begun, (self.server.bytes_sent - sent) / 1e3
        )

    def shallow(self) -> tuple[float, float]:
        """Clone afresh with git alone; seconds, and kB from the remote."""
        number, sent = self._commit(), self.server.bytes_sent
        target = self.folder / f"shallow-{number}"
        begun = time.perf_counter()
        subprocess.run(["git", "clone", "-q", "--depth", "1", self.url, str(target)], check=True)
        seconds = time.perf_counter() - begun
        shutil.rmtree(target)
        return seconds, (self.server.bytes_sent - sent) / 1e3

    def forget(self) -> None:
        """Have the machine never have seen the repository."""
        for folder in ("mirrors", "clones"):
            shutil.rmtree(self.world.folder / "data" / "code" / folder, ignore_errors=True)

    def _commit(self) -> int:
        """Let somebody else have worked on the remote."""
        self.commits += 1
        number, text = self.commits, b"line %d\n" % self.commits
        lines = (
            b"feature done\ncommit refs/heads/main\n",
            b"committer Anna <anna@example.org> %d +0000\n" % (1_800_000_000 + number),
            b"data 4\nwork\nfrom refs/heads/main^0\n",
            b"M 100644 inline news.txt\ndata %d\n%s\ndone\n" % (len(text), text),
        )
        git(self.source, "fast-import", "--quiet", stdin=b"".join(lines))
        return number


@contextmanager
def a_yard(folder: Path, commits: int, files: int = FILES) -> Iterator[Yard]:
    """Make a repository of as many commits, serve it, and have a worker that may fetch it."""
    (folder / "remote").mkdir()
    source = made(folder / "remote" / "big.git", commits, files)
    (folder / "machine").mkdir()
    with (
        GitServer(folder / "remote") as server,
        world_of(folder / "machine", [{"submit": NOTHING_FOUND}]) as world,
    ):
        world.rules = CodeRules(model=MODEL, repositories=(f"{server.url}/*",))
        yield Yard(folder, world, source, server)
