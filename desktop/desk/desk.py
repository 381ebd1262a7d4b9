"""The desk: one profile of this machine, opened. All that people see and do here goes through it.

It keeps the worker running while this machine belongs to a hub, rings when something has changed,
reads for whoever shows things, and writes down what the person asks for. It knows no window and
no terminal.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TypeVar

import structlog

from desktop.agent import EXECUTORS_AT, KINDS_AT, Agent, Setup
from desktop.core.link import LinkState, LinkStatus
from desktop.core.news import News
from desktop.core.policy import Policy, write_policy
from desktop.store import facts, outbox
from desktop.store.facts import Pairing
from desktop.system.credentials import load_secret
from desktop.system.paths import Paths
from desktop.system.policy_file import load_policy
from desktop.system.program import version
from desktop.system.status import StatusFile
from shared.database import Database, Reader
from shared.environment import Environment
from shared.errors import ErrorBody, NotFound, Unavailable
from shared.events import AnswerGiven, CancelAsked, RequestEventBody, RetryAsked, TaskRequested
from shared.ids import JobId, QuestionId, TaskId, WorkerId
from shared.kinds import JsonObject
from shared.messages import Progress

log = structlog.get_logger(__name__)
T = TypeVar("T")

PAUSED = "paused"
"""The code of a pause that the person asked for."""
FOREVER = "until resumed"


class Desk:
    """`run` it until cancelled; everything else may be called meanwhile, from its loop."""

    def __init__(
        self,
        paths: Paths,
        database: Database,
        environment: Environment | None = None,
        *,
        kinds_at: str = KINDS_AT,
        executors_at: str = EXECUTORS_AT,
    ) -> None:
        self.paths = paths
        self.database = database
        self.environment = environment or Environment()
        self.listeners: list[Callable[[frozenset[News]], None]] = []
        """Told on the loop, after the commit, of what may have changed."""
        self.link: LinkStatus | None = None
        """How the line to the hub is; None while this machine belongs to none."""
        self.next_try_at: datetime | None = None
        """When the hub is called again, while the line is down."""
        self.pairing: Pairing | None = None
        self.policy: Policy = Policy()
        self.policy_error: ErrorBody | None = None
        """What is wrong with the policy file; nothing may run until it is mended."""
        self._kinds_at, self._executors_at = kinds_at, executors_at
        self._reader = Reader(database.path)
        self._agent: Agent | None = None
        self._progress: dict[JobId, Progress] = {}
        self._pairing_changed = asyncio.Event()
        self._report = StatusFile(paths.status)
        self._pause: ErrorBody | None = None

    # What there is to see.

    @property
    def progress(self) -> Mapping[JobId, Progress]:
        """How far the jobs are that run on this machine; transient."""
        return MappingProxyType(self._progress)

    @property
    def running_count(self) -> int:
        """How many jobs run on this machine now."""
        return self._agent.running_count if self._agent else 0

    @property
    def held_back(self) -> ErrorBody | None:
        """Why nothing starts on this machine now: a pause, or the owner's rules."""
        return self._pause

    async def look(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Read from the store, in a thread of its own; see `desktop.store.copied`."""
        return await self._reader.read(read)

    async def waiting_count(self) -> int:
        """How many events of this machine the hub has not got yet."""
        return await self.look(outbox.waiting)

    # What the person may do.

    async def request(
        self,
        kind: str,
        inputs: JsonObject,
        *,
        text: str = "",
        title: str = "",
        worker_id: WorkerId | None = None,
    ) -> JobId:
        """Ask for something: makes a task with one job, known at once, told to the hub when it can.

        Args:
            kind: "ml.train", …
            inputs: what is known; what is missing will be asked.
            text: what the person said.
            title: a few words for lists; empty for the kind's own.
            worker_id: where it must run; None for any machine of this person. The owner's own
                rights ("local" in the policy) count only on this machine, when it is named.

        Raises:
            NotFound: `not_paired`.
        """
        job_id = JobId(self.environment.new_id())
        body = TaskRequested(
            task_id=TaskId(self.environment.new_id()),
            job_id=job_id,
            kind=kind,
            inputs=inputs,
            text=text,
            title=title,
            worker_id=worker_id,
        )
        await self._say(body)
        return job_id

    async def answer(self, question_id: QuestionId, job_id: JobId, value: str) -> None:
        """Answer a question; the first answer by the hub's order counts."""
        await self._say(AnswerGiven(question_id=question_id, job_id=job_id, value=value))

    async def cancel(self, job_id: JobId) -> None:
        await self._say(CancelAsked(job_id=job_id))

    async def retry(self, job_id: JobId) -> None:
        """Queue a job again that failed, died or was interrupted."""
        await self._say(RetryAsked(job_id=job_id))

    async def change_policy(self, policy: Policy) -> None:
        """Write the owner's rules down, and go by them from now on."""
        text = write_policy(policy)
        await asyncio.to_thread(self.paths.policy.write_text, text, encoding="utf-8")
        self.policy, self.policy_error = policy, None
        if self._agent is not None:
            self._agent.adopt(policy)
        self.ring(News.POLICY, News.STATUS)

    async def pause(self, until: datetime | None = None) -> None:
        """Start nothing new here until a time, or until `resume`; jobs that run go on."""
        told = FOREVER if until is None else until.isoformat()
        await self.database.write(lambda c: facts.put(c, "paused_until", told))
        self._look_at_pause(told)

    async def resume(self) -> None:
        await self.database.write(lambda c: facts.put(c, "paused_until", ""))
        self._look_at_pause("")

    async def paired(self) -> None:
        """This machine has joined a hub, or left it: go by what the store says now."""
        self._pairing_changed.set()

    def ring(self, *news: News) -> None:
        """Tell everybody who shows things."""
        self._tell(frozenset(news))

    # Its life.

    async def run(self) -> None:
        """Work for whatever hub this machine belongs to, until cancelled."""
        while True:
            self._pairing_changed.clear()
            self.pairing = await self.database.read(facts.pairing)
            self._look_at_pause(await self.database.read(lambda c: facts.get(c, "paused_until")))
            self.ring(News.PAIRING, News.STATUS)
            await self._serve()
            await self._pairing_changed.wait()

    def close(self) -> None:
        """Give back what it holds; the database belongs to whoever opened it."""
        self._reader.close()
        self._report.stopped()

    async def _serve(self) -> None:
        """Run the worker until the hub refuses it, or this machine joins another hub."""
        if self.pairing is None:
            self.link = None
            return
        token = await asyncio.to_thread(
            load_secret, entry=self.pairing.worker_id, file=self.paths.token
        )
        if token is None:
            self._note_status(LinkStatus(state=LinkState.REFUSED, error=token_missing().body))
            return
        self.policy = await asyncio.to_thread(load_policy, self.paths)
        setup = Setup(
            paths=self.paths,
            pairing=self.pairing,
            token=token,
            policy=self.policy,
            app_version=version(),
            environment=self.environment,
            kinds_at=self._kinds_at,
            executors_at=self._executors_at,
        )
        self._agent = Agent(
            setup,
            self.database,
            self._note_status,
            on_news=self._tell,
            on_progress=self._note_progress,
        )
        self._agent.hold(self.held_back)
        async with asyncio.TaskGroup() as tasks:
            working = tasks.create_task(self._agent.run())
            changing = tasks.create_task(self._pairing_changed.wait())
            await asyncio.wait((working, changing), return_when=asyncio.FIRST_COMPLETED)
            working.cancel()
            changing.cancel()
        self._agent = None
        self._progress.clear()

    async def _say(self, body: RequestEventBody) -> None:
        if self._agent is None:
            raise NotFound(
                "not_paired",
                "This computer belongs to no hub yet.",
                "Pair it first; the assistant in the tray menu helps.",
            )
        await self._agent.say(body)

    def _look_at_pause(self, told: str) -> None:
        until = None if told in ("", FOREVER) else datetime.fromisoformat(told)
        is_over = not told or (until is not None and until <= self.environment.now())
        self._pause = None if is_over else paused(until)
        if self._agent is not None:
            self._agent.hold(self.held_back)
        self.ring(News.STATUS)

    def _note_status(self, status: LinkStatus) -> None:
        self.link = status
        self._report.write(status)
        wait = status.next_try_seconds
        self.next_try_at = None if wait is None else later(self.environment.now(), wait)
        self.ring(News.STATUS)

    def _note_progress(self, progress: Progress) -> None:
        self._progress[progress.job_id] = progress
        self.ring(News.PROGRESS)

    def _tell(self, news: frozenset[News]) -> None:
        for listener in tuple(self.listeners):
            listener(news)


def later(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds)


def paused(until: datetime | None) -> ErrorBody:
    """Say why nothing starts while the person has paused this machine."""
    when = f" until {until.astimezone():%H:%M}" if until else ""
    return ErrorBody(
        code=PAUSED,
        message=f"This computer is paused{when}.",
        hint="Resume it in the tray menu, or with: deskhand resume",
        retryable=True,
    )


def token_missing() -> Unavailable:
    return Unavailable(
        "token_missing",
        "The token this machine got when it was paired cannot be read: it is gone, or the "
        "system's safe is locked.",
        "Log in to unlock the safe, or pair again: deskhand pair CODE --hub URL",
    )
