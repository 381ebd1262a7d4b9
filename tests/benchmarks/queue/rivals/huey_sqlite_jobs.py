"""Huey on SQLite with synchronous=FULL, results not kept."""

from __future__ import annotations

import time

from huey import SqliteHuey

from tests.benchmarks.queue.rivals.work import BROKER, work

huey = SqliteHuey(filename=BROKER, fsync=True, results=False)
nothing = huey.task(name="nothing")(work)


def enqueue() -> None:
    nothing(time.monotonic())
