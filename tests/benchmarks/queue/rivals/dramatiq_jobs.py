"""Dramatiq on Redis, as it comes."""

from __future__ import annotations

import time

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from tests.benchmarks.queue.rivals.work import BROKER, work

dramatiq.set_broker(RedisBroker(url=BROKER))
nothing = dramatiq.actor(work, actor_name="nothing")


def enqueue() -> None:
    nothing.send(time.monotonic())
