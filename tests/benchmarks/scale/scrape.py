"""What a scrape of the hub costs with much in its memory: CPU milliseconds and bytes.

    python -m tests.benchmarks.scale.scrape [--jobs 10000] [--workers 1000]
        [--people 100] [--rounds 20]

Jobs and workers stand on the board of a real hub; figures are read and written as for a scrape,
without the socket. It asserts nothing about time.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from hub.app import Hub, running
from hub.core.worker import Presence
from hub.frontends.metrics.exposition import Exposition
from hub.frontends.metrics.fleet import NOBODY
from hub.frontends.metrics.readings import read_all
from hub.frontends.metrics.site import MetricsSite
from hub.routes import made_metrics
from hub.settings import Settings
from shared.capabilities import Capability
from shared.ids import JobId, PersonId, WorkerId
from shared.jobs import Priority
from shared.kinds.catalogue import BUILT_IN
from tests.makers import NOON, make_job


def fill(hub: Hub, *, jobs: int, workers: int, people: int) -> None:
    board, kinds, urgencies = hub.services.gauge._board, sorted(BUILT_IN), list(Priority)
    capabilities = tuple(Capability(kind=kind) for kind in kinds)
    for number in range(workers):
        presence = Presence(
            worker_id=WorkerId(f"worker-{number}"),
            person_id=PersonId(f"person-{number % people}"),
            name=f"worker {number}",
            capabilities=capabilities,
            slots=0,  # nobody takes anything: all wait
            last_seen_at=NOON,
        )
        board.arrive(presence)
    for number in range(jobs):
        job = make_job(
            f"job-{number}",
            person_id=PersonId(f"person-{number % people}"),
            kind=kinds[number % len(kinds)],
            priority=urgencies[number % len(urgencies)],
            job_id=JobId(f"job-{number}"),
        )
        board.update(job, 0.0, NOON)


async def measure(jobs: int, workers: int, people: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        async with running(Settings(port=0, data=Path(name))) as hub:
            fill(hub, jobs=jobs, workers=workers, people=people)
            site = made_metrics(
                hub.services,
                hub.engine,
                hub.host,
                hub.watch,
                hub.fleet_desk,
                environment=hub.environment,
                commit_seconds=hub.database.commit_seconds,
                version="benchmark",
            )
            assert isinstance(site, MetricsSite)
            sources, exposition = site._sources, Exposition()
            census = await sources.watch.census.counted()
            costs = []
            body = b""
            for _ in range(rounds):
                begun = time.process_time()
                body = exposition.write(read_all(sources, census, NOBODY, 0.0))
                costs.append((time.process_time() - begun) * 1e3)
    print(f"{jobs:,} jobs, {workers:,} workers, {people:,} people: {len(body):,} bytes")
    print(f"CPU ms a scrape: median {statistics.median(costs):.1f}, most {max(costs):.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=1_000)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    asyncio.run(measure(options.jobs, options.workers, options.people, options.rounds))


if __name__ == "__main__":
    main()
