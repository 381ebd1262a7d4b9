"""A worker that does nothing at once, and keeps what it did: a program of its own.

    python -m tests.benchmarks.queue.worker WS_URL WORKER_ID TOKEN JOURNAL RECORDS

It speaks the real protocol over a real WebSocket. As the desktop does, it commits `started` to a
journal of its own (the same group commit, synchronous=FULL) before it begins a job, and the result
before that is sent; a job counts as done when the hub has acknowledged that its result is
committed there, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

from shared.capabilities import Capability
from shared.database import Database
from shared.events import AttemptEventBody, Event, JobStarted, JobSucceeded, write_event
from shared.ids import JobId, WorkerId
from shared.jobs import JobSpec, Origin
from shared.messages import Accept, Beat, Events, FromHub, Grant, Hello, Metrics, Offer, Welcome
from shared.protocol import FRAME_BYTES_MAX, WorkerEnd
from tests.benchmarks.queue.nothing import NOTHING, Stamp
from tests.benchmarks.queue.records import Writer

SLOTS = 256
METRICS = Metrics(cpu_share=0.1, memory_used_bytes=1, memory_total_bytes=2, disk_free_bytes=2**38)
PUSH_MAX = 200
ANYWHERE = (Origin.CHAT, Origin.GROUP, Origin.API)
"""A desktop with its first policy says the same of its kinds, but for groups."""


def _tables(connection: sqlite3.Connection) -> None:
    connection.execute("create table journal (seq integer primary key, event text not null)")


@dataclass(slots=True)
class _Log:
    """What the hub has not acknowledged yet; it begins after `acked`."""

    events: list[Event] = field(default_factory=list)
    acked: int = 0

    @property
    def last(self) -> int:
        return self.acked + len(self.events)


class JournalingWorker:
    """Says yes ahead, and answers every grant with success, each step on its disk first."""

    def __init__(
        self, worker_id: WorkerId, socket: ClientConnection, journal: Database, writer: Writer
    ) -> None:
        self._worker_id = worker_id
        self._socket = socket
        self._journal = journal
        self._writer = writer
        self._log = _Log()
        self._written = 0
        """The number of the last event that was given one."""
        self._asked: dict[JobId, float] = {}
        self._times: dict[int, tuple[float, float]] = {}
        """When a job was asked for and when it started, by the number of its result."""
        self._grants: asyncio.Queue[Grant] = asyncio.Queue()
        self._end = WorkerEnd(hub_epoch="", hub_seq=0, outbox_seq=0, now=time.monotonic())

    async def run(self) -> None:
        self._end.hello(
            Hello(
                device=self._worker_id,
                epoch=1,
                name="bench",
                capabilities=(Capability(kind=NOTHING.name, unasked=ANYWHERE),),
                slots=SLOTS,
                outbox_seq=0,
                hub_seq=0,
            )
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._work())
            tasks.create_task(self._beat())
            while True:
                await self._send()
                message = self._end.receive(await self._socket.recv(), time.monotonic())
                if message is not None:
                    self._act(message)

    def _act(self, message: FromHub) -> None:
        match message:
            case Offer():
                self._note_asked(message.job)
                self._end.send(Accept(job_id=message.job.job_id, attempt=message.attempt))
            case Grant():
                if message.job is not None:
                    self._note_asked(message.job)
                self._grants.put_nowait(message)
            case Events():
                self._end.applied(message.upto)
            case Welcome():
                pass
            case _:
                self._forget_acked()

    def _note_asked(self, spec: JobSpec) -> None:
        self._asked[spec.job_id] = Stamp.model_validate(spec.inputs).asked_at

    async def _work(self) -> None:
        """Run what was granted; what comes meanwhile shares the next commits."""
        while True:
            grants = [await self._grants.get()]
            while not self._grants.empty():
                grants.append(self._grants.get_nowait())
            await self._commit([JobStarted.model_validate(_named(one)) for one in grants])
            started_at = time.monotonic()  # here a real job would begin
            await self._commit(
                [
                    JobSucceeded.model_validate(
                        {**_named(one), "result": {"headline": "Done."}, "running_seconds": 0}
                    )
                    for one in grants
                ],
                started_at,
            )

    async def _commit(
        self, bodies: list[AttemptEventBody], started_at: float | None = None
    ) -> None:
        first = self._written + 1
        self._written += len(bodies)
        at = datetime.now(UTC)
        events = [
            write_event(body, device=self._worker_id, epoch=1, seq=seq, at=at)
            for seq, body in enumerate(bodies, start=first)
        ]
        rows = [(event.seq, event.model_dump_json()) for event in events]

        def run(connection: sqlite3.Connection) -> None:
            connection.executemany("insert into journal values (?, ?)", rows)

        await self._journal.write(run)
        if started_at is not None:
            for event, body in zip(events, bodies, strict=True):
                self._times[event.seq] = self._asked.pop(body.job_id), started_at
        self._log.events.extend(events)
        await self._send()

    def _forget_acked(self) -> None:
        """Keep what the hub has not committed; what it has is done."""
        acked = self._end.acked_seq - self._log.acked
        if acked <= 0:
            return
        done_at = time.monotonic()
        done = [self._times.pop(event.seq, None) for event in self._log.events[:acked]]
        self._writer.write(*((*times, done_at) for times in done if times is not None))
        del self._log.events[:acked]
        self._log.acked += acked

    async def _send(self) -> None:
        while self._end.room and self._end.next_seq <= self._log.last:
            begin = self._end.next_seq - 1 - self._log.acked
            self._end.push(self._log.events[begin : begin + PUSH_MAX])
        for frame in self._end.frames_to_send():
            await self._socket.send(frame)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(max(0.05, self._end.deadline - time.monotonic()))
            if self._end.poll(time.monotonic()):
                self._end.send(Beat(slots=SLOTS, metrics=METRICS))
                await self._send()


def _named(grant: Grant) -> dict[str, object]:
    return {"job_id": grant.job_id, "attempt": grant.attempt, "fence": grant.fence}


async def be_worker(url: str, worker_id: str, token: str, journal: Path, records: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    with Database(journal, [_tables]) as database:
        async with connect(
            url,
            additional_headers=headers,
            compression=None,
            max_size=FRAME_BYTES_MAX,
            ping_interval=None,
        ) as socket:
            worker = JournalingWorker(WorkerId(worker_id), socket, database, Writer(records))
            await worker.run()


def main() -> None:
    import uvloop

    url, worker_id, token, journal, records = sys.argv[1:]
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(be_worker(url, worker_id, token, Path(journal), records))


if __name__ == "__main__":
    main()
