"""Deskhand alone: durable jobs/s, CPU of its hub and latency, in a minute; for before and after.

    python -m tests.benchmarks.queue.ours [--jobs 3000] [--rounds 3] [--callers 1 64 1000]

Hub, worker and producer are processes of their own. The producer calls the REST API with a key
over connections that are kept; "inside" is the same without HTTP, asked for in the hub's process.
A job is done when its result is committed on the worker and on the hub.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.machine import WORK, fsync_ms
from tests.benchmarks.queue.children import Child, child, ours
from tests.benchmarks.queue.nothing import NOTHING
from tests.benchmarks.queue.records import Records
from tests.benchmarks.queue.systems import WARM_JOBS, Queue, Run
from tests.enrolled import enrol

GAP_SECONDS = 0.02
PROBES = 200
ONLINE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Costed:
    """A run, and what the hub's process took for it."""

    run: Run
    cpu_us: float
    """A job, all threads."""
    loop_cpu_us: float
    """Of it, on the event loop's thread."""


@dataclass(frozen=True, slots=True)
class Deskhand:
    queue: Queue
    hub: Child

    def costed(self, jobs: int, callers: int) -> Costed:
        """Have jobs done that are asked for by REST."""
        before = self.hub.ask("usage")
        run = self.queue.run(jobs, callers)
        return self._costed(run, before)

    def inside(self, jobs: int, callers: int) -> Costed:
        """Have jobs done that are asked for inside the hub's process."""
        before, count = self.hub.ask("usage"), len(self.queue.records)
        run = self.queue.done(self.hub.ask(f"enqueue {jobs} {callers}"), count, jobs)
        return self._costed(run, before)

    def _costed(self, run: Run, before: dict[str, float]) -> Costed:
        after = self.hub.ask("usage")
        cpu = after["cpu_seconds"] - before["cpu_seconds"]
        loop_cpu = after["loop_cpu_seconds"] - before["loop_cpu_seconds"]
        return Costed(run, cpu / run.jobs * 1e6, loop_cpu / run.jobs * 1e6)


@contextlib.contextmanager
def deskhand(folder: Path) -> Iterator[Deskhand]:
    """Run a hub with one person, one worker and one producer, on a store of its own."""
    [member] = enrol(folder / "hub", 1, 1, (NOTHING.name,))
    [machine] = member.machines
    records = Records(folder / "records")
    with contextlib.ExitStack() as ends:
        hub = ends.enter_context(child(ours("hub", folder / "hub", "0"), folder / "hub.log"))
        url = str(hub.answer()["url"])
        socket = url.replace("http", "ws", 1) + "/api/v1/worker"
        worker = ends.enter_context(
            child(
                ours(
                    "worker", socket, machine.worker_id, machine.token,
                    folder / "journal.db", folder / "records",
                ),
                folder / "worker.log",
            )
        )  # fmt: skip
        worker.until(lambda: hub.ask("online")["online"] == 1, ONLINE_SECONDS)
        producer = ends.enter_context(
            child(ours("producer", url, member.key), folder / "producer.log")
        )
        queue = Queue(producer, records)
        queue.run(WARM_JOBS, 1)
        yield Deskhand(queue, hub)


def _round(jobs: int, callers: list[int], folder: Path) -> dict[str, float]:
    found = {"load": os.getloadavg()[0], "fsync p50 ms": fsync_ms(folder)}
    with deskhand(folder) as system:
        waits = system.queue.run(PROBES, 1, GAP_SECONDS).start_ms()
        found["start p50 ms"] = waits[len(waits) // 2]
        found["start p99 ms"] = waits[int(len(waits) * 0.99)]
        for count in callers:
            for name, ask in (("REST", system.costed), ("inside", system.inside)):
                costed = ask(jobs if count > 1 else jobs // 10, count)
                found[f"{name}, {count} callers: jobs/s"] = costed.run.per_second
                found[f"{name}, {count} callers: hub CPU us/job"] = costed.cpu_us
                found[f"{name}, {count} callers: of it, the loop's"] = costed.loop_cpu_us
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--jobs", type=int, default=3000, help="a tenth of them for one caller")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 64, 1000])
    asked = parser.parse_args()
    WORK.mkdir(exist_ok=True)
    rounds = []
    begun = time.monotonic()
    for _ in range(asked.rounds):
        with tempfile.TemporaryDirectory(dir=WORK) as folder:
            rounds.append(_round(asked.jobs, asked.callers, Path(folder)))
    print(f"{'':44}{'min':>10}{'median':>10}{'max':>10}")
    for name in rounds[0]:
        values = [found[name] for found in rounds]
        told = (min(values), statistics.median(values), max(values))
        print(f"{name:44}" + "".join(f"{value:10.2f}" for value in told))
    print(f"{time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
