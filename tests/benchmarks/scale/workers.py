"""Many workers in one program, for `tests.benchmarks.scale`: the real protocol, and nothing else.

    python -m tests.benchmarks.scale.workers WS_URL TOKENS_FILE

Each has a WebSocket and a `shared.protocol.WorkerEnd` of its own, beats, calls again as real
workers do (`shared.backoff.RECONNECT`), acknowledges the hub's log, and ends every job at once with
success. There is no store: what a worker has to tell stays in memory. A line of JSON says how many
are online whenever that has changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from shared.backoff import RECONNECT
from shared.capabilities import Capability
from shared.events import AttemptEventBody, Event, JobStarted, JobSucceeded, write_event
from shared.ids import WorkerId
from shared.messages import Accept, Beat, Events, FromHub, Grant, Hello, Metrics, Offer, Welcome
from shared.protocol import FRAME_BYTES_MAX, Phase, WorkerEnd
from tests.benchmarks.queue.whole_hub import NOTHING

SLOTS = 8
METRICS = Metrics(
    cpu_share=0.1, memory_used_bytes=2**32, memory_total_bytes=2**33, disk_free_bytes=2**38
)
TELL_SECONDS = 0.05
OPENING_MAX = 200
"""Handshakes under way at once: these are many machines, but one program."""


class Fleet:
    """All of them, and how many are online."""

    def __init__(self) -> None:
        self.online = 0
        self.opening = asyncio.Semaphore(OPENING_MAX)

    async def tell(self) -> None:
        told = -1
        while True:
            if self.online != told:
                told = self.online
                words = {"online": told, "at": time.time(), "cpu_seconds": time.process_time()}
                print(json.dumps(words), flush=True)
            await asyncio.sleep(TELL_SECONDS)


class LightWorker:
    def __init__(self, worker_id: WorkerId, token: str, fleet: Fleet) -> None:
        self._worker_id, self._token, self._fleet = worker_id, token, fleet
        self._log: list[Event] = []
        """What was not acknowledged yet; it begins after `_acked`."""
        self._acked = 0
        self._hub_epoch, self._hub_seq = "", 0
        self._end: WorkerEnd

    async def run(self, url: str) -> None:
        failures = 0
        while True:
            was_online = False
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                async with await self._dial(url) as socket:
                    was_online = await self._serve(socket)
            failures = 1 if was_online else failures + 1
            await asyncio.sleep(RECONNECT.wait_seconds(failures, random.random()))

    async def _dial(self, url: str) -> ClientConnection:
        async with self._fleet.opening:
            return await connect(
                url,
                additional_headers={"Authorization": f"Bearer {self._token}"},
                compression=None,
                max_size=FRAME_BYTES_MAX,
                ping_interval=None,
            )

    async def _serve(self, socket: ClientConnection) -> bool:
        """Be online until the line ends; return whether it ever was."""
        last = self._acked + len(self._log)
        self._end = WorkerEnd(
            hub_epoch=self._hub_epoch,
            hub_seq=self._hub_seq,
            outbox_seq=last,
            now=time.monotonic(),
        )
        self._end.hello(
            Hello(
                device=self._worker_id,
                epoch=1,
                name="bench",
                capabilities=(Capability(kind=NOTHING.name),),
                slots=SLOTS,
                outbox_seq=last,
                hub_epoch=self._hub_epoch,
                hub_seq=self._hub_seq,
            )
        )
        is_online = False
        try:
            while self._end.phase is not Phase.CLOSED:
                await self._send(socket)
                message = await self._next(socket)
                if isinstance(message, Welcome):
                    is_online = True
                    self._fleet.online += 1
                self._act(message)
        finally:
            self._fleet.online -= is_online
            self._hub_epoch, self._hub_seq = self._end.hub_epoch, self._end.hub_seq
        return is_online

    async def _next(self, socket: ClientConnection) -> FromHub | None:
        left = self._end.deadline - time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, left)):
                frame = await socket.recv()
        except TimeoutError:
            if self._end.poll(time.monotonic()):
                self._end.send(Beat(slots=SLOTS, metrics=METRICS))
            return None
        return self._end.receive(frame, time.monotonic())

    def _act(self, message: FromHub | None) -> None:
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
                self._end.applied(message.upto, time.monotonic())
            case _:
                self._forget_acked()

    def _forget_acked(self) -> None:
        """Keep what the hub has not committed, and nothing else."""
        done = self._end.acked_seq - self._acked
        if done > 0:
            del self._log[:done]
            self._acked += done

    def _note(self, body: AttemptEventBody) -> None:
        seq = self._acked + len(self._log) + 1
        at = datetime.now(UTC)
        self._log.append(write_event(body, device=self._worker_id, epoch=1, seq=seq, at=at))

    async def _send(self, socket: ClientConnection) -> None:
        self._forget_acked()
        while self._end.room and self._end.next_seq <= self._acked + len(self._log):
            begin = self._end.next_seq - 1 - self._acked
            self._end.push(self._log[begin : begin + 100])
        for frame in self._end.frames_to_send():
            await socket.send(frame)


async def be_workers(url: str, tokens: list[tuple[str, str]]) -> None:
    fleet = Fleet()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fleet.tell())
        for worker_id, token in tokens:
            tasks.create_task(LightWorker(WorkerId(worker_id), token, fleet).run(url))


def main() -> None:
    import uvloop

    url, file = sys.argv[1:]
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(be_workers(url, json.loads(Path(file).read_text())))


if __name__ == "__main__":
    main()
