"""Jobs of a command done in its own process: an agent that calls no hub, on a store of its own.

What its jobs keep (transcripts, results of runs) they keep in the person's profile. The store and
the working folders are this process's alone and go with it. The agent's loop runs in a thread, so
that keys pressed at the terminal reach the command and not the jobs.
"""

from __future__ import annotations

import asyncio
import contextlib
import platform
import shutil
import ssl
import tempfile
import threading
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, Self, TypeVar

from desktop.agent.agent import Agent
from desktop.agent.setup import EXECUTORS_AT, KINDS_AT, Seams, Setup
from desktop.core.policy import Policy
from desktop.store import facts
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from desktop.system.paths import Paths
from desktop.system.program import version
from shared.environment import Environment
from shared.errors import AppError, Conflict, Unavailable
from shared.events import AnswerGiven, CancelAsked, RequestEventBody, TaskRequested
from shared.file_lock import FileLock
from shared.ids import JobId, QuestionId, TaskId, WorkerId
from shared.kinds import JsonObject
from shared.messages import Progress

PREFIX = "alone-"
LOCK = "lock"
START_SECONDS = 30.0
CALL_SECONDS = 30.0
END_SECONDS = 20.0
T = TypeVar("T")


class Solo:
    """As a context manager it works until the block ends; its children end with it."""

    def __init__(
        self,
        paths: Paths,
        policy: Policy,
        environment: Environment | None = None,
        *,
        kinds_at: str = KINDS_AT,
        executors_at: str = EXECUTORS_AT,
    ) -> None:
        self._paths = paths
        self._policy = policy
        self._environment = environment or Environment()
        self._at = (kinds_at, executors_at)
        self._progress: dict[JobId, Progress] = {}
        self._begun = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop
        self._agent: Agent
        self._stopped: asyncio.Event
        self._thread = threading.Thread(target=self._live, name="solo", daemon=True)
        self.worker_id = WorkerId(self._environment.new_id())

    def __enter__(self) -> Self:
        self._paths.make()
        sweep(self._paths)
        self._folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self._paths.data))
        self._lock = FileLock(self._folder / LOCK, taken())
        self._thread.start()
        if not self._begun.wait(START_SECONDS):
            raise gone()
        self.check()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join(END_SECONDS)
        self._lock.release()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def store(self) -> Path:
        """Where its jobs and questions can be read, as in a profile's own store."""
        return self._folder / "worker.sqlite3"

    def request(self, kind: str, inputs: JsonObject, title: str = "") -> JobId:
        """Ask for a job; it begins at once."""
        job_id = JobId(self._environment.new_id())
        body = TaskRequested(
            task_id=TaskId(self._environment.new_id()),
            job_id=job_id,
            kind=kind,
            inputs=inputs,
            title=title,
            worker_id=self.worker_id,
        )
        self._say(body)
        return job_id

    def answer(self, question_id: QuestionId, job_id: JobId, value: str) -> None:
        self._say(AnswerGiven(question_id=question_id, job_id=job_id, value=value))

    def cancel(self, job_id: JobId) -> None:
        self._say(CancelAsked(job_id=job_id))

    def progress(self, job_id: JobId) -> Progress | None:
        """How far a job is; None before it said so."""
        return self._progress.get(job_id)

    def check(self) -> None:
        """See that the agent goes on.

        Raises:
            AppError: it does not.
        """
        if self._failure is not None:
            raise self._failure if isinstance(self._failure, AppError) else gone()

    def _say(self, body: RequestEventBody) -> None:
        self._call(self._agent.say(body))

    def _call(self, work: Coroutine[None, None, T]) -> T:
        self.check()
        done = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return done.result(CALL_SECONDS)
        except TimeoutError:
            done.cancel()
            raise gone() from None

    def _live(self) -> None:
        try:
            with open_store(self.store) as database:
                pairing = self._pairing()
                database.submit(lambda c: facts.save_pairing(c, pairing)).result()
                kinds_at, executors_at = self._at
                setup = Setup(
                    paths=replace(self._paths, work=self._folder),
                    pairing=pairing,
                    token="",
                    policy=self._policy,
                    app_version=version(),
                    environment=self._environment,
                    kinds_at=kinds_at,
                    executors_at=executors_at,
                    seams=Seams(dial=never, has_snapshots=False),
                )
                self._agent = Agent(
                    setup, database, lambda _status: None, on_progress=self._note_progress
                )
                asyncio.run(self._serve())
        except BaseExceptionGroup as failures:
            self._failure = failures.exceptions[0]
        except BaseException as failure:
            self._failure = failure
        finally:
            self._begun.set()

    def _note_progress(self, progress: Progress) -> None:
        self._progress[progress.job_id] = progress

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            working = tasks.create_task(self._agent.run())
            self._begun.set()
            await self._stopped.wait()
            working.cancel()

    def _pairing(self) -> Pairing:
        return Pairing(
            hub_url="http://127.0.0.1",
            worker_id=self.worker_id,
            worker_name=platform.node()[:60] or "this computer",
            hub_name="",
            person_name="",
        )


async def never(
    _base: str, _token: str, _proxy: str | None = None, _trust: ssl.SSLContext | None = None
) -> NoReturn:
    """Dial nobody: the worker goes on as long as it is let."""
    await asyncio.Event().wait()
    raise AssertionError


def sweep(paths: Paths) -> None:
    """Delete what commands left behind that were killed."""
    for folder in paths.data.glob(f"{PREFIX}*"):
        with contextlib.suppress(AppError, OSError):
            FileLock(folder / LOCK, taken()).release()
            shutil.rmtree(folder)


def taken() -> Conflict:
    return Conflict("already_running", "Another command works in this folder.", "Try again.")


def gone() -> Unavailable:
    return Unavailable(
        "worker_gone",
        "What runs the jobs of this command has ended.",
        "Start the command again; the log is on standard error.",
    )
