"""Celery on Redis: late acknowledgement, results not kept."""

from __future__ import annotations

import time

from celery import Celery

from tests.benchmarks.queue.rivals.work import BROKER, work

app = Celery("bench", broker=BROKER)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    # One for each of 64 callers; its own default of 10 would have them wait for one another.
    broker_pool_limit=64,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)
nothing = app.task(name="nothing")(work)


def enqueue() -> None:
    nothing.delay(time.monotonic())
