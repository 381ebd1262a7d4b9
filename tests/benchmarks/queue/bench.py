"""Durable jobs a second and the time from request to start, beside other queues.

    python -m tests.benchmarks.queue.bench --out FILE [--quick] [--rounds 3]

Every round runs each queue once in turn: its broker or hub, one worker process and one producer
process, all new, on a store of their own. How many jobs a phase takes follows from a short one
before it, so that slow and fast queues are at work about as long.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import FrameType

from hub.store.database import STORE_NAME
from tests.benchmarks import machine
from tests.benchmarks.queue import bare, peers
from tests.benchmarks.queue.brokers import Absent
from tests.benchmarks.queue.findings import Findings
from tests.benchmarks.queue.ours import GAP_SECONDS, deskhand
from tests.benchmarks.queue.peers import CELERY, PEERS, TASKIQ, Peer
from tests.benchmarks.queue.systems import Queue
from tests.benchmarks.report import OURS, Part, table

CALLERS = 64
MANY_CALLERS = 1000
PILOT_JOBS = {1: 20, CALLERS: 128}
JOBS_MAX = 9000
WEAKER = ("Celery", "Dramatiq", "taskiq", "Huey Redis")
"""Those whose durability is Redis', and which are worth a row with a weaker one."""


@dataclass(frozen=True, slots=True)
class Scope:
    """How much of everything."""

    rounds: int = 3
    probes: int = 100
    """For latency, one each GAP_SECONDS."""
    phase_seconds: float = 1.2
    """About how long a phase of a queue takes."""
    growth: tuple[int, ...] = (1000, 3000, 9000)
    growth_rounds: int = 2
    weaker: tuple[str, ...] = WEAKER


QUICK = Scope(
    rounds=1,
    probes=40,
    phase_seconds=0.4,
    growth=(200, 600, 1800),
    growth_rounds=1,
    weaker=(CELERY.name, TASKIQ.name),
)


@dataclass(slots=True)
class Bench:
    scope: Scope
    findings: Findings
    out: Path
    failed: set[str] = field(default_factory=set)
    """What is not tried again."""

    def run(self, ready: list[Peer]) -> None:
        for number in range(self.scope.rounds):
            _tell(f"round {number + 1} of {self.scope.rounds}, load {os.getloadavg()[0]:.1f}")
            self.findings.limits(machine.fsync_ms(machine.WORK), machine.round_trip_ms())
            self._attempt(OURS, self._ours)
            for peer in ready:
                self._attempt(peer.name, partial(self._peer, peer))
            for peer in ready:
                if peer.name in self.scope.weaker:
                    self._attempt(f"{peer.name}, synced once a second", partial(self._weaker, peer))
            if number < self.scope.growth_rounds:
                for jobs in self.scope.growth:
                    self._attempt(f"{OURS}, {jobs:,} jobs", partial(self._grow, jobs))
            self._keep()

    def _attempt(self, name: str, measure: Callable[[Path], None]) -> None:
        """Measure in a folder of its own; what fails is noted once, and costs no other queue."""
        if name in self.failed:
            return
        _tell(f"  {name}")
        try:
            with tempfile.TemporaryDirectory(dir=machine.WORK) as folder:
                Path(folder).chmod(0o755)  # for PostgreSQL, which runs as somebody else
                measure(Path(folder))
        except (Absent, OSError, subprocess.SubprocessError) as error:
            self.failed.add(name)
            self.findings.part.notes.append(f"{name} was not measured to its end: {error}.")
        self._keep()

    def _keep(self) -> None:
        self.findings.judge()
        self.findings.part.save(self.out)

    def _ours(self, folder: Path) -> None:
        with deskhand(folder) as system:
            self._latency(OURS, system.queue)
            self.findings.ours_alone(system.costed(self._count(system.queue, 1), 1))
            jobs = self._count(system.queue, CALLERS)
            self.findings.ours(system.costed(jobs, CALLERS), system.inside(jobs, CALLERS))
            system.queue.run(MANY_CALLERS, MANY_CALLERS)  # opens their connections
            self.findings.many_callers(system.queue.run(max(jobs, MANY_CALLERS), MANY_CALLERS))
        rows_us = bare.rows_us(folder / "hub" / STORE_NAME, folder)
        self.findings.least(bare.http_us(jobs, CALLERS, folder), rows_us)

    def _peer(self, peer: Peer, folder: Path) -> None:
        with peers.running(peer, folder, "always") as queue:
            self._latency(peer.name, queue)
            self.findings.one.add(peer.name, self._per_second(queue, 1))
            many = self._per_second(queue, CALLERS)
            self.findings.many.add(peer.name, many, stands=peer.stands("always"))

    def _weaker(self, peer: Peer, folder: Path) -> None:
        with peers.running(peer, folder, "everysec") as queue:
            many = self._per_second(queue, CALLERS)
            self.findings.weaker.add(peer.name, many, stands=peer.stands("everysec"))

    def _latency(self, name: str, queue: Queue) -> None:
        self.findings.latency(name, queue.run(self.scope.probes, 1, GAP_SECONDS).start_ms())

    def _per_second(self, queue: Queue, callers: int) -> float:
        return queue.run(self._count(queue, callers), callers).per_second

    def _count(self, queue: Queue, callers: int) -> int:
        """How many jobs take about as long as a phase may."""
        pilot = PILOT_JOBS[callers]
        rate = queue.run(pilot, callers).per_second
        return max(pilot, min(JOBS_MAX, int(rate * self.scope.phase_seconds)))

    def _grow(self, jobs: int, folder: Path) -> None:
        with deskhand(folder) as system:
            system.queue.run(PILOT_JOBS[CALLERS], CALLERS)
            self.findings.grown(jobs, system.costed(jobs, CALLERS).cpu_us * jobs / 1e6)


def measure(scope: Scope, out: Path) -> Part:
    """Measure all of it; what was found is saved after every queue."""
    begun = time.monotonic()
    findings = Findings()
    part = findings.part
    part.mood = machine.mood()
    part.save(out)
    ready, part.versions, missing = peers.installed(PEERS)
    part.notes += missing
    left_out = [peer.name for peer in ready if peer.name in {*WEAKER} - {*scope.weaker}]
    if left_out:
        part.notes.append(f"--quick leaves out, synced once a second: {', '.join(left_out)}.")
    findings.promised(ready)
    Bench(scope, findings, out).run(ready)
    part.seconds = time.monotonic() - begun
    part.save(out)
    return part


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit("stopped")  # so that every child is ended on the way out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, default=machine.WORK / "queue.json")
    parser.add_argument("--quick", action="store_true", help="one short round of everything")
    parser.add_argument("--rounds", type=int, help="instead of 3")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, _stop)
    machine.WORK.mkdir(exist_ok=True)
    scope = QUICK if asked.quick else Scope()
    if asked.rounds:
        scope = replace(scope, rounds=asked.rounds)
    print(table(measure(scope, asked.out)))


if __name__ == "__main__":
    main()
