"""One world: a seed decides everything that happens in it.

First everybody is busy and things go wrong; then all is healed and what was asked must come to
its end; then what everybody knows is compared.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from desktop.runner.lines import StepOver
from shared.ids import JobId
from shared.jobs import JobSpec
from tests.simulation.faults import Faults
from tests.simulation.hosts import Host, HubHost, WorkerHost
from tests.simulation.loop import VirtualLoop
from tests.simulation.network import Line, Way, type_of
from tests.simulation.oracles import Breach, Oracles
from tests.simulation.people import Asked, Attendant, Chatter, Person, Sitter
from tests.simulation.template import template

BUSY_SECONDS = (50.0, 200.0)
DRAIN_SECONDS = 60.0
"""After all is healed, outboxes are empty within this."""
END_SECONDS = 3 * 3600.0
"""After all is healed, every job has ended within this: failures are tried again with waits."""
MIDWAY_LOOKS_MAX = 20
BREACHES_MAX = 5
FAST_FOLDER = Path("/dev/shm")


@dataclass(slots=True)
class Report:
    """What came of one world."""

    seed: int
    seconds: float = 0.0
    """Virtual ones."""
    faults: int = 0
    jobs: int = 0
    effects: int = 0
    breaches: list[Breach] = field(default_factory=list)
    digest: str = ""
    """Of all that happened, in order."""


def try_world(seed: int, tell: Callable[[str], None] | None = None) -> Report:
    """Run a world; `tell` gets each line of what happens in it."""
    template()
    shelf = FAST_FOLDER if FAST_FOLDER.is_dir() else None
    with (
        tempfile.TemporaryDirectory(dir=shelf, prefix="deskhand-sim-") as folder,
        asyncio.Runner(loop_factory=VirtualLoop) as runner,
    ):
        return runner.run(_try(seed, Path(folder), tell))


async def _try(seed: int, folder: Path, tell: Callable[[str], None] | None) -> Report:
    world = World(seed, folder, tell)
    try:
        return await world.run()
    finally:
        world.close()


class World:
    def __init__(self, seed: int, folder: Path, tell: Callable[[str], None] | None) -> None:
        self.loop = asyncio.get_running_loop()
        self.loop.set_exception_handler(self._unhandled)
        self.report = Report(seed)
        self.may_fail = self.is_busy = False
        self._tell = tell
        self._digest = hashlib.sha256()
        self._tries: dict[JobId, int] = {}
        self.asked = Asked()
        made = template()
        self.person_id = made.person_id
        self.hub = HubHost(_folder(folder / "hub"), self, self._chance("hub"))
        self.hub.store.write_bytes(made.hub_store)
        self.workers = []
        for joined in made.workers:
            name = joined.pairing.worker_name
            place, chance = _folder(folder / name), self._chance(name)
            worker = WorkerHost(
                joined.pairing, joined.token, place, self, chance, self.hub, chance.randint(1, 3)
            )
            worker.store.write_bytes(joined.store)
            self.workers.append(worker)
        self.oracles = Oracles(self.hub, self.workers, self.asked, self.breach)
        self.faults = Faults(self, self._chance("faults"))
        structlog.configure(
            processors=[self._log], wrapper_class=structlog.make_filtering_bound_logger(40)
        )

    async def run(self) -> Report:
        self.hub.start()
        chance = self._chance("world")
        for worker in self.workers:
            self.loop.call_later(chance.uniform(0, 5), worker.start)
        await self._be_busy(chance)
        self._heal()
        await self._settle()
        self.report.seconds = self.loop.time()
        self.report.faults = self.faults.done.total()
        self.report.effects = self.oracles.effects.total()
        self.report.jobs = len(set(self.asked.jobs)) + len(self.asked.written)
        self.report.digest = self._digest.hexdigest()
        return self.report

    def close(self) -> None:
        for host in (self.hub, *self.workers):
            host.end()
        self.oracles.close()

    async def _be_busy(self, chance: random.Random) -> None:
        self.may_fail = self.is_busy = True
        people: list[Person] = [
            *(Chatter(name, self, self.asked, self._chance(name)) for name in ("phone", "web")),
            *(
                Sitter(worker, self, self.asked, self._chance(f"at {worker.name}"))
                for worker in self.workers
            ),
        ]
        harming = self.loop.create_task(self.faults.run())
        self._wishing = [self.loop.create_task(one.run()) for one in people]
        for _ in range(int(chance.uniform(*BUSY_SECONDS) / 10)):
            if self.is_broken:
                break
            await asyncio.sleep(10)
        self.may_fail = self.is_busy = False
        harming.cancel()

    def _heal(self) -> None:
        self.note("all is healed")
        for host in (self.hub, *self.workers):
            host.slow_until = 0.0
            host.start()
        for worker in self.workers:
            worker.route.heal()
            if worker.agent is not None:
                worker.agent.hold(None)

    async def _settle(self) -> None:
        healed_at = self.loop.time()
        marks = {worker.name: self.oracles.last_event(worker.name) for worker in self.workers}
        attendant = Attendant("attendant", self, self.asked, self._chance("attendant"))
        await self._compare_midway()
        attending = self.loop.create_task(attendant.run_until(lambda: self.is_broken))
        is_drained = False
        while not self.is_broken:
            await asyncio.sleep(1.0)
            waited = self.loop.time() - healed_at
            if not is_drained and waited > DRAIN_SECONDS:
                is_drained = True
                self._judge_drained(marks)
            if all(task.done() for task in self._wishing) and self._is_quiet():
                break
            if waited > END_SECONDS:
                self._tell_stuck()
                break
        attending.cancel()
        for task in self._wishing:
            task.cancel()
        for task in self._wishing:
            if task.done() and not task.cancelled():
                task.result()
        if not self.is_broken:
            self.oracles.finish([worker.name for worker in self._belonging()])

    async def _compare_midway(self) -> None:
        """Jobs that still go on are known to everybody alike, once everybody has heard all."""
        for _ in range(MIDWAY_LOOKS_MAX):
            heard = self.oracles.hub_seq
            await asyncio.sleep(3.0)
            if self.oracles.hub_seq == heard and self._has_heard_all():
                for worker in self._belonging():
                    self.oracles.judge_copy(worker.name)
                return

    def _has_heard_all(self) -> bool:
        return all(
            self.oracles.undrained(worker.name) == 0 and self.oracles.behind(worker.name) == 0
            for worker in self._belonging()
        )

    def _is_quiet(self) -> bool:
        return not self.oracles.unended() and self._has_heard_all()

    def _belonging(self) -> list[WorkerHost]:
        return [worker for worker in self.workers if worker.name not in self.asked.revoked]

    def _judge_drained(self, marks: dict[str, int]) -> None:
        """What waited when all was healed has arrived."""
        for worker in self._belonging():
            left = self.oracles.unacked_of(worker.name, marks[worker.name])
            if left:
                self.breach(
                    "stuck", f"{left} events of {worker.name} wait {DRAIN_SECONDS:.0f} s after heal"
                )

    def _tell_stuck(self) -> None:
        for job_id, state in self.oracles.unended().items():
            self.breach("stuck", f"job {job_id} is still {state}")
        for worker in self._belonging():
            left, behind = self.oracles.undrained(worker.name), self.oracles.behind(worker.name)
            if left or behind or not worker.is_up:
                self.breach(
                    "stuck",
                    f"{worker.name} has {left} events to tell and {behind} to hear:"
                    f" {worker.status}",
                )
        for task in self._wishing:
            if not task.done():
                self.breach("stuck", f"a person waits: {task}")

    @property
    def is_broken(self) -> bool:
        return bool(self.report.breaches)

    def breach(self, sort: str, what: str) -> None:
        found = Breach(sort, self.loop.time(), what)
        self.note(f"BREACH {found}")
        if len(self.report.breaches) < BREACHES_MAX:
            self.report.breaches.append(found)

    def note(self, what: str) -> None:
        line = f"{self.loop.time():10.3f} {what}"
        self._digest.update(line.encode())
        if self._tell is not None:
            self._tell(line)

    # What hosts tell (`tests.simulation.hosts.Overseer`).

    def sent(self, line: Line, way: Way, frame: str) -> None:
        kind = type_of(frame)
        self.note(f"{line.name} {way} {frame}")
        self.oracles.sent(line.name, way, kind, frame)
        self.faults.on_frame(line, way, kind)

    def committing(self, host: Host) -> bool:
        self.faults.on_commit(host, "before")
        return host.is_up

    def committed(self, host: Host) -> None:
        if host is self.hub:
            self.oracles.hub_committed()
        self.faults.on_commit(host, "after")

    def effect(self, host: Host, spec: JobSpec) -> None:
        self.note(f"{host.name} effect of {spec.job_id}")
        self.oracles.effect(host.name, spec)

    def used(self, host: Host, job_id: JobId, key: str, value: str) -> None:
        self.note(f"{host.name} goes on with {key} {value} for {job_id}")
        self.oracles.used(host.name, job_id, key, value)

    def tries(self, host: Host, job_id: JobId) -> int:
        self.oracles.started(host.name, job_id)
        before = self._tries.get(job_id, 0)
        self._tries[job_id] = before + 1
        return before

    def did(self, host: Host, maker: str, index: int) -> None:
        self.note(f"{host.name} did part {index} of {maker}")
        self.oracles.did(host.name, maker, index)

    def step_told(self, host: Host, maker: str, index: int, over: StepOver) -> None:
        self.note(f"{host.name} tells {maker} of step {index}: {over.state} {over.code}")
        self.oracles.step_told(host.name, maker, index, over)

    def failed(self, host: Host, error: BaseException) -> None:
        self.breach("stuck", f"the program of {host.name} ended: {_words(error)}")

    def _unhandled(self, _loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException) and not _is_of_crash(error):
            self.breach("stuck", f"{context['message']}: {_words(error)}")

    def _log(self, _logger: object, _name: str, event: structlog.types.EventDict) -> str:
        """What the product logs as an error is one, unless its program just died."""
        error = sys.exc_info()[1]
        if error is None or not _is_of_crash(error):
            self.breach("stuck", f"logged: {event} {_words(error) if error else ''}")
        raise structlog.DropEvent

    def _chance(self, name: str) -> random.Random:
        return random.Random(f"{self.report.seed} {name}")


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _is_of_crash(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_is_of_crash(one) for one in error.exceptions)
    return "store_closed" in str(getattr(error, "code", "")) or type(error).__name__ == "Gone"


def _words(error: BaseException) -> str:
    with suppress(Exception):
        return "".join(traceback.format_exception(error))[-3000:]
    return repr(error)
