"""The shell around `shared.protocol.WorkerEnd`: a socket, a clock, and the outbox.

What comes in is passed to a Station; what must go out is asked from it. The library's own iterator
reconnects, too, but its waits cannot be ended early.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

import structlog
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from desktop.core.link import (
    REFUSED_CODES,
    REPLACED,
    LinkState,
    LinkStatus,
    later_status,
    reason_of,
    refused_status,
    replaced,
    unreachable,
)
from desktop.link.catching_up import CatchingUp
from desktop.link.dialling import Dial, Line, dial
from desktop.link.snapshot import Snapshots
from desktop.link.station import Station
from desktop.system.way import Way
from shared.backoff import RECONNECT
from shared.environment import Environment
from shared.errors import AppError, ErrorBody, first_of
from shared.messages import (
    BATCH_EVENTS_MAX,
    Ack,
    Bye,
    Events,
    FromWorker,
    Pull,
    Welcome,
)
from shared.protocol import Phase, ProtocolError, WorkerEnd

log = structlog.get_logger(__name__)

RESTORED = "worker_restored"
GOODBYE_SECONDS = 1.0
STEP_SECONDS = 0.001
"""A wait that is shorter than a clock's step would be waited for again and again until it moves."""
CLOSE_TRY_LATER = 1013
"""The WebSocket close code for "no room now" (IANA's registry of close codes)."""


class Link:
    """Keeps the line up until cancelled, or until the hub refuses this worker for good."""

    def __init__(
        self,
        base: str,
        token: str,
        station: Station,
        environment: Environment,
        on_status: Callable[[LinkStatus], None],
        way: Way | None = None,
        dial: Dial = dial,
        snapshots: Snapshots | None = None,
    ) -> None:
        self._dial = dial
        self._base = base
        self._token = token
        self._station = station
        self._environment = environment
        self._on_status = on_status
        self._way = way or Way()
        self._trust: ssl.SSLContext | None = None
        """Kept while it works: reading it takes a while."""
        self._end: WorkerEnd | None = None
        """Of the line that is up, or of the last one."""
        self._greeted: WorkerEnd | None = None
        """Of the line on which our log may go on."""
        self._catching_up = CatchingUp(snapshots, station, on_status) if snapshots else None
        self._is_behind = False
        """The line was ended because a snapshot brings more."""
        self._outgoing = asyncio.Event()
        self._failures = 0
        self._unready: AppError | None = None
        """Why this worker could not even introduce itself on the last line."""
        self._is_renewing = False
        self._connection: Line | None = None
        self._patience: asyncio.Timeout | None = None
        """Of the try that is under way."""
        self._hurried = asyncio.Event()

    @property
    def is_open(self) -> bool:
        return self._end is not None and self._end.phase is Phase.OPEN

    def send(self, message: FromWorker) -> None:
        """Send a transient message; without a line it is dropped."""
        if self._end is not None and self.is_open:
            self._end.send(message)
            self._outgoing.set()

    def ring(self) -> None:
        """The outbox has grown."""
        self._outgoing.set()

    def tell_beat(self) -> None:
        """Tell at once what beats tell: what is held, and how many jobs may run."""
        self.send(self._station.beat())

    def renew(self) -> None:
        """Introduce this worker anew: what it says of itself has changed."""
        if self._end is not None and self.is_open:
            self._is_renewing = True
            self._end.close()
            self._outgoing.set()

    def go(self, way: Way) -> None:
        """Go another way from the next try on."""
        self._way, self._trust = way, None

    def hurry(self) -> None:
        """Call the hub now instead of when the wait is over; nothing happens on a line that is up.

        For whoever knows better than the waits: a person, a network that is back.
        """
        self._failures = 0
        self._hurried.set()

    def distrust(self) -> None:
        """Drop the line without a goodbye, and call again at once.

        After a sleep it may look open and lead nowhere; that would be noticed only when nothing
        was heard for a while.
        """
        self.hurry()
        if self._connection is not None:
            self._is_renewing = True
            self._connection.abort()
        elif self._patience is not None:
            self._patience.reschedule(0.0)

    def address_went(self, address: str) -> None:
        """An address of this machine is gone; a line from there is dead."""
        if self._connection is not None and self._connection.own_address == address:
            self.distrust()

    async def run(self) -> None:
        """Connect, and connect again. Returns when the hub refuses this worker for good."""
        self._on_status(LinkStatus(state=LinkState.CONNECTING))
        try:
            while True:
                connection = await self._call()
                if connection is None:
                    continue
                self._connection = connection
                try:
                    async with connection:
                        with contextlib.suppress(ConnectionClosed):
                            await self._serve(connection)
                finally:
                    self._connection = None
                if not await self._after(connection):
                    return
        except InvalidStatus as error:
            refused = refused_status(error.response.status_code)
            assert refused is not None, "every other status is tried again"
            self._on_status(LinkStatus(state=LinkState.REFUSED, error=refused))

    async def _call(self) -> Line | None:
        """Try to connect once; None after a try that failed, and the wait that follows it."""
        self._hurried.clear()
        try:
            async with asyncio.timeout(None) as self._patience:
                return await self._connect()
        except Exception as error:
            why = self._sort_failure(error)
            if why is None:
                raise
        finally:
            self._patience = None
        await self._wait(why)
        return None

    async def _connect(self) -> Line:
        if self._trust is None and self._base.startswith("https:"):
            self._trust = await asyncio.to_thread(self._way.trust)
        proxy = self._way.proxy_for(self._base)
        return await self._dial(self._base, self._token, proxy, self._trust)

    async def _wait(self, why: ErrorBody) -> None:
        """Tell why there is no line, and wait for the next try: longer each time, never alike."""
        self._failures += 1
        wait = RECONNECT.wait_seconds(self._failures, self._environment.random())
        self._on_status(LinkStatus(state=LinkState.OFFLINE, error=why, next_try_seconds=wait))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._hurried.wait()

    async def _serve(self, connection: Line) -> None:
        self._unready = None
        try:
            hello = await self._station.hello()
        except AppError as error:
            self._unready = error
            return
        end = WorkerEnd(
            hub_epoch=hello.hub_epoch,
            hub_seq=hello.hub_seq,
            outbox_seq=hello.outbox_seq,
            now=self._environment.monotonic(),
        )
        self._end = end
        end.hello(hello)
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(self._write_all(connection, end))
                await self._read(connection, end)
                self._outgoing.set()
                await writer
        except* ConnectionClosed:
            log.info("line closed", end=repr(end))
        except* AppError as failures:
            # What could not be stored is not acknowledged: the other side tells it again.
            end.close(first_of(failures))
        finally:
            end.close()
            await _say_goodbye(connection, end)

    async def _read(self, connection: Line, end: WorkerEnd) -> None:
        while end.phase is not Phase.CLOSED:
            frame = await connection.recv()
            message = end.receive(frame, self._environment.monotonic())
            self._outgoing.set()
            match message:
                case None | Pull() | Bye():
                    pass
                case Ack():
                    await self._station.acknowledged(message.seq)
                case Events():
                    await self._station.apply(end.hub_epoch, message)
                    end.applied(message.upto, self._environment.monotonic())
                    self._outgoing.set()
                case Welcome():
                    await self._greet(end, message)
                case _:
                    await self._station.take(message)

    async def _greet(self, end: WorkerEnd, welcome: Welcome) -> None:
        """Find out where both logs go on before anything of ours is sent."""
        if end.fork is not None:
            log.warning("the hub was restored from a backup", upto=end.fork)
            await self._station.forked(end.hub_epoch, end.fork)
        if not await self._station.continues(welcome.acked_seq, welcome.acked_digest):
            end.close(worker_copied())
            return
        behind = welcome.hub_seq - end.hub_seq
        if self._catching_up is not None and self._catching_up.is_due(behind):
            self._is_behind = True
            end.close()
            return
        self._failures = 0
        self._on_status(LinkStatus(state=LinkState.ONLINE))
        # An acknowledgement may have been lost with the last line.
        await self._station.acknowledged(welcome.acked_seq)
        await self._station.take(welcome)
        self._greeted = end
        self._outgoing.set()

    async def _write_all(self, connection: Line, end: WorkerEnd) -> None:
        """Write until the line has closed; what came before that is read on: the reason, often."""
        with contextlib.suppress(ConnectionClosed):
            await self._write(connection, end)

    async def _write(self, connection: Line, end: WorkerEnd) -> None:
        """Send what is due: frames, the outbox, beats; ends the line when the end has closed."""
        while True:
            self._outgoing.clear()
            if self._greeted is end and end.room and end.next_seq <= self._station.outbox_seq:
                events = await self._station.outbox(end.next_seq, BATCH_EVENTS_MAX)
                if end.phase is Phase.OPEN and events and events[0].seq == end.next_seq:
                    end.push(events)
                    self._outgoing.set()
            for frame in end.frames_to_send():
                await connection.send(frame)
            if end.phase is Phase.CLOSED:
                await connection.close(end.close_code)
                return
            wait = max(STEP_SECONDS, end.deadline - self._environment.monotonic())
            # Not `wait_for`: in Python 3.11 it loses a cancellation that comes with the bell.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._outgoing.wait()
            if end.poll(self._environment.monotonic()):
                end.send(self._station.beat())

    async def _after(self, connection: Line) -> bool:
        """Look at how a line ended; False when there is no use in another."""
        error = self._why_closed(connection)
        if error is not None and error.code == RESTORED and self._end is not None:
            try:
                await self._station.restored(self._end.acked_seq)
            except AppError as failure:
                error = failure  # the hub will say so again
        if error is not None and error.code in (*REFUSED_CODES, REPLACED):
            told = replaced() if error.code == REPLACED else error.body
            self._on_status(LinkStatus(state=LinkState.REFUSED, error=told))
            return False
        if self._is_behind and self._catching_up is not None and self._end is not None:
            self._is_behind = False
            await self._catching_up.run(self._way, self._end.hub_epoch, self._end.hub_seq)
            return True
        if self._is_renewing:
            self._is_renewing = False
            return True
        # The line was there a moment ago; come back soon, but not with everybody at once.
        await self._wait(error.body if error else unreachable(self._host, "the line was cut"))
        return True

    def _why_closed(self, connection: Line) -> AppError | None:
        if self._unready is not None:
            return self._unready
        end = self._end
        if end is not None and end.close_error is not None:
            return end.close_error
        if connection.close_code == CLOSE_TRY_LATER:
            return AppError.from_body(later_status(503))
        return None

    def _sort_failure(self, error: Exception) -> ErrorBody | None:
        """Say why a try failed that may succeed later; None when it never will."""
        if isinstance(error, InvalidStatus):
            status = error.response.status_code
            return later_status(status) if refused_status(status) is None else None
        self._trust = None  # a file of certificates may have been mended
        told = self._way.why(error, self._base)
        if told is None and isinstance(error, (InvalidHandshake, EOFError)):
            return unreachable(self._host, reason_of(error))
        return told

    @property
    def _host(self) -> str:
        return urlsplit(self._base).netloc


async def _say_goodbye(connection: Line, end: WorkerEnd) -> None:
    """Send what is still to be said: a worker that is stopped is not taken for one that is lost."""
    with contextlib.suppress(TimeoutError, ConnectionClosed):
        async with asyncio.timeout(GOODBYE_SECONDS):
            for frame in end.frames_to_send():
                await connection.send(frame)


def worker_copied() -> ProtocolError:
    return ProtocolError(
        RESTORED,
        "The hub has other events of this worker than its own log: its store was copied or "
        "restored.",
        "It starts a new epoch and connects again.",
    )
