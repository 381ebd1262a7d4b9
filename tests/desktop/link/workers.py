"""A real worker (store, link, runner, children) under a hub double."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from desktop.agent.agent import Agent
from desktop.agent.setup import Seams, Setup
from desktop.core.code.rules import CodeRules
from desktop.core.link import LinkState, LinkStatus
from desktop.core.network_rules import NetworkRules
from desktop.core.policy import Policy
from desktop.store import facts
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from desktop.system.paths import Paths
from desktop.system.way import NO_RULES
from shared.environment import Environment
from shared.ids import JobId, TaskId, WorkerId
from shared.jobs import JobSpec, Origin
from shared.messages import Accept, Decline, Grant, Offer
from tests.desktop.link.hub_double import BOUND_SECONDS, HubDouble
from tests.fresh_stores import lay_worker_store

ENVIRONMENT = Environment()
WORKER = WorkerId("0192f000-0000-7000-8000-000000000001")


def spec(kind: str, *, job_id: str | None = None, **inputs: int | str) -> JobSpec:
    return JobSpec(
        job_id=JobId(ENVIRONMENT.new_id() if job_id is None else job_id),
        task_id=TaskId(ENVIRONMENT.new_id()),
        kind=kind,
        title=kind,
        inputs=dict(inputs),
        origin=Origin.CHAT,
    )


class Worker:
    """The agent of a test and what it said of its line."""

    def __init__(self, agent: Agent, statuses: list[LinkStatus], changed: asyncio.Event) -> None:
        self.agent = agent
        self.statuses = statuses
        self._changed = changed

    async def until_state(self, state: LinkState, code: str = "") -> LinkStatus:
        def found() -> LinkStatus | None:
            for status in self.statuses:
                fits_code = not code or (status.error is not None and status.error.code == code)
                if status.state is state and fits_code:
                    return status
            return None

        await self.until(lambda: found() is not None)
        status = found()
        assert status is not None
        return status

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so; looked at whenever the line is in another state."""
        try:
            async with asyncio.timeout(BOUND_SECONDS):
                while not (self.statuses and is_so()):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"waited in vain: {self.statuses}") from None


@contextlib.asynccontextmanager
async def working(
    home: Path,
    base: str,
    *,
    slots: int = 2,
    environment: Environment = ENVIRONMENT,
    network: NetworkRules = NO_RULES,
    kinds: str = "tests.desktop.runner.hard_executors",
    code: CodeRules | None = None,
    seams: Seams | None = None,
) -> AsyncIterator[Worker]:
    """Run a worker whose profile is `home` until the block ends; its store stays.

    `kinds` names the module that has its KINDS and EXECUTORS.
    """
    paths = Paths(data=home, config=home)
    paths.make()
    pairing = Pairing(
        hub_url=base,
        worker_id=WORKER,
        worker_name="anna-pc",
        hub_name="test hub",
        person_name="anna",
    )
    statuses: list[LinkStatus] = []
    changed = asyncio.Event()

    def note(status: LinkStatus) -> None:
        statuses.append(status)
        changed.set()

    lay_worker_store(paths.store)
    with open_store(paths.store) as database:
        if await database.read(facts.pairing) is None:
            await database.write(lambda connection: facts.save_pairing(connection, pairing))
        setup = Setup(
            paths=paths,
            pairing=pairing,
            token="dh_worker_0192f000-0000-7000-8000-000000000001_secret",
            policy=Policy(
                slots=slots,
                kinds=dict.fromkeys((Origin.CHAT, Origin.LOCAL), ("apart.*", "hard.*", "shared.*")),
                disk_free_bytes_min=0,
                network=network,
                code=code or CodeRules(),
            ),
            app_version="test",
            environment=environment,
            kinds_at=f"{kinds}:KINDS",
            executors_at=f"{kinds}:EXECUTORS",
            seams=seams or Seams(),
        )
        agent = Agent(setup, database, note)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(agent.run())
            try:
                yield Worker(agent, statuses, changed)
            finally:
                running.cancel()


async def offered(hub: HubDouble, job: JobSpec, *, attempt: int = 1) -> Accept | Decline:
    """Offer a job and return the answer."""
    await hub.say(Offer(job=job, attempt=attempt, expires_in_seconds=30))

    def answers() -> list[Accept | Decline]:
        return [
            m
            for m in hub.heard
            if isinstance(m, (Accept, Decline)) and (m.job_id, m.attempt) == (job.job_id, attempt)
        ]

    await hub.until(answers)
    return answers()[-1]


async def granted(hub: HubDouble, job: JobSpec, *, attempt: int = 1, fence: int = 1) -> None:
    """Take a job through offer, accept and grant until it has started."""
    assert isinstance(await offered(hub, job, attempt=attempt), Accept)
    before = len(hub.of_type("job_started"))
    await hub.say(Grant(job_id=job.job_id, attempt=attempt, fence=fence))
    await hub.until_event("job_started", count=before + 1)
