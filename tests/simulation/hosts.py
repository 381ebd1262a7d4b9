"""The machines: a store, a clock, and the product's program, which may die between any two steps.

A crash closes the store without a commit, cuts all lines, and cancels what runs; whatever that
still does reaches neither the disk nor the network.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from desktop.agent.agent import Agent
from desktop.agent.setup import Seams, Setup
from desktop.core.link import LinkState, LinkStatus
from desktop.core.llm.rules import LlmRules
from desktop.core.policy import Policy
from desktop.runner.child import ChildLimits
from desktop.runner.lines import FromChild, Order, StepOver
from desktop.store.database import open_store as open_worker_store
from desktop.store.facts import Pairing
from desktop.system.paths import Paths
from hub.engines.sockets import SocketEngine
from hub.ring import loops_of, rebuild, ring_of
from hub.services import Services
from hub.store.database import open_store as open_hub_store
from hub.store.ledger import Ledger
from shared.database import Database
from shared.environment import Environment
from shared.events import RequestEventBody
from shared.ids import JobId
from shared.jobs import JobSpec, Origin
from shared.messages import Metrics
from tests.simulation.child import SimulatedChild
from tests.simulation.kinds import EXECUTORS_AT, KINDS, KINDS_AT
from tests.simulation.loop import Clock
from tests.simulation.network import Line, Route, Watcher

T = TypeVar("T")
HUB = "hub"
HOME = "anna-pc"
"""A machine whose owner does not allow all kinds."""
PEPPER = b"pepper"
METRICS = Metrics(cpu_share=0.1, memory_used_bytes=1, memory_total_bytes=2, disk_free_bytes=10**12)


class Gone(Exception):
    """The program that was to do it is not there, or went in the middle."""


class Overseer(Watcher, Protocol):
    """The world as its machines see it."""

    def committing(self, host: Host) -> bool:
        """A commit is due; False: it never happens, for the program died."""

    def committed(self, host: Host) -> None:
        """A commit has happened; nobody was told yet."""

    def effect(self, host: Host, spec: JobSpec) -> None: ...

    def used(self, host: Host, job_id: JobId, key: str, value: str) -> None: ...

    def tries(self, host: Host, job_id: JobId) -> int: ...

    def did(self, host: Host, maker: str, index: int) -> None: ...

    def step_told(self, host: Host, maker: str, index: int, over: StepOver) -> None: ...

    def failed(self, host: Host, error: BaseException) -> None:
        """The program ended by a fault of its own."""

    def note(self, what: str) -> None: ...


class Host:
    """A machine with one program."""

    def __init__(self, name: str, folder: Path, world: Overseer, chance: random.Random) -> None:
        self.name, self.folder, self.world, self.chance = name, folder, world, chance
        self.loop = asyncio.get_running_loop()
        self.clock = Clock(self.loop)
        self.environment = Environment(clock=self.clock, entropy=chance.randbytes)
        self.is_up = False
        self.lives = 0
        self.slow_until = 0.0
        """The disk is busy until then."""
        self._program: asyncio.Task[None] | None = None
        self._database: Database | None = None
        self._over = asyncio.Event()
        """This life is over."""

    def start(self) -> None:
        if self.is_up:
            return
        self.is_up = True
        self.lives += 1
        self._over = asyncio.Event()
        self.clock.booted_at = self.loop.time() - self.chance.uniform(10, 10_000)
        self.world.note(f"{self.name} starts")
        self._program = self.loop.create_task(self._live(), name=f"{self.name} {self.lives}")
        self._program.add_done_callback(partial(self._ended, self.lives))

    def crash(self, down_seconds: float, *, silently: bool = False) -> None:
        """Die now, and start again later. Idempotent.

        Args:
            down_seconds: until it starts again.
            silently: the machine itself is gone, so nobody tells its peers.
        """
        if not self.is_up:
            return
        self.world.note(f"{self.name} crashes")
        self.is_up = False
        self._over.set()
        if self._database is not None:
            self._database.crash()
        self._lose_lines(silently=silently)
        assert self._program is not None
        self._program.cancel()
        self.loop.call_later(down_seconds, self.start)

    def stop(self, down_seconds: float) -> None:
        """End in good order, and start again later."""
        if self.is_up and self._program is not None:
            self.world.note(f"{self.name} stops")
            self._over.set()
            self._program.cancel()
            self.loop.call_later(down_seconds + 12, self.start)

    def end(self) -> None:
        """The world is over."""
        self.crash(10**9, silently=True)

    async def within(self, deed: Awaitable[T]) -> T:
        """Wait for something that this life's program does.

        Raises:
            Gone: the program ended first: it may or may not have been done.
        """
        task = self.loop.create_task(_awaited(deed))
        over = self.loop.create_task(self._over.wait())
        await asyncio.wait((task, over), return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        if not task.done() or task.cancelled():
            task.cancel()
            raise Gone
        return task.result()

    def pace(self, life: int) -> Callable[[Callable[[], None]], None]:
        """Decide how long a commit of this life takes."""

        def later(commit: Callable[[], None]) -> None:
            self.loop.call_later(self._disk_seconds(), run, commit)

        def run(commit: Callable[[], None]) -> None:
            if life != self.lives or not self.is_up or not self.world.committing(self):
                return
            commit()
            self.world.committed(self)

        return later

    async def _live(self) -> None:
        raise NotImplementedError

    def _lose_lines(self, *, silently: bool) -> None:
        raise NotImplementedError

    def _disk_seconds(self) -> float:
        if self.loop.time() < self.slow_until:
            return self.chance.uniform(0.1, 3.0)
        return self.chance.uniform(0.0005, 0.004)

    def _ended(self, life: int, program: asyncio.Task[None]) -> None:
        error = None if program.cancelled() else program.exception()
        if self.is_up and life == self.lives:
            if error is not None:
                self.world.failed(self, error)
            self.is_up = False
            self._over.set()
            self._lose_lines(silently=False)
            if self._database is not None:
                self._database.close()


async def _awaited(deed: Awaitable[T]) -> T:
    return await deed


class HubHost(Host):
    """The hub: ledger, services and engine as `hub.app` puts them together."""

    def __init__(self, folder: Path, world: Overseer, chance: random.Random) -> None:
        super().__init__(HUB, folder, world, chance)
        self._services: Services | None = None
        self._engine: SocketEngine | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._lines: list[Line] = []

    @property
    def store(self) -> Path:
        return self.folder / "hub.sqlite3"

    @property
    def listens(self) -> bool:
        return self.is_up and self._engine is not None

    def answer(self, line: Line) -> None:
        assert self._engine is not None
        assert self._tasks is not None
        self._lines = [known for known in self._lines if known.is_hub_there]
        self._lines.append(line)
        self._tasks.create_task(_serve(self._engine, line))

    async def call(self, deed: Callable[[Services], Awaitable[T]]) -> T:
        """Let the hub do something for a chat.

        Raises:
            Gone: it is not there, or it went in the middle: it may or may not have been done.
            AppError: what the hub says to it.
        """
        if not self.listens:
            raise Gone
        assert self._services is not None
        return await self.within(deed(self._services))

    async def _live(self) -> None:
        self._engine = None
        self._database = open_hub_store(self.folder, self.pace(self.lives))
        ledger = Ledger(self._database, self.environment)
        services, engine = ring_of(ledger, KINDS, PEPPER, self.folder / "files")
        await rebuild(services)
        try:
            async with asyncio.TaskGroup() as tasks:
                for loop in loops_of(services, engine):
                    tasks.create_task(loop)
                self._services, self._engine, self._tasks = services, engine, tasks
        except asyncio.CancelledError:
            if self.is_up:
                raise
        finally:
            self._engine = None

    def stop(self, down_seconds: float) -> None:
        if self.is_up and self._program is not None and self._engine is not None:
            self.world.note(f"{self.name} stops")
            draining = self.loop.create_task(self._engine.drain())
            draining.add_done_callback(partial(self._drained, self.lives))
            self.loop.call_later(down_seconds + 12, self.start)

    def _drained(self, life: int, _draining: asyncio.Task[None]) -> None:
        if self.is_up and life == self.lives and self._program is not None:
            self._program.cancel()

    def _lose_lines(self, *, silently: bool) -> None:
        self._engine = None
        for line in self._lines:
            line.loses_hub(silently=silently)
        self._lines = []


async def _serve(engine: SocketEngine, line: Line) -> None:
    """As a server does: that the other side is gone is no fault of the hub's."""
    with contextlib.suppress(OSError):
        await engine(line.scope, line.receive, line.answer)


class WorkerHost(Host):
    """A worker: the whole agent, with a simulated line and simulated children."""

    def __init__(
        self,
        pairing: Pairing,
        token: str,
        folder: Path,
        world: Overseer,
        chance: random.Random,
        hub: HubHost,
        slots: int,
    ) -> None:
        super().__init__(pairing.worker_name, folder, world, chance)
        self.pairing = pairing
        self.route = Route(self.loop, random.Random(chance.random()))
        self.slots = slots
        self.done: set[tuple[str, int]] = set()
        """Parts that have left their mark, by their job; as files, they outlive the program."""
        self.is_refused = False
        """The hub does not know it any more; it will not call again."""
        self.status: LinkStatus | None = None
        self.agent: Agent | None = None
        self.paths = Paths(data=folder, config=folder)
        self.line: Line | None = None
        self._token, self._hub = token, hub
        self._kinds = ("sim.*",) if self.name == HOME else ("sim.*", "far.*")
        self._lines: list[Line] = []

    @property
    def store(self) -> Path:
        return self.paths.store

    async def read(self, look: Callable[[sqlite3.Connection], T]) -> T:
        """Read the store as the machine's windows do."""
        if not self.is_up or self._database is None:
            raise Gone
        return await self.within(self._database.read(look))

    async def say(self, body: RequestEventBody) -> None:
        """Write what the person at this machine asks for."""
        if not self.is_up or self.agent is None:
            raise Gone
        await self.within(self.agent.say(body))

    def effect(self, spec: JobSpec) -> None:
        self.world.effect(self, spec)

    def used(self, job_id: JobId, key: str, value: str) -> None:
        self.world.used(self, job_id, key, value)

    def tries(self, job_id: JobId) -> int:
        return self.world.tries(self, job_id)

    def do(self, maker: str, index: int) -> None:
        """A part of a job leaves its mark on the disk."""
        self.world.did(self, maker, index)
        self.done.add((maker, index))

    def step_told(self, maker: str, index: int, over: StepOver) -> None:
        """A job hears how a step of it came out."""
        self.world.step_told(self, maker, index, over)

    async def _live(self) -> None:
        self._database = open_worker_store(self.paths.store, self.pace(self.lives))
        # Children die with their worker; what they had in hand stays as it is.
        shutil.rmtree(self.paths.jobs, ignore_errors=True)
        setup = Setup(
            paths=self.paths,
            pairing=self.pairing,
            token=self._token,
            policy=Policy(
                slots=self.slots,
                kinds=dict.fromkeys(Origin, self._kinds),
                disk_free_bytes_min=0,
                memory_bytes_max=2**30,
                llm=LlmRules(find_local=False),
            ),
            app_version="sim",
            environment=self.environment,
            kinds_at=KINDS_AT,
            executors_at=EXECUTORS_AT,
            seams=Seams(dial=self._dial, make_child=self._make_child, measure=lambda _: METRICS),
        )
        self.agent = Agent(setup, self._database, self._note_status)
        try:
            await self.agent.run()
        finally:
            self.agent = None
        self.is_refused = True
        self.world.note(f"{self.name} was refused: {self.status}")

    async def _dial(self, _base: str, token: str, _proxy: object, _trust: object) -> Line:
        line = Line(self.route, self.name, token, self._hub, self.world)
        self._lines = [known for known in self._lines if known.is_worker_there]
        self._lines.append(line)
        await line.open()
        self.line = line
        return line

    def _make_child(
        self,
        order: Order,
        limits: ChildLimits,
        environment: Environment,
        on_line: Callable[[FromChild], None],
    ) -> SimulatedChild:
        return SimulatedChild(_Life(self), self.chance, order, limits, environment, on_line)

    def _note_status(self, status: LinkStatus) -> None:
        self.status = status
        if self.is_up and status.state in (LinkState.ONLINE, LinkState.REFUSED):
            self.world.note(f"{self.name} is {status.state}")

    def _lose_lines(self, *, silently: bool) -> None:
        for line in self._lines:
            line.loses_worker(silently=silently)
        self._lines = []


class _Life:
    """A machine until its program dies: a child of an earlier life does nothing more."""

    def __init__(self, host: WorkerHost) -> None:
        self._host, self._number = host, host.lives

    @property
    def is_up(self) -> bool:
        return self._host.is_up and self._host.lives == self._number

    def effect(self, spec: JobSpec) -> None:
        self._host.effect(spec)

    def used(self, job_id: JobId, key: str, value: str) -> None:
        self._host.used(job_id, key, value)

    def tries(self, job_id: JobId) -> int:
        return self._host.tries(job_id)

    def is_done(self, maker: str, index: int) -> bool:
        return (maker, index) in self._host.done

    def do(self, maker: str, index: int) -> None:
        self._host.do(maker, index)

    def step_told(self, maker: str, index: int, over: StepOver) -> None:
        self._host.step_told(maker, index, over)
