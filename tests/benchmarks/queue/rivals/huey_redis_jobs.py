"""Huey on Redis, results not kept."""

from __future__ import annotations

import time

from huey import RedisHuey

from tests.benchmarks.queue.rivals.work import BROKER, work

huey = RedisHuey("bench", url=BROKER, results=False)
nothing = huey.task(name="nothing")(work)


def enqueue() -> None:
    nothing(time.monotonic())
