"""What goes wrong: at random, and tied to steps of the protocol or to commits.

Random faults alone do not find what needs a fault at one certain step, so a world also lays a few
traps: "after an offer was sent, cut the way up for two minutes", "crash before this commit".
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from tests.simulation.hosts import Host, HubHost, WorkerHost
from tests.simulation.network import Line, Way

MEAN_SECONDS = 18.0
"""Between two random faults."""
DAY = 86_400.0
HOPS_MAX = 40
"""Steps of the loop by which a crash is put off, so that it falls between any two awaits."""
STEPS = (
    "hello", "welcome", "offer", "accept", "grant", "decline", "cancel", "push", "ack", "events",
    "seen", "beat",
)  # fmt: skip
COMMON = ("offer", "accept", "grant", "ack", "push", "welcome", "events", "cancel")


class Stage(Protocol):
    """What faults are done to."""

    hub: HubHost
    workers: list[WorkerHost]
    loop: asyncio.AbstractEventLoop

    @property
    def may_fail(self) -> bool: ...

    def note(self, what: str) -> None: ...


@dataclass(slots=True)
class Trap:
    """A fault that waits for its step."""

    step: str
    """A message's type, or "before" or "after" for a commit."""
    deed: str
    chance: float
    left: int


class Faults:
    def __init__(self, stage: Stage, chance: random.Random) -> None:
        self._stage, self._chance = stage, chance
        self.done: Counter[str] = Counter()
        self._pace = chance.choice((0.5, 1.0, 1.0, 3.0))
        self._traps = self._lay()

    async def run(self) -> None:
        """Do harm at random for as long as it may be done."""
        deeds = [
            self._cut_both, self._cut_one, self._cut_one, self._break, self._mute,
            self._crash_worker, self._crash_worker, self._crash_hub, self._jump, self._slow_disk,
            self._slow_line, self._hurry, self._stop,
        ]  # fmt: skip
        while self._stage.may_fail:
            await asyncio.sleep(self._chance.expovariate(1 / (MEAN_SECONDS * self._pace)))
            if self._stage.may_fail:
                self._chance.choice(deeds)()

    def on_frame(self, line: Line, way: Way, kind: str) -> None:
        """Spring a trap on a frame that was just sent."""
        for trap in self._traps:
            if trap.step == kind and self._springs(trap):
                self._spring(trap, line, way)

    def on_commit(self, host: Host, when: str) -> None:
        for trap in self._traps:
            if trap.step == when and self._springs(trap):
                self._count(f"crash {when} commit of {host.name}")
                host.crash(self._down_seconds(), silently=self._chance.random() < 0.3)

    def _lay(self) -> list[Trap]:
        traps = [
            Trap(
                step=self._chance.choice(COMMON if self._chance.random() < 0.8 else STEPS),
                deed=self._chance.choice(
                    ("cut own way", "cut other way", "cut both", "crash sender", "crash receiver",
                     "break", "mute")
                ),
                chance=self._chance.choice((1.0, 0.3, 0.05)),
                left=self._chance.randint(1, 3),
            )
            for _ in range(self._chance.randint(0, 4))
        ]  # fmt: skip
        for when in ("before", "after"):
            if self._chance.random() < 0.4:
                traps.append(Trap(when, "crash", 0.004, self._chance.randint(1, 3)))
        return traps

    def _springs(self, trap: Trap) -> bool:
        if not (self._stage.may_fail and trap.left) or self._chance.random() >= trap.chance:
            return False
        trap.left -= 1
        return True

    def _spring(self, trap: Trap, line: Line, way: Way) -> None:
        self._count(f"{trap.deed} after {trap.step} of {line.name}")
        worker = next(w for w in self._stage.workers if w.name == line.name)
        other = Way.DOWN if way is Way.UP else Way.UP
        seconds = self._chance.uniform(90, 200)
        sender, receiver = (worker, self._stage.hub) if way is Way.UP else (self._stage.hub, worker)
        match trap.deed:
            case "cut own way":
                worker.route.cut(way, seconds)
            case "cut other way":
                worker.route.cut(other, seconds)
            case "cut both":
                worker.route.cut(way, seconds)
                worker.route.cut(other, seconds)
            case "crash sender":
                self._crash(sender)
            case "crash receiver":
                self._crash(receiver)
            case "break":
                line.breaks()
            case _:
                line.leads_nowhere()

    # At random.

    def _cut_both(self) -> None:
        seconds = self._chance.uniform(1, 200)
        worker = self._worker("cut both ways")
        for way in Way:
            worker.route.cut(way, seconds)

    def _cut_one(self) -> None:
        way = self._chance.choice((Way.UP, Way.DOWN))
        self._worker(f"cut way {way}").route.cut(way, self._chance.uniform(5, 200))

    def _break(self) -> None:
        worker = self._worker("break")
        if worker.line is not None:
            worker.line.breaks()

    def _mute(self) -> None:
        worker = self._worker("mute")
        if worker.line is not None:
            worker.line.leads_nowhere()

    def _crash_worker(self) -> None:
        self._crash(self._worker("crash"))

    def _crash_hub(self) -> None:
        self._count("crash hub")
        self._crash(self._stage.hub)

    def _crash(self, host: Host) -> None:
        life, silently = host.lives, self._chance.random() < 0.3
        down = self._down_seconds()

        def hop(left: int) -> None:
            if left:
                self._stage.loop.call_soon(hop, left - 1)
            elif host.lives == life:
                host.crash(down, silently=silently)

        hop(self._chance.randint(0, HOPS_MAX))

    def _jump(self) -> None:
        host = self._chance.choice([self._stage.hub, *self._stage.workers])
        seconds = self._chance.choice(
            (self._chance.uniform(-3, 3) * DAY, self._chance.uniform(-90, 90))
        )
        self._count(f"clock of {host.name} jumps {seconds:.0f} s")
        host.clock.ahead_seconds += seconds

    def _slow_disk(self) -> None:
        host = self._chance.choice([self._stage.hub, *self._stage.workers])
        self._count(f"slow disk of {host.name}")
        host.slow_until = self._stage.loop.time() + self._chance.uniform(5, 40)

    def _slow_line(self) -> None:
        self._worker("slow line").route.slowest_seconds = self._chance.choice((0.08, 0.5, 4.0))

    def _hurry(self) -> None:
        worker = self._worker("wakes")
        if worker.agent is not None and worker.is_up:
            self._chance.choice((worker.agent.woke, worker.agent.hurry))()

    def _stop(self) -> None:
        host = self._chance.choice([self._stage.hub, *self._stage.workers])
        self._count(f"stop {host.name}")
        host.stop(self._chance.uniform(0, 60))

    def _worker(self, why: str) -> WorkerHost:
        worker = self._chance.choice(self._stage.workers)
        self._count(f"{why} {worker.name}")
        return worker

    def _down_seconds(self) -> float:
        return self._chance.choice((0.0, self._chance.uniform(0, 5), self._chance.uniform(5, 120)))

    def _count(self, what: str) -> None:
        self.done[what] += 1
        self._stage.note(f"fault: {what}")
