"""One worker's connection: the shell around `shared.protocol.HubEnd`.

It reads frames and gives each to the service it is for, writes what the end wants sent, and
streams the log. What a worker pushes is committed while the next frame is read; it is
acknowledged when the commit is done, in order.

Most workers are silent most of the time. A silent one has no task but its reader, which is the
server's own; a second one, the teller, lives while there is something to be written.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from hub.core.access import Access
from hub.engines.stretches import Stretches
from hub.services import Services
from hub.services.recorder import Recorded
from shared.environment import Environment
from shared.errors import DISK_FULL, AppError, LimitReached, NotAllowed, Unavailable
from shared.ids import PersonId, WorkerId
from shared.messages import (
    Accept,
    Beat,
    Bye,
    Decline,
    EpochBefore,
    Fault,
    FromHub,
    FromWorker,
    Hello,
    Progress,
    Push,
)
from shared.protocol import Beats, HubEnd, Phase, kept_upto

log = structlog.get_logger()

QUEUE_FRAMES_MAX = 4000
QUEUE_BYTES_MAX = 8 * 1024 * 1024
"""What may wait for a slow reader before it is let go."""
PUSHES_MAX = 64
"""Pushes that may wait for their commit before no more is read."""
CLOSE_SECONDS = 5.0
"""How long the last frames may take."""
FAULTS_TOLD_MAX = 10


class Wire(Protocol):
    """The socket, as far as a connection needs it."""

    async def receive(self) -> str | bytes | None:
        """Return the next frame; None when the other side is gone."""

    async def send(self, frame: str) -> None:
        """Write a frame; waits while the other side does not read."""

    async def close(self, code: int) -> None:
        """End the connection. Idempotent."""


class Ended(Exception):
    """All is written and the connection is over; raised to end the reader as well."""


class Connection:
    """Serve one socket; `run` it once."""

    def __init__(  # noqa: PLR0913 (what an engine knows, and its lines must)
        self,
        wire: Wire,
        access: Access,
        services: Services,
        stretches: Stretches,
        *,
        hub_epoch: str,
        lineage: tuple[EpochBefore, ...] = (),
        environment: Environment,
        beats: Beats,
        introduced: Callable[[Connection], None],
    ) -> None:
        self._wire = wire
        self._services = services
        self._stretches = stretches
        self._hub_epoch = hub_epoch
        self._lineage = lineage
        self._environment = environment
        self._beats = beats
        self._introduced = introduced
        self.worker_id = WorkerId(access.key_id)
        self.person_id: PersonId = access.person_id
        self.end = HubEnd(environment.monotonic())
        self.was_stopped = False
        """Whether the worker said goodbye of its own accord."""
        # Lists, for a deque takes 750 bytes while it is empty.
        self._frames: list[str] = []
        self._queued_bytes = 0
        self._tasks: asyncio.TaskGroup | None = None
        """While the socket is read: where a teller may be started."""
        self._teller: asyncio.Task[None] | None = None
        """The one that writes, so that frames leave in order; None while there is nothing to do.
        One that has failed or was stopped stays: none is to follow it."""
        self._pushes: list[asyncio.Future[Recorded]] = []
        self.is_starved = False
        """Whether the worker has pushed what the hub's disk had no room for."""

    def __repr__(self) -> str:
        return f"<Connection {self.worker_id} {self.end!r}>"

    @property
    def is_open(self) -> bool:
        return self.end.phase is Phase.OPEN

    @property
    def was_silent(self) -> bool:
        error = self.end.close_error
        return error is not None and error.code == "peer_silent"

    async def run(self) -> None:
        """Serve until either side ends."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                try:
                    await self._read()
                finally:
                    self._tasks = None
                    if self._teller is not None:
                        self._teller.cancel()
        except* Ended:
            pass
        finally:
            self._services.feed.leave(self.person_id, self.stir)
            self.end.close()
            with contextlib.suppress(TimeoutError, OSError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._write_out()
                    await self._wire.close(self.end.close_code)

    def stir(self) -> None:
        """Have the teller look: there may be something to be written."""
        if self._teller is None and self._tasks is not None:
            self._teller = self._tasks.create_task(self._tell())

    def send(self, message: FromHub) -> None:
        """Queue a message; never waits."""
        self.end.send(message)
        self.flush()

    def poll(self, now: float) -> None:
        """Look at the clock: beats, silence."""
        if self.end.poll(now):
            self.end.send(Beat())
        self.flush()

    def close(self, error: AppError | None) -> None:
        """Say goodbye and end."""
        self.end.close(error)
        self.flush()

    def flush(self) -> None:
        """Queue what the end wants sent; a reader that is too slow is let go, not buffered."""
        for frame in self.end.frames_to_send():
            self._frames.append(frame)
            self._queued_bytes += len(frame)
        if len(self._frames) > QUEUE_FRAMES_MAX or self._queued_bytes > QUEUE_BYTES_MAX:
            self._frames.clear()
            self._queued_bytes = 0
            self.end.close(
                LimitReached(
                    "reader_slow",
                    "This worker does not read what the hub sends.",
                    "It connects again by itself.",
                    retryable=True,
                )
            )
            for frame in self.end.frames_to_send():
                self._frames.append(frame)
        if self._frames or self.end.phase is Phase.CLOSED:
            self.stir()

    async def _tell(self) -> None:
        """Write what waits, and the log as far as it concerns this worker's person."""
        while True:
            await self._write_out()
            if self.end.phase is Phase.CLOSED:
                raise Ended
            if not await self._go_on() and not self._frames:
                # Nothing is awaited from here on: what comes now starts another.
                self._teller = None
                return

    async def _write_out(self) -> None:
        self.flush()
        while self._frames:
            frame = self._frames.pop(0)
            self._queued_bytes -= len(frame)
            await self._wire.send(frame)

    async def _read(self) -> None:
        while self.end.phase is not Phase.CLOSED:
            # What was read is not kept while nothing comes.
            if not await self._take(await self._wire.receive()):
                return

    async def _take(self, frame: str | bytes | None) -> bool:
        """Act on a frame; False when there are no more."""
        if frame is None:
            return False
        message = self.end.receive(frame, self._environment.monotonic())
        if message is not None:
            await self._act(message)
        self.flush()
        return True

    async def _act(self, message: FromWorker) -> None:
        match message:
            case Hello():
                await self._or_close(self._welcome(message))
            case Push():
                await self._record(message)
            case Accept():
                self._services.dispatcher.accept(self.worker_id, message)
            case Decline():
                self._services.dispatcher.decline(self.worker_id, message)
            case Beat():
                self._services.registry.beat(self.worker_id, message)
                self._services.dispatcher.stir()
            case Progress():
                if self._services.dispatcher.is_holder(self.worker_id, message.job_id):
                    self._services.feed.tell_progress(message.job_id, self.worker_id, message)
            case Fault():
                log.warning("worker_fault", worker_id=self.worker_id, code=message.error.code)
            case Bye(error=None):
                self.was_stopped = True
                self.stir()
            case _:
                # Seen and Pull have moved the end's cursor; Bye has closed it.
                self.stir()

    async def _or_close(self, act: Awaitable[None]) -> None:
        try:
            await act
        except AppError as error:
            self.close(error)

    async def _welcome(self, hello: Hello) -> None:
        if hello.device != self.worker_id:
            raise NotAllowed(
                "device_foreign",
                "The worker calls itself by another id than its token.",
                "Pair it again.",
            )
        worker = await self._services.registry.introduce(self.worker_id, hello)
        self._introduced(self)
        acked, verdicts = await self._services.rescuer.take_inventory(hello, self.person_id)
        if self.end.phase is not Phase.OPENING:
            return
        self.end.welcome(
            hub_epoch=self._hub_epoch,
            acked_seq=acked.seq,
            acked_digest=acked.digest,
            position=self._services.feed.position(),
            hub_seq=self._known_upto(hello),
            time=self._environment.now(),
            verdicts=verdicts,
            lineage=self._lineage,
            beat_seconds=self._beats.every_seconds,
            dead_seconds=self._beats.dead_seconds,
        )
        self._services.registry.arrive(worker, hello)
        self._services.dispatcher.stir()
        self.stir()

    def _known_upto(self, hello: Hello) -> int:
        """Up to which number of our log the worker has a copy that is still true."""
        if hello.hub_epoch == self._hub_epoch:
            return hello.hub_seq if hello.hub_seq <= self._services.feed.position() else 0
        return kept_upto(self._lineage, hello.hub_epoch, hello.hub_seq) or 0

    async def _record(self, push: Push) -> None:
        done = self._services.recorder.record(self.worker_id, self.person_id, push.events)
        self._pushes.append(done)
        done.add_done_callback(self._recorded)
        if len(self._pushes) > PUSHES_MAX:
            await asyncio.wait([self._pushes[0]])

    def _recorded(self, done: asyncio.Future[Recorded]) -> None:
        self._pushes.remove(done)
        error = done.exception()
        if error is not None:
            # Nothing is acknowledged; the worker keeps it and pushes again on its next line.
            told = error if isinstance(error, AppError) else None
            if told is not None and told.code == DISK_FULL:
                self._starve(told)
                return
            log.error("push_failed", worker_id=self.worker_id, error=str(error))
            self.close(told)
            return
        recorded = done.result()
        if self.is_open:
            self.end.committed(recorded.acked_seq)
            for refusal in recorded.refused[:FAULTS_TOLD_MAX]:
                self.end.send(Fault(error=refusal.body))
        self.flush()

    def _starve(self, error: AppError) -> None:
        """Keep the line up while the disk is full: progress and cancels still pass."""
        if not self.is_starved:
            self.is_starved = True
            log.error("push_refused", worker_id=self.worker_id, error=str(error))
            self.end.send(Fault(error=error.body))
            self.flush()

    def feed(self) -> None:
        """There is room again: let the worker come anew, and push what was not taken."""
        self.close(
            Unavailable(
                "disk_freed",
                "The hub's disk has room again.",
                "It connects again by itself.",
                retryable=True,
            )
        )

    async def _go_on(self) -> bool:
        """Queue the next stretch of the log; False when there is none, or no room for it.

        More of the log, or more room, stirs again.
        """
        if not self.end.may_send_events:
            return False
        position = self._services.feed.position()
        sent = self.end.sent_hub_seq
        told = await self._stretches.after(sent, self.person_id)
        if not self.end.may_send_events or self.end.sent_hub_seq != sent:
            return True  # it turned back meanwhile
        if told is None:
            return not self._services.feed.gather(max(position, sent), self.person_id, self.stir)
        self.end.send_stretch(told)
        return True
