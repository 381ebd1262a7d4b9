"""Hundreds of headless workers in one program, each the product's own agent.

A worker has its own store on the disk, its own WebSocket and its own loops; only the process that
a job would run in is not there (`desktop.agent.setup.Seams`): a job does nothing but count, and
ends when the crowd's gate is open. The hub is a program of its own, which can be killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from desktop.agent.agent import Agent
from desktop.agent.setup import Seams, Setup
from desktop.core.link import LinkState, LinkStatus
from desktop.core.llm.rules import LlmRules
from desktop.core.outcome import Ending, Outcome
from desktop.core.policy import Policy
from desktop.runner.child import ChildLimits
from desktop.runner.lines import FromChild, Offers, Order, PartsOver, StepOver
from desktop.store import facts
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from desktop.system.paths import Paths
from shared.api.client import Client
from shared.database import Database
from shared.environment import Environment
from shared.errors import AppError, ErrorBody
from shared.ids import JobId
from shared.jobs import Origin
from shared.messages import Metrics
from tests.enrolled import Machine, Member
from tests.flows.programs import kill, start

SLOTS = 1
METRICS = Metrics(cpu_share=0.1, memory_used_bytes=1, memory_total_bytes=2, disk_free_bytes=10**12)
LOOK_SECONDS = 0.02


class CountingChild:
    """As `desktop.runner.child.Child`, without a process: its only effect is to be counted."""

    def __init__(self, crowd: Crowd, order: Order) -> None:
        self._crowd, self._job_id = crowd, order.spec.job_id
        self._ended = asyncio.Event()
        self._ending: Ending | None = None

    async def run(self) -> Outcome:
        self._crowd.begun(self._job_id)
        gate = asyncio.ensure_future(self._crowd.gate.wait())  # noqa: TID251 (a race of two waits)
        end = asyncio.ensure_future(self._ended.wait())  # noqa: TID251
        await asyncio.wait((gate, end), return_when=asyncio.FIRST_COMPLETED)
        for waiting in (gate, end):
            waiting.cancel()
        if self._ending is not None:
            return Outcome(ending=self._ending, exit_code=-9)
        return Outcome(ending=Ending.RESULT, exit_code=0, output={"headline": "Counted."})

    def end(self, ending: Ending) -> None:
        self._ending = ending
        self._ended.set()

    def refuse(self, error: ErrorBody) -> None:
        self.end(Ending.REFUSED)

    def answer(self, key: str, value: str) -> None:
        raise AssertionError("nothing was asked")

    def parts_ended(self, over: PartsOver) -> None:
        raise AssertionError("no parts were wanted")

    def step_ended(self, over: StepOver) -> None:
        raise AssertionError("no steps were wanted")

    def offered(self, offers: Offers) -> None: ...


@dataclass
class Crowd:
    """All workers, and what their jobs did."""

    folder: Path
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """Closed: jobs that were begun do not end."""
    effects: Counter[JobId] = field(default_factory=Counter)
    """How often each job was begun, by its executor."""
    online: set[str] = field(default_factory=set)
    agents: list[Agent] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def begun(self, job_id: JobId) -> None:
        self.effects[job_id] += 1
        self.changed.set()

    async def until(self, is_so: Callable[[], bool], seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while not is_so():
                self.changed.clear()
                await self.changed.wait()

    def hurry(self) -> None:
        """Let everybody call the hub in the same moment, as after a power cut."""
        for agent in self.agents:
            agent.hurry()

    def note(self, worker: str, status: LinkStatus) -> None:
        if status.state is LinkState.ONLINE:
            self.online.add(worker)
        else:
            self.online.discard(worker)
        self.changed.set()


@contextlib.asynccontextmanager
async def a_crowd(folder: Path, members: list[Member], url: str) -> AsyncIterator[Crowd]:
    """Start the agents of all machines; at the end they are stopped."""
    await asyncio.to_thread(folder.mkdir)
    template = folder / "template.sqlite3"
    open_store(template).close()
    crowd = Crowd(folder)
    databases: list[Database] = []
    machines = [(member, machine) for member in members for machine in member.machines]
    try:
        async with asyncio.TaskGroup() as tasks:
            running = []
            for member, machine in machines:
                setup, database = await _home(folder, template, url, member, machine, crowd)
                databases.append(database)
                crowd.agents.append(agent := _agent(setup, database, crowd))
                running.append(tasks.create_task(agent.run()))
            yield crowd
            for task in running:
                task.cancel()
    finally:
        for database in databases:
            database.close()


async def _home(
    folder: Path, template: Path, url: str, member: Member, machine: Machine, crowd: Crowd
) -> tuple[Setup, Database]:
    home = folder / machine.worker_id
    paths = Paths(data=home, config=home)
    paths.make()
    shutil.copyfile(template, paths.store)
    pairing = Pairing(
        hub_url=url,
        worker_id=machine.worker_id,
        worker_name=machine.name,
        hub_name="hub",
        person_name=member.person_id,
    )
    database = open_store(paths.store)
    await database.write(lambda connection: facts.save_pairing(connection, pairing))

    def make_child(
        order: Order,
        _limits: ChildLimits,
        _environment: Environment,
        _on_line: Callable[[FromChild], None],
    ) -> CountingChild:
        return CountingChild(crowd, order)

    setup = Setup(
        paths=paths,
        pairing=pairing,
        token=machine.token,
        policy=Policy(
            slots=SLOTS,
            kinds=dict.fromkeys(Origin, ("*",)),
            disk_free_bytes_min=0,
            memory_bytes_max=2**30,
            llm=LlmRules(find_local=False),
        ),
        app_version="0",
        kinds_at="tests.flows.play:KINDS",
        executors_at="tests.flows.play:EXECUTORS",
        seams=Seams(make_child=make_child, measure=lambda _: METRICS),
    )
    return setup, database


def _agent(setup: Setup, database: Database, crowd: Crowd) -> Agent:
    worker_id = setup.pairing.worker_id
    return Agent(setup, database, lambda status: crowd.note(worker_id, status))


class HubProgram:
    """A hub in a process of its own, on one folder and port."""

    def __init__(self, data: Path, port: int) -> None:
        self._data, self._port = data, port
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{port}"

    async def start(self, seconds: float) -> None:
        """Start it; returns once it answers."""
        log = self._data.with_name("hub.log")
        self._process = await asyncio.to_thread(start, "hub", self._data, str(self._port), log=log)
        async with asyncio.timeout(seconds):
            while not await asyncio.to_thread(self._answers):  # noqa: ASYNC110 (another program)
                await asyncio.sleep(LOOK_SECONDS)

    async def kill(self) -> None:
        """As a power cut does."""
        if self._process is not None:
            await asyncio.to_thread(kill, self._process)
            self._process = None

    def cpu_seconds(self) -> float:
        """What it has used since its start, all threads (Linux)."""
        assert self._process is not None
        stat = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mib(self) -> float:
        assert self._process is not None
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def _answers(self) -> bool:
        try:
            return bool(Client(self.url).get_health())
        except AppError:
            return False
