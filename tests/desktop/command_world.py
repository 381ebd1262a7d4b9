"""A profile for commands: a store that has heard from a hub, and a program that may run."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from desktop.__main__ import main
from desktop.core.link import LinkState, LinkStatus
from desktop.desk.control_desk import ControlDesk
from desktop.desk.desk import Desk
from desktop.store import copies, facts, saying
from desktop.store.copy_tables import note_name
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from desktop.system.control_line import ControlLine
from desktop.system.paths import Paths, find_paths
from shared.database import Database
from shared.environment import Environment
from shared.errors import ErrorBody
from shared.events import (
    EventBody,
    JobFailed,
    JobLogged,
    JobQueued,
    JobStarted,
    JobSucceeded,
    QuestionAsked,
    RequestEventBody,
    TaskCreated,
    write_event,
)
from shared.ids import JobId, PersonId, QuestionId, TaskId, WorkerId
from shared.messages import Numbered
from shared.questions import Asking, Choice, QuestionKind
from tests.fresh_stores import lay_worker_store

HERE = WorkerId("01900000-0000-7000-8000-00000000aaaa")
STUDIO = WorkerId("01900000-0000-7000-8000-00000000bbbb")
NOW = Environment().now().replace(microsecond=0)
PAIRING = Pairing(
    hub_url="http://127.0.0.1:8765",
    worker_id=HERE,
    worker_name="anna-pc",
    hub_name="Anna's hub",
    person_name="Anna",
)
ASKING = Asking(
    key="target",
    kind=QuestionKind.CHOICE,
    text="What should be predicted?",
    choices=(Choice(value="Churn", label="Churn"), Choice(value="Tenure", label="Tenure")),
)
QUESTION = QuestionId("01900000-0000-7000-8000-00000000cccc")


def job_id(number: int) -> JobId:
    return JobId(f"01900000-0000-7000-8000-{number:012d}")


@dataclass
class Profile:
    """The folder of a worker; commands run in it."""

    paths: Paths
    capture: pytest.CaptureFixture[str]

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run a command; return its exit code, its answer and its complaint."""
        assert self.paths.home is not None
        code = main(["--home", str(self.paths.home), *words])
        said = self.capture.readouterr()
        return code, said.out, said.err

    def answer(self, *words: str) -> str:
        """Run a command that goes well; return what it says."""
        code, said, complaint = self.run(*words)
        assert code == 0, complaint
        return said

    def happens(self, *bodies: EventBody, minutes_ago: float = 0, device: str = HERE) -> None:
        """Let events of the hub's log come in, while no program runs."""
        at = NOW - timedelta(minutes=minutes_ago)
        with open_store(self.paths.store) as database:
            for body in bodies:
                database.submit(partial(_hear, body=body, device=device, at=at)).result()

    def queue(
        self, number: int, title: str, *, kind: str = "ml.train", minutes: float = 5
    ) -> JobId:
        one = job_id(number)
        task = TaskId(one)
        self.happens(
            TaskCreated(task_id=task, person_id=PersonId("p"), text=f"please {title}"),
            JobQueued(job_id=one, task_id=task, kind=kind, title=title, attempt=1),
            minutes_ago=minutes,
            device="hub",
        )
        return one

    def start(self, job: JobId, device: str = HERE) -> None:
        self.happens(JobStarted(job_id=job, attempt=1, fence=1), device=device)

    def log(self, job: JobId, *lines: str) -> None:
        self.happens(JobLogged(job_id=job, attempt=1, fence=1, lines=lines))

    def ask(self, job: JobId, asking: Asking = ASKING) -> None:
        self.happens(
            QuestionAsked(job_id=job, attempt=1, fence=1, question_id=QUESTION, asking=asking)
        )

    def succeed(self, job: JobId, headline: str) -> None:
        self.happens(
            JobSucceeded(
                job_id=job, attempt=1, fence=1, result={"headline": headline}, running_seconds=1
            )
        )

    def fail(self, job: JobId, message: str) -> None:
        error = ErrorBody(code="file_gone", message=message, hint="Choose another.")
        self.happens(JobFailed(job_id=job, attempt=1, fence=1, error=error))


def _hear(connection: sqlite3.Connection, body: EventBody, device: str, at: datetime) -> None:
    (known,) = connection.execute("select count(*) from event").fetchone()
    # Of an earlier epoch of this machine, too: the present one counts what the hub has not got.
    event = write_event(body, device=device, epoch=0, seq=known + 1, at=at)
    copies.hear(connection, Numbered(hub_seq=known + 1, event=event))


class PaperDesk(Desk):
    """A desk whose worker is this store alone."""

    def __init__(self, paths: Paths, database: Database) -> None:
        super().__init__(paths, database)
        self.said: asyncio.Queue[RequestEventBody] = asyncio.Queue()
        """What commands had it say."""

    async def _say(self, body: RequestEventBody) -> None:
        at = self.environment.now()
        await self.database.write(lambda c: saying.say(c, body, at=at))
        self.said.put_nowait(body)

    async def happens(self, body: EventBody) -> None:
        at = self.environment.now()
        await self.database.write(partial(_hear, body=body, device=HERE, at=at))


@contextlib.asynccontextmanager
async def running(profile: Profile) -> AsyncIterator[PaperDesk]:
    """Let the program of a profile run, as far as commands can see."""
    with open_store(profile.paths.store) as database:
        desk = PaperDesk(profile.paths, database)
        desk.link = LinkStatus(state=LinkState.ONLINE)
        try:
            async with ControlLine(profile.paths.control, ControlDesk(desk).handlers).serving():
                yield desk
        finally:
            desk.close()


async def beside(profile: Profile, *words: str) -> tuple[int, str, str]:
    """Run a command while the program runs on this loop."""
    return await asyncio.to_thread(profile.run, *words)


@pytest.fixture
def profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Profile:
    paths = find_paths(tmp_path)
    paths.make()
    lay_worker_store(paths.store)
    with open_store(paths.store) as database:
        database.submit(lambda c: facts.save_pairing(c, PAIRING)).result()
        database.submit(lambda c: note_name(c, STUDIO, "Studio")).result()
    return Profile(paths, capsys)
