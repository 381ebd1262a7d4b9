"""RQ, as it comes; the worker is started as its SimpleWorker, which forks no process a job."""

from __future__ import annotations

import time

import redis
from rq import Queue

from tests.benchmarks.queue.rivals.work import BROKER, work

queue = Queue("default", connection=redis.from_url(BROKER))


def enqueue() -> None:
    queue.enqueue(work, time.monotonic())
