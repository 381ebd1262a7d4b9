"""A node as a program: two threads that begin and end together, and the signals that drain it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import structlog

from desktop.fleet.consumer import Consumer
from desktop.fleet.leaving import own_folder
from desktop.fleet.node import Node
from desktop.fleet.serving import serving
from desktop.fleet.setup import NodeSetup
from desktop.fleet.tasks import check_broker, make_app
from desktop.fleet.work import Took
from desktop.system.paths import Paths
from desktop.system.program import version
from shared.environment import Environment
from shared.fleet import Ticket
from shared.otel import exported

log = structlog.get_logger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Program:
    """One node. `run` in the main thread."""

    def __init__(self, setup: NodeSetup, paths: Paths) -> None:
        self._setup, self._paths = setup, paths
        self._ready: concurrent.futures.Future[None] = concurrent.futures.Future()
        """The hub lets the node in; or why it does not."""
        self._consumer: Consumer
        self._node: Node | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._signal = ""
        """The name of the first one that came."""

    def run(self) -> None:
        """Work until drained.

        Raises:
            AppError: the hub or the broker cannot be reached at the start, or the hub lets the
                node in no more.
        """
        setup = self._setup
        app = make_app(setup.broker, setup.kinds, self._take)
        check_broker(app)
        self._consumer = Consumer(app, setup.node, setup.kinds, setup.slots)
        thread = threading.Thread(target=self._serve, name="node")
        with self._drained_by_signals():
            thread.start()
            try:
                self._ready.result()
                self._consumer.run()
            finally:
                self._tell_loop(self._finish)
                thread.join()
        if self._node is not None and self._node.error is not None:
            raise self._node.error

    def _finish(self) -> None:
        """Celery's side is over, whatever ended it."""
        if self._node is not None:
            self._node.done.set()

    def _take(self, ticket: Ticket) -> Took:
        """Work on a ticket; called in the threads of Celery's pool."""
        assert self._node is not None
        assert self._loop is not None
        coming = self._node.take(ticket)
        try:
            return asyncio.run_coroutine_threadsafe(coming, self._loop).result()
        except (RuntimeError, concurrent.futures.CancelledError):
            coming.close()
            return Took.BACK  # the loop has ended

    @contextlib.contextmanager
    def _drained_by_signals(self) -> Iterator[None]:
        before = [signal.signal(number, self._signalled) for number in SIGNALS]
        try:
            yield
        finally:
            for number, handler in zip(SIGNALS, before, strict=True):
                signal.signal(number, handler)

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        """Drain at the first signal, hurry at the next."""
        if not self._signal:
            self._signal = signal.Signals(number).name
            self._tell_loop(self._drain)
        elif self._node is not None:
            self._tell_loop(self._node.hasten)

    def _drain(self) -> None:
        if self._node is not None:  # else it is drained as soon as it is there
            self._node.drain(self._signal)

    def _tell_loop(self, what: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # it has ended
            if self._loop is not None:
                self._loop.call_soon_threadsafe(what)

    # The other thread.

    def _serve(self) -> None:
        try:
            asyncio.run(self._work())
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            else:
                log.exception("the node has failed")
                raise
        finally:
            self._consumer.end()

    async def _work(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with serving(
            self._setup, self._paths, Environment(), self._consumer.stop_taking
        ) as node:
            self._node = node
            if self._signal:
                self._drain()
            self._ready.set_result(None)
            log.info(
                "node is ready",
                node=self._setup.node,
                pool=self._setup.pool,
                kinds=self._setup.kinds,
                slots=self._setup.slots,
            )
            await node.done.wait()


def run(setup: NodeSetup) -> None:
    """Run a node until it is drained; as `Program.run`."""
    names = {"service.instance.id": setup.node}
    with exported("deskhand-node", version(), names), own_folder() as paths:
        Program(setup, paths).run()
