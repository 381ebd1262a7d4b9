"""How long a new machine takes to have its person's whole log: by snapshot, and over the line.

python -m tests.benchmarks.sync.bootstrap [EVENTS]

A real hub and a real worker over sockets, in one process; what is counted ends when the worker
has committed the last event.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from desktop.agent import Seams
from desktop.store import facts
from hub.store.database import open_store
from hub.store.ledger import Entry, Ledger
from shared.environment import Environment
from shared.events import (
    EventBody,
    JobGranted,
    JobLogged,
    JobQueued,
    JobStarted,
    JobSucceeded,
    TaskCreated,
    write_event,
)
from shared.ids import JobId, PersonId, TaskId, WorkerId
from shared.logs import configure
from tests.flows.ring import Ring, Worker, a_ring

EVENTS = 100_000
LOGS_PER_JOB = 5
LINES_PER_LOG = 4
ENVIRONMENT = Environment()
WRITER = WorkerId("01a1f8d3-ea00-7f86-9895-78df43e47ae8")


async def fill(folder: Path, person_id: PersonId, events: int) -> None:
    """Let a hub's log tell of jobs that another machine of the person's has done."""
    seq = 0

    def run(entry: Entry) -> None:
        nonlocal seq
        for _ in range(200):
            seq = _tell_job(entry, person_id, seq)

    with open_store(folder) as database:
        ledger = Ledger(database, ENVIRONMENT)
        while ledger.position < events:
            await ledger.write(run)


def _tell_job(entry: Entry, person_id: PersonId, seq: int) -> int:
    job_id, task_id = JobId(ENVIRONMENT.new_id()), TaskId(ENVIRONMENT.new_id())
    queued = JobQueued(job_id=job_id, task_id=task_id, kind="ml.train", title="Train", attempt=1)
    names = {"job_id": job_id, "attempt": 1, "fence": 1}
    lines = tuple(f"epoch {line}: loss 0.{line}" for line in range(LINES_PER_LOG))
    result = {"headline": "Trained: R² 0.91."}
    entry.tell(person_id, TaskCreated(task_id=task_id, person_id=person_id, text="train it"))
    entry.tell(person_id, queued)
    entry.tell(person_id, JobGranted(**names, worker_id=WRITER))
    own: list[EventBody] = [
        JobStarted(**names),
        *(JobLogged(**names, lines=lines) for _ in range(LOGS_PER_JOB)),
        JobSucceeded(**names, result=result, running_seconds=2.5),
    ]
    for body in own:
        seq += 1
        entry.keep(
            person_id, write_event(body, device=WRITER, epoch=1, seq=seq, at=ENVIRONMENT.now())
        )
    return seq


async def bring(ring: Ring, name: str, *, by_snapshot: bool) -> float:
    """Let a new machine join and take everything in; return the seconds it took."""
    worker = await ring.pair(name)
    worker.setup = replace(worker.setup, seams=Seams(has_snapshots=by_snapshot))
    began = time.monotonic()
    worker.start()
    try:
        while (await _cursor(worker)) < ring.hub.services.feed.position() - 1:
            await asyncio.sleep(0.1)
        return time.monotonic() - began
    finally:
        await worker.stop()


async def _cursor(worker: Worker) -> int:
    return (await worker.database.read(facts.hub_cursor))[1]


async def main(events: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with a_ring(Path(folder)) as ring:
            person_id = ring.person_id
        await fill(Path(folder) / "hub", person_id, events)
        async with a_ring(Path(folder)) as ring:
            print(f"a log of {ring.hub.services.feed.position():,} events")
            for name, by_snapshot in (("by snapshot", True), ("over the line", False)):
                seconds = await bring(ring, f"{name} pc", by_snapshot=by_snapshot)
                print(f"  {name:14} {seconds:6.1f} s", flush=True)


if __name__ == "__main__":
    configure(json_lines=False, level="WARNING")
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS))
