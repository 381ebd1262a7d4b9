"""Celery's worker inside a node: takes messages while there are free slots, and stops when told.

It belongs to the main thread, where signals arrive. A broker that goes away is called again for
ever; what was taken from it goes on meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import structlog
from celery import Celery
from celery.worker import state

from desktop.fleet.tasks import queues_for

log = structlog.get_logger(__name__)

EVENTS_SECONDS = 10.0
"""Between two beats that lists of workers see."""
DOUBLED = ("celery.worker.strategy", "celery.app.trace")
"""They tell of each ticket what the runner tells of its job."""
HARMLESS = ("celery.worker.request",)
"""It complains of tickets that it cannot acknowledge: they come again, and are dropped then."""


class Consumer:
    """One for each program: Celery keeps its state by the process."""

    def __init__(self, app: Celery, node: str, kinds: tuple[str, ...], slots: int) -> None:
        """Connect nothing yet."""
        for name in DOUBLED:
            logging.getLogger(name).setLevel(logging.WARNING)
        for name in HARMLESS:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        app.set_default()  # threads of the pool look for it there
        self._app = app
        self._queues = queues_for(kinds)
        self._worker = app.WorkController(
            hostname=f"deskhand@{node}",
            pool_cls="threads",
            concurrency=slots,
            queues=self._queues,
            task_events=True,
            without_gossip=True,
            without_mingle=True,
            heartbeat_interval=EVENTS_SECONDS,
        )

    def run(self) -> None:
        """Take messages until `end`; what the pool's threads do is over then."""
        self._worker.start()

    def stop_taking(self) -> None:
        """Take nothing more; what was taken goes on. From any thread."""
        self._soon(self._cancel)

    def end(self) -> None:
        """Let `run` return. From any thread."""
        state.should_stop = 0
        self._soon(lambda: None)

    def _soon(self, what: Callable[[], None]) -> None:
        if (hub := self._worker.hub) is not None:
            hub.call_soon(what)
        else:
            what()

    def _cancel(self) -> None:
        # After a line that broke, nothing is consumed anew either.
        self._app.amqp.queues.consume_from.clear()
        consumer = self._worker.consumer
        if consumer is not None and consumer.task_consumer is not None:
            consumer.task_consumer.cancel()
        log.info("nothing more is taken")
