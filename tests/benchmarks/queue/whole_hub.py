"""Durable jobs a second through a whole hub, and the time from request to start.

    python -m tests.benchmarks.queue.whole_hub [--jobs 5000] [--rounds 3] [--callers 1 64 1000]

The hub runs in this process with its real store (WAL, synchronous=FULL), services and server; the
worker is another process on a real WebSocket that accepts, starts and ends each job at once. Each
request returns after its commit, each grant is sent after its commit, each result is acknowledged
after its commit: three durable steps for a job. It asserts nothing about time; the disk decides.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from hub.app import Hub, running
from hub.core.access import Person
from hub.server import spare_collector
from hub.services.requests import Request
from hub.settings import Settings
from shared.capabilities import Capability
from shared.events import AttemptEventBody, Event, JobStarted, JobSucceeded, write_event
from shared.ids import WorkerId
from shared.kinds import Inputs, Kind, Output
from shared.messages import Accept, Events, FromHub, Grant, Hello, Offer
from shared.protocol import FRAME_BYTES_MAX, WorkerEnd
from tests.benchmarks.machine import WORK, fsync_ms
from tests.pairing import Computer

NOTHING = Kind(
    name="bench.nothing",
    summary="Ends at once",
    inputs=Inputs,
    output=Output,
    idempotent=True,
    timeout_seconds=60,
)
SLOTS = 256
PROBES = 200
GAP_SECONDS = 0.02
"""Between two requests when latency at low load is measured."""
ENDED = frozenset({"job_succeeded"})


class QuickWorker:
    """Answers every offer with yes and every grant with success."""

    def __init__(self, worker_id: WorkerId, socket: ClientConnection) -> None:
        self._socket = socket
        self._worker_id = worker_id
        self._log: list[Event] = []
        self._end = WorkerEnd(hub_epoch="", hub_seq=0, outbox_seq=0, now=time.monotonic())

    async def run(self) -> None:
        self._end.hello(
            Hello(
                device=self._worker_id,
                epoch=1,
                name="bench",
                capabilities=(Capability(kind=NOTHING.name),),
                slots=SLOTS,
                outbox_seq=0,
                hub_seq=0,
            )
        )
        while True:
            await self._send()
            frame = await self._socket.recv()
            message = self._end.receive(frame, time.monotonic())
            if message is not None:
                self._act(message)

    def _act(self, message: FromHub) -> None:
        match message:
            case Offer():
                self._end.send(Accept(job_id=message.job.job_id, attempt=message.attempt))
            case Grant():
                names = {
                    "job_id": message.job_id,
                    "attempt": message.attempt,
                    "fence": message.fence,
                }
                self._note(JobStarted.model_validate(names))
                self._note(
                    JobSucceeded.model_validate(
                        {**names, "result": {"headline": "Done."}, "running_seconds": 0}
                    )
                )
            case Events():
                self._end.applied(message.upto)
            case _:
                pass

    def _note(self, body: AttemptEventBody) -> None:
        self._log.append(
            write_event(
                body,
                device=self._worker_id,
                epoch=1,
                seq=len(self._log) + 1,
                at=datetime.now(UTC),
            )
        )

    async def _send(self) -> None:
        while self._end.room and self._end.next_seq <= len(self._log):
            self._end.push(self._log[self._end.next_seq - 1 : self._end.next_seq + 99])
        for frame in self._end.frames_to_send():
            await self._socket.send(frame)


async def be_worker(url: str, worker_id: str, token: str) -> None:
    async with connect(
        url,
        additional_headers={"Authorization": f"Bearer {token}"},
        compression=None,
        max_size=FRAME_BYTES_MAX,
    ) as socket:
        with contextlib.suppress(ConnectionClosed):
            await QuickWorker(WorkerId(worker_id), socket).run()


@contextlib.asynccontextmanager
async def worker_process(hub: Hub, person: Person) -> AsyncIterator[None]:
    paired = await Computer("bench").pair(hub.services, person.person_id)
    url = hub.settings.local_url.replace("http", "ws") + "/api/v1/worker"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.queue.whole_hub", "--worker", url, paired.worker_id,
        paired.token,
    )  # fmt: skip
    while not hub.engine.connected():
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


class Watch:
    """Follows the hub's log: when jobs were told of as started, and how many have ended."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.started_at: dict[str, float] = {}
        self.ended = 0

    async def run(self) -> None:
        place = self._hub.services.feed.position()
        while True:
            for fact in await self._hub.services.feed.after(place, 1000):
                place = fact.hub_seq
                if fact.type == "job_granted":
                    self.started_at[fact.entity] = time.perf_counter()
                self.ended += fact.type in ENDED
            await self._hub.services.feed.wait(place)

    async def until_ended(self, count: int) -> None:
        while self.ended < count:
            await self._hub.services.feed.wait(self._hub.services.feed.position())
            await asyncio.sleep(0)


async def throughput(hub: Hub, person: Person, jobs: int, callers: int) -> dict[str, float]:
    watch = Watch(hub)
    waits: list[float] = []
    left = iter(range(jobs))

    async def call() -> None:
        for _ in left:
            begun = time.perf_counter()
            await hub.services.intake.request(
                Request(person_id=person.person_id, kind=NOTHING.name, title="nothing")
            )
            waits.append(time.perf_counter() - begun)

    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(watch.run())
        await asyncio.sleep(0)
        cpu, begun = time.process_time(), time.perf_counter()
        async with asyncio.TaskGroup() as callers_at_work:
            for _ in range(callers):
                callers_at_work.create_task(call())
        await watch.until_ended(jobs)
        seconds = time.perf_counter() - begun
        cpu = time.process_time() - cpu
        watching.cancel()
    waits.sort()
    return {
        "jobs/s": jobs / seconds,
        "cpu us/job": cpu / jobs * 1e6,
        "ack p50 ms": waits[len(waits) // 2] * 1e3,
        "ack p99 ms": waits[int(len(waits) * 0.99)] * 1e3,
    }


async def latency(hub: Hub, person: Person) -> dict[str, float]:
    watch = Watch(hub)
    waits = []
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(watch.run())
        for _ in range(PROBES):
            await asyncio.sleep(GAP_SECONDS)
            begun = time.perf_counter()
            receipt = await hub.services.intake.request(
                Request(person_id=person.person_id, kind=NOTHING.name, title="nothing")
            )
            while receipt.card.job_id not in watch.started_at:
                await hub.services.feed.wait(hub.services.feed.position())
                await asyncio.sleep(0)
            waits.append(watch.started_at[receipt.card.job_id] - begun)
        watching.cancel()
    waits.sort()
    return {
        "start p50 ms": waits[len(waits) // 2] * 1e3,
        "start p99 ms": waits[int(len(waits) * 0.99)] * 1e3,
    }


async def round_of(jobs: int, callers: list[int]) -> dict[str, float]:
    WORK.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as name:
        folder = Path(name)
        found = {"fsync p50 ms": fsync_ms(folder)}
        settings = Settings(port=0, data=folder)
        async with running(settings, kinds={NOTHING.name: NOTHING}) as hub:
            [person] = await hub.services.registry.people()
            async with worker_process(hub, person):
                found |= await latency(hub, person)
                for count in callers:
                    measured = await throughput(
                        hub, person, jobs if count > 1 else jobs // 10, count
                    )
                    found |= {f"{count} callers: {k}": v for k, v in measured.items()}
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                found["peak RSS MiB"] = peak
    return found


def table(rounds: list[dict[str, float]]) -> str:
    lines = [f"{'':32}{'min':>10}{'median':>10}{'max':>10}"]
    for name in rounds[0]:
        values = [found[name] for found in rounds]
        numbers = (min(values), statistics.median(values), max(values))
        lines.append(f"{name:32}" + "".join(f"{number:10.2f}" for number in numbers))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--jobs", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 64, 1000])
    parser.add_argument("--worker", nargs=3, metavar=("URL", "ID", "TOKEN"))
    options = parser.parse_args()
    import uvloop

    if options.worker:
        with contextlib.suppress(KeyboardInterrupt):
            uvloop.run(be_worker(*options.worker))
        return
    # As `deskhand-hub serve` does.
    spare_collector()
    rounds = [uvloop.run(round_of(options.jobs, options.callers)) for _ in range(options.rounds)]
    print(table(rounds))


if __name__ == "__main__":
    main()
