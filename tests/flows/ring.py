"""The whole ring in one process: a real hub on a real port, real workers, real children.

The hub and the workers are the product's own, put together as its programs do; only the kinds of
work are the tests' (`tests.flows.play`). Processes that are killed are in `tests.flows.programs`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from desktop.agent.agent import Agent
from desktop.agent.setup import Setup
from desktop.core.link import LinkState, LinkStatus
from desktop.core.policy import Policy
from desktop.store import facts
from desktop.store.database import open_store
from desktop.system.device_key import make_key
from desktop.system.paths import Paths
from hub.app import Hub, running
from hub.core.fact import Fact
from hub.core.job import JobCard
from hub.core.question import Question
from hub.services.requests import Request
from hub.settings import Settings
from shared.database import Database
from shared.environment import Environment
from shared.ids import JobId, PersonId
from shared.jobs import JobState, Origin
from shared.pairing import b64
from tests.flows import play
from tests.flows.joining import join
from tests.fresh_stores import lay_hub_store, lay_worker_store

PATIENCE_SECONDS = 30.0
"""How long a condition may take on a busy machine before the test gives up on it."""


@dataclass
class Worker:
    """One worker: its store outlives its runs, as a machine outlives its program."""

    name: str
    setup: Setup
    database: Database
    task: asyncio.Task[None] | None = None
    statuses: list[LinkStatus] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    agent: Agent | None = None

    def start(self) -> None:
        """Run the worker's program anew, on the store it left."""
        assert self.task is None
        self.agent = Agent(self.setup, self.database, self._note)
        self.task = asyncio.get_running_loop().create_task(self.agent.run())

    async def stop(self) -> None:
        """End the program; running children die without a word, as at a crash."""
        if self.task is not None:
            self.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.task
            self.task = None

    async def until(self, state: LinkState) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self.statuses or self.statuses[-1].state is not state:
                self.changed.clear()
                await self.changed.wait()

    async def until_idle(self) -> None:
        """Wait until no child runs here."""
        assert self.agent is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            # An agent has no bell for this.
            while any(a.is_alive for a in self.agent.attempts):  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    def _note(self, status: LinkStatus) -> None:
        self.statuses.append(status)
        self.changed.set()


@dataclass
class Ring:
    """A running hub, the person it belongs to, and the workers that have joined."""

    folder: Path
    hub: Hub
    person_id: PersonId
    workers: list[Worker] = field(default_factory=list)

    async def join(self, name: str = "anna-pc", *, policy: Policy | None = None) -> Worker:
        """Pair a new worker with a code, start it, and wait until it is online."""
        worker = await self.pair(name, policy=policy)
        worker.start()
        await worker.until(LinkState.ONLINE)
        return worker

    async def pair(self, name: str, *, policy: Policy | None = None, through: str = "") -> Worker:
        """Pair a new worker; it is not started. `through` is another way to the hub."""
        invitation = await self.hub.services.pairing.invite(self.person_id, is_approved=True)
        home = self.folder / name
        paths = Paths(data=home, config=home)
        paths.make()
        lay_worker_store(paths.store)
        database = open_store(paths.store)
        key = make_key()
        pairing, token = await asyncio.to_thread(
            join, through or self.hub.settings.local_url, invitation.code, name, key
        )
        await database.write(lambda c: facts.put(c, "public_key", b64(key.public)))
        await database.write(lambda connection: facts.save_pairing(connection, pairing))
        setup = Setup(
            paths=paths,
            pairing=pairing,
            token=token,
            policy=policy or everything(self.folder),
            app_version="0",
            kinds_at="tests.flows.play:KINDS",
            executors_at="tests.flows.play:EXECUTORS",
            sign=key.sign,
        )
        worker = Worker(name=name, setup=setup, database=database)
        self.workers.append(worker)
        return worker

    async def ask_for(
        self, kind: str, *, worker: str = "", origin: Origin = Origin.API, **inputs: object
    ) -> JobId:
        """Ask the hub for a job, as any frontend does."""
        receipt = await self.hub.services.intake.request(
            Request(
                person_id=self.person_id,
                kind=f"play.{kind}",
                inputs=inputs,  # type: ignore[arg-type]
                worker_name=worker,
                origin=origin,
            )
        )
        return receipt.card.job_id

    async def card(self, job_id: JobId) -> JobCard:
        return await self.hub.services.views.job(self.person_id, job_id)

    async def until_known(self, job_id: JobId) -> None:
        """Wait until the hub has heard of a job that was made elsewhere."""
        feed = self.hub.services.feed
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                position = feed.position()
                facts = await feed.after(0, 10_000, self.person_id)
                if any(fact.entity == job_id for fact in facts):
                    return
                await feed.wait(position)

    async def until(self, job_id: JobId, *states: JobState) -> JobCard:
        """Wait until a job is in one of the states."""
        return await self.until_card(job_id, lambda card: card.state in states)

    async def until_card(self, job_id: JobId, is_so: Callable[[JobCard], bool]) -> JobCard:
        feed = self.hub.services.feed
        card = await self.card(job_id)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    position = feed.position()
                    card = await self.card(job_id)
                    if is_so(card):
                        return card
                    await feed.wait(position)
        except TimeoutError:
            told = [fact.type for fact in await self.history(job_id)]
            raise AssertionError(f"job is {card.state}, it went {told}") from None

    async def why_waiting(self, job_id: JobId, words: str) -> str:
        """Wait until the reason why a job waits holds some words; return the whole of it."""
        waiting = ""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while words not in waiting:
                await self.hub.services.feed.wait(self.hub.services.feed.position())
                waiting = str(await self.hub.services.views.why_waiting(job_id))
        return waiting

    async def question(self, job_id: JobId) -> Question:
        """Wait until a job asks, and return what."""
        await self.until(job_id, JobState.ASKING, JobState.INTERRUPTED)
        questions = await self.hub.services.views.open_questions(self.person_id)
        (question,) = [q for q in questions if q.job_id == job_id]
        return question

    async def answer(self, job_id: JobId, reply: str) -> None:
        question = await self.question(job_id)
        await self.hub.services.intake.answer(
            self.person_id, question.question_id, reply, "anna on the console"
        )

    async def history(self, job_id: JobId) -> tuple[Fact, ...]:
        return await self.hub.services.views.history(self.person_id, job_id)


def everything(folder: Path) -> Policy:
    return Policy(
        folders=(str(folder),),
        slots=2,
        disk_free_bytes_min=0,
        kinds=dict.fromkeys(Origin, ("*",)),
        send_files=tuple(Origin),
    )


@contextlib.asynccontextmanager
async def a_ring(
    folder: Path,
    *,
    port: int = 0,
    workers: list[Worker] | None = None,
    environment: Environment | None = None,
) -> AsyncIterator[Ring]:
    """A hub on `folder`, and nobody else yet; workers that joined are stopped at the end.

    A later one on the same folder and port is the same hub restarted; it takes the `workers` of
    the first over, and does not stop them.
    """
    settings = Settings(data=folder / "hub", port=port, host="127.0.0.1")
    lay_hub_store(settings.data)
    async with running(settings, environment, kinds=play.KINDS) as hub:
        (owner,) = await hub.services.registry.people()
        ring = Ring(folder=folder, hub=hub, person_id=owner.person_id)
        if workers is not None:
            ring.workers = workers
        try:
            yield ring
        finally:
            if workers is None:
                await farewell(ring.workers)


async def farewell(workers: list[Worker]) -> None:
    for worker in workers:
        await worker.stop()
        worker.database.close()
