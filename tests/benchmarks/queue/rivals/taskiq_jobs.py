"""Taskiq on a stream of Redis, as it comes."""

from __future__ import annotations

import time

from taskiq_redis import RedisStreamBroker

from tests.benchmarks.queue.rivals.work import BROKER, work

broker = RedisStreamBroker(url=BROKER)


async def _nothing(asked_at: float) -> None:
    work(asked_at)


nothing = broker.task(task_name="nothing")(_nothing)


async def begin() -> None:
    await broker.startup()


async def enqueue() -> None:
    await nothing.kiq(time.monotonic())
