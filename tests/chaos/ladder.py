"""The ladder: every rung one after the other, one line each; what a rung does is its own module's.

T0 protocol    the ends without I/O against a model        tests.protocol_machine
T1 simulation  hub, workers and chats in virtual time      tests.simulation
T2 power       every state a power cut may leave on disk   tests.power
T3 processes   real processes, lines, clocks and stores    tests.chaos.processes
               coding jobs that ask, and are killed         tests.chaos.coding
               nodes of the fleet, broker and hub killed  tests.chaos.fleet
               disks that fail, disks that are full       tests.chaos.failing_disks
T4 fuzz        frames, events and requests of nobody's     tests.fuzz
T5 soak        a long day with few faults, then drift      tests.chaos.soak
T6 mutants     planted bugs: each must be found            tests.mutants
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.chaos.rung import Rung, read_rung

TAIL_LINES = 40
"""What is shown of a rung that failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rung of the ladder, and how much of it."""

    name: str
    module: str
    size: str = ""
    """Its option for how much; empty for one that has no size."""
    count: int = 0
    takes_seed: bool = True

    def command(self, seed: int) -> list[str]:
        command = [sys.executable, "-m", self.module]
        if self.size:
            command += [self.size, str(self.count)]
        if self.takes_seed:
            command += ["--seed", str(seed)]
        return command


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    rung: Rung
    is_passed: bool
    seconds: float
    said: str
    """The last lines of a rung that failed."""

    def line(self) -> str:
        verdict = "passed" if self.is_passed else "FAILED"
        return f"{self.rung.line()}  {verdict} in {self.seconds:,.0f} s"


def climb(steps: Iterable[Step], seed: int | None = None) -> Iterator[Outcome]:
    """Run the rungs; each is told as soon as it is over."""
    chosen = random.randrange(10**6) if seed is None else seed
    for step in steps:
        yield run(step, chosen)


def run(step: Step, seed: int) -> Outcome:
    """Run one rung and read its last line that tells what was tried."""
    begun = time.monotonic()
    done = subprocess.run(
        step.command(seed),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    told = [rung for line in lines if (rung := read_rung(step.name, line))]
    rung = told[-1] if told else Rung(name=step.name)
    is_passed = done.returncode == 0 and rung.tried > 0 and rung.is_clean
    said = "" if is_passed else "\n".join(lines[-TAIL_LINES:])
    return Outcome(rung=rung, is_passed=is_passed, seconds=time.monotonic() - begun, said=said)
