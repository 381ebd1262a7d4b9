"""Many workers in one program, for `tests.benchmarks.scale`: the real protocol, and nothing else.

    python -m tests.benchmarks.scale.workers WS_URL TOKENS_FILE [SLOTS]

Each has a WebSocket and a `shared.protocol.WorkerEnd` of its own, beats, calls again as real
workers do (`shared.backoff.RECONNECT`), acknowledges the hub's log, and ends every job at once with
success. There is no store: what a worker has to tell stays in memory. A line of JSON says how many
are online, and how many jobs they hold, whenever that has changed. Orders, one a line:

    hold                    keep jobs that must not run twice, from now on
    end                     end all that are held, and hold no more
    away                    whoever loses the hub does not call it again
    call                    all of them call, in the same moment
    progress RATE SECONDS   the first worker tells the progress of what it holds, in turn
    tell                    say how it stands, changed or not
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from shared.backoff import RECONNECT
from shared.capabilities import Capability
from shared.events import AttemptEventBody, Event, JobStarted, JobSucceeded, write_event
from shared.ids import JobId, WorkerId
from shared.messages import (
    Accept,
    Beat,
    Decision,
    Events,
    FromHub,
    Grant,
    Hello,
    Metrics,
    Offer,
    Progress,
    Verdict,
    Welcome,
)
from shared.messages import Held as HeldTold
from shared.messages import HeldState as State
from shared.protocol import FRAME_BYTES_MAX, Phase, WorkerEnd
from tests.benchmarks.queue.nothing import NOTHING
from tests.benchmarks.queue.worker import ANYWHERE
from tests.benchmarks.scale.hub import ONCE
from tests.benchmarks.scale.orders import read_orders, say

SLOTS = 8
METRICS = Metrics(
    cpu_share=0.1, memory_used_bytes=2**32, memory_total_bytes=2**33, disk_free_bytes=2**38
)
TELL_SECONDS = 0.05
OPENING_MAX = 500
"""Handshakes under way at once: these are many machines, but one program."""
OPEN_SECONDS = 60.0


@dataclass(slots=True)
class Held:
    """A job in a worker's hands."""

    attempt: int
    fence: int
    end_seq: int = 0
    """The number of the event that tells its end; 0 while it runs."""


class Fleet:
    """All of them, and how many are online."""

    def __init__(self, slots: int = SLOTS) -> None:
        self.slots = slots
        self.online = self.holding = self.aborted = self.progress_sent = 0
        self.is_holding = False
        self.opening = asyncio.Semaphore(OPENING_MAX)
        self.may_call = asyncio.Event()
        self.may_call.set()
        self.workers: list[LightWorker] = []
        self._must_tell = False

    async def tell(self) -> None:
        told = (-1, -1)
        while True:
            stands = (self.online, self.holding)
            if stands != told or self._must_tell:
                told, self._must_tell = stands, False
                words = {
                    "online": self.online,
                    "holding": self.holding,
                    "aborted": self.aborted,
                    "progress_sent": self.progress_sent,
                    "at": time.time(),
                    "cpu_seconds": time.process_time(),
                }
                say(words)
            await asyncio.sleep(TELL_SECONDS)

    async def obey(self, orders: asyncio.Queue[str]) -> None:
        async with asyncio.TaskGroup() as tasks:
            while order := await orders.get():
                match order.split():
                    case ["hold"]:
                        self.is_holding = True
                    case ["end"]:
                        self.is_holding = False
                        for worker in self.workers:
                            worker.end_held()
                            tasks.create_task(worker.flush())
                    case ["away"]:
                        self.may_call.clear()
                    case ["call"]:
                        self.may_call.set()
                    case ["progress", rate, seconds]:
                        telling = self.workers[0].tell_progress(float(rate), float(seconds))
                        tasks.create_task(telling)
                    case ["tell"]:
                        self._must_tell = True
                    case _:
                        raise SystemExit(f"no such order: {order}")
        raise SystemExit("nobody gives orders any more")


class LightWorker:
    def __init__(self, worker_id: WorkerId, token: str, fleet: Fleet) -> None:
        self._worker_id, self._token, self._fleet = worker_id, token, fleet
        self._log: list[Event] = []
        """What was not acknowledged yet; it begins after `_acked`."""
        self._acked = 0
        self._hub_epoch, self._hub_seq = "", 0
        self._end: WorkerEnd
        self._socket: ClientConnection | None = None
        self._held: dict[JobId, Held] = {}
        self._kinds: dict[JobId, str] = {}
        """Of what was offered."""

    async def run(self, url: str) -> None:
        failures = 0
        while True:
            was_online = False
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                async with await self._dial(url) as socket:
                    was_online = await self._serve(socket)
            failures = 1 if was_online else failures + 1
            if self._fleet.may_call.is_set():
                await asyncio.sleep(RECONNECT.wait_seconds(failures, random.random()))
            await self._fleet.may_call.wait()

    async def _dial(self, url: str) -> ClientConnection:
        async with self._fleet.opening:
            return await connect(
                url,
                additional_headers={"Authorization": f"Bearer {self._token}"},
                compression=None,
                max_size=FRAME_BYTES_MAX,
                ping_interval=None,
                open_timeout=OPEN_SECONDS,
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
        self._end.hello(self._hello(last))
        is_online = False
        try:
            while self._end.phase is not Phase.CLOSED:
                await self._send(socket)
                message = await self._next(socket)
                if isinstance(message, Welcome):
                    is_online, self._socket = True, socket
                    self._fleet.online += 1
                self._act(message)
        finally:
            self._socket = None
            self._fleet.online -= is_online
            self._hub_epoch, self._hub_seq = self._end.hub_epoch, self._end.hub_seq
        return is_online

    def _hello(self, last: int) -> Hello:
        return Hello(
            device=self._worker_id,
            epoch=1,
            name="bench",
            capabilities=(
                Capability(kind=NOTHING.name, unasked=ANYWHERE),
                Capability(kind=ONCE.name),
            ),
            slots=self._fleet.slots,
            outbox_seq=last,
            hub_epoch=self._hub_epoch,
            hub_seq=self._hub_seq,
            held=self._inventory(),
        )

    def _inventory(self) -> tuple[HeldTold, ...]:
        return tuple(
            HeldTold(
                job_id=job_id,
                attempt=one.attempt,
                fence=one.fence,
                state=State.ENDED if one.end_seq else State.RUNNING,
            )
            for job_id, one in self._held.items()
        )

    async def _next(self, socket: ClientConnection) -> FromHub | None:
        left = self._end.deadline - time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, left)):
                frame = await socket.recv()
        except TimeoutError:
            if self._end.poll(time.monotonic()):
                self._end.send(
                    Beat(held=self._inventory(), slots=self._fleet.slots, metrics=METRICS)
                )
            return None
        return self._end.receive(frame, time.monotonic())

    def _act(self, message: FromHub | None) -> None:
        match message:
            case Offer():
                self._kinds[message.job.job_id] = message.job.kind
                self._end.send(Accept(job_id=message.job.job_id, attempt=message.attempt))
            case Grant():
                if message.job is not None:
                    self._kinds[message.job_id] = message.job.kind
                self._begin(message)
            case Events():
                self._end.applied(message.upto, time.monotonic())
            case Welcome():
                self._forget_acked()
                for verdict in message.verdicts:
                    self._obey(verdict)
            case _:
                self._forget_acked()

    def _begin(self, grant: Grant) -> None:
        held = Held(grant.attempt, grant.fence)
        names = {"job_id": grant.job_id, "attempt": held.attempt, "fence": held.fence}
        self._note(JobStarted.model_validate(names))
        self._held[grant.job_id] = held
        is_kept = self._kinds.pop(grant.job_id, "") == ONCE.name and self._fleet.is_holding
        if is_kept:
            self._fleet.holding += 1
        else:
            self._finish(grant.job_id, held)

    def _finish(self, job_id: JobId, held: Held) -> None:
        names = {"job_id": job_id, "attempt": held.attempt, "fence": held.fence}
        told = {**names, "result": {"headline": "Done."}, "running_seconds": 0}
        self._note(JobSucceeded.model_validate(told))
        held.end_seq = self._acked + len(self._log)

    def _obey(self, verdict: Verdict) -> None:
        """Give up what the hub wants given up; it counts, for nothing of the kind should be."""
        if verdict.decision in (Decision.ABORT, Decision.FORGET):
            self._fleet.aborted += 1
            held = self._held.pop(verdict.job_id, None)
            self._fleet.holding -= held is not None and not held.end_seq

    def end_held(self) -> None:
        for job_id, held in self._held.items():
            if not held.end_seq:
                self._fleet.holding -= 1
                self._finish(job_id, held)

    async def flush(self) -> None:
        """Send what is to be sent, if the hub is there."""
        if self._socket is not None:
            with contextlib.suppress(WebSocketException):
                await self._send(self._socket)

    async def tell_progress(self, rate: float, seconds: float) -> None:
        """Tell the progress of what is held, each job in turn; `done` is the time of day."""
        running = [(job_id, held.attempt) for job_id, held in self._held.items()]
        begun = time.monotonic()
        for number in range(int(rate * seconds)):
            wait = begun + number / rate - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            job_id, attempt = running[number % len(running)]
            self._end.send(
                Progress(job_id=job_id, attempt=attempt, stage="", done=time.time(), total=0)
            )
            await self.flush()
            self._fleet.progress_sent += 1

    def _forget_acked(self) -> None:
        """Keep what the hub has not committed, and nothing else."""
        done = self._end.acked_seq - self._acked
        if done > 0:
            del self._log[:done]
            self._acked += done
            over = [j for j, one in self._held.items() if 0 < one.end_seq <= self._acked]
            for job_id in over:
                del self._held[job_id]

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


async def be_workers(url: str, tokens: list[tuple[str, str]], slots: int) -> None:
    fleet = Fleet(slots)
    fleet.workers = [LightWorker(WorkerId(worker), token, fleet) for worker, token in tokens]
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fleet.tell())
        tasks.create_task(fleet.obey(read_orders()))
        for worker in fleet.workers:
            tasks.create_task(worker.run(url))


def main() -> None:
    import uvloop

    url, file, *slots = sys.argv[1:]
    tokens = json.loads(Path(file).read_text())
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(be_workers(url, tokens, int(slots[0]) if slots else SLOTS))


if __name__ == "__main__":
    main()
