"""T3: nodes, the broker and the hub are killed while jobs are handed over, begun and told of.

python -m tests.chaos.fleet --kills 50 --seed 7

The worlds take turns with Redis and RabbitMQ. What is checked is seen from outside: how the hub
says that each job came out, how often each fence was begun, and marks that jobs leave on the disk.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from shared.api.jobs import JobShown
from shared.jobs import JobState
from tests.brokers.rabbitmq import RabbitServer
from tests.brokers.redis import RedisServer
from tests.brokers.server import Server
from tests.chaos.rung import Rung
from tests.flows.fleet import Fleet, a_fleet, kill, wait_for

NAME = "fleet"
WORLD_KILLS = 25
NODES = ("node-1", "node-2")
BATCH = 3
"""Jobs that are asked for before each kill."""
SETTLE_SECONDS = 300.0
"""Until all are over: tickets that a broker lost are published again after 15 s, 30 s, 60 s."""
EFFECT = "play.effect"
OVER = (JobState.SUCCEEDED, JobState.INTERRUPTED)
"""Nothing else may come of these jobs; an effect that was cut off is for a person to judge."""


@dataclass
class Storm:
    """One world, and what was found in it."""

    fleet: Fleet
    random: random.Random
    hit: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    stuck: int = 0

    @property
    def marks(self) -> Path:
        return self.fleet.folder / "marks"

    def run(self, kills: int, victims: tuple[str, ...]) -> Rung:
        for name in NODES:
            self.fleet.start_node(name)
        self.fleet.until_here(*NODES)
        for number in range(kills):
            self._ask(number)
            time.sleep(self.random.random() * 1.5)
            self._kill(victims[number % len(victims)])
        self._settle()
        self._check()
        print("\n".join(self.faults), end="\n" if self.faults else "")
        jobs = len(self.fleet.asked)
        print(f"{jobs} jobs, kills: {dict(self.hit)}", flush=True)
        return Rung(
            name=NAME,
            tried=jobs,
            faults=kills,
            lost=self.lost,
            doubled=self.doubled,
            stuck=self.stuck,
        )

    def _ask(self, number: int) -> None:
        for one in range(BATCH):
            key, took = f"{number}-{one}", self.random.randrange(1500)
            if one == BATCH - 1:
                self.fleet.ask_for(key, "play.count", number=5)
            else:
                self.fleet.ask_for(key, EFFECT, text=str(self.marks), number=took)

    def _kill(self, victim: str) -> None:
        fleet = self.fleet
        self.hit[victim] += 1
        match victim:
            case "hub":
                assert fleet.hub is not None
                kill(fleet.hub)
                fleet.start_hub()
            case "broker":
                fleet.broker.kill()
                fleet.broker.start_blocking()
            case _:
                name = self.random.choice(NODES)
                kill(fleet.nodes[name])
                fleet.start_node(name)

    def _settle(self) -> None:
        """Wait until every job is over."""
        open_jobs = set(self.fleet.asked.values())

        def are_over() -> bool:
            for job_id in list(open_jobs):
                job = self.fleet.job(job_id)
                if job.state.is_terminal or job.state is JobState.INTERRUPTED:
                    open_jobs.discard(job_id)
            return not open_jobs

        try:
            wait_for("all are over", are_over, SETTLE_SECONDS)
        except AssertionError:
            self.stuck += len(open_jobs)
            for job_id in open_jobs:
                told = self.fleet.job(job_id)
                self.faults.append(f"{job_id} is {told.state}, it went {self.fleet.types(job_id)}")

    def _check(self) -> None:
        marks = Counter(self.marks.read_text().split()) if self.marks.exists() else Counter[str]()
        for job_id in self.fleet.asked.values():
            job = self.fleet.job(job_id)
            types = Counter(self.fleet.types(job_id))
            starts = self.fleet.starts(job_id)
            if max(starts.values(), default=0) > 1 or types["job_succeeded"] > 1:
                self._doubled(job, f"it went {dict(types)}")
            if job.kind == EFFECT and marks[job_id] > 1:
                self._doubled(job, f"it had its effect {marks[job_id]} times")
            if job.state.is_terminal and job.state not in OVER:
                self._lost(job, f"it is {job.state}: {job.error}")
            if job.kind == EFFECT and job.state is JobState.SUCCEEDED and not marks[job_id]:
                self._lost(job, "it has no effect")

    def _doubled(self, job: JobShown, why: str) -> None:
        self.doubled += 1
        self.faults.append(f"{job.kind} {job.job_id}: {why}")

    def _lost(self, job: JobShown, why: str) -> None:
        self.lost += 1
        self.faults.append(f"{job.kind} {job.job_id}: {why}")


VICTIMS = ("node", "broker", "node", "hub")


def one_world(
    folder: Path, kills: int, seed: int, sort: str, victims: tuple[str, ...] = VICTIMS
) -> Rung:
    """Live through one world."""
    broker: Server
    if sort == "redis":
        broker = RedisServer(folder / "broker", "always")
    else:
        broker = RabbitServer(folder / "broker")
    with a_fleet(folder, broker, is_play=True) as fleet:
        return Storm(fleet, random.Random(seed)).run(kills, victims)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.fleet", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = random.randrange(10**6) if options.seed is None else options.seed
    print(f"replay: python -m tests.chaos.fleet --kills {options.kills} --seed {seed}", flush=True)
    total = Rung(name=NAME)
    for number, first in enumerate(range(0, options.kills, WORLD_KILLS)):
        sort = ("redis", "rabbitmq")[number % 2]
        folder = Path(tempfile.mkdtemp(prefix=f"deskhand-fleet-chaos-{seed}-{sort}-"))
        try:
            kills = min(WORLD_KILLS, options.kills - first)
            rung = one_world(folder, kills, seed + number, sort)
        except Exception:
            traceback.print_exc()
            rung = Rung(name=NAME, tried=1, faults=1, stuck=1)
        total += rung
        if rung.is_clean:
            shutil.rmtree(folder)
        else:
            print(f"its stores and logs: {folder}", flush=True)
    print(total.line())
    return 0 if total.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
