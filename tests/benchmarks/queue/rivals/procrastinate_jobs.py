"""Procrastinate on PostgreSQL."""

from __future__ import annotations

import time

from procrastinate import App, PsycopgConnector

from tests.benchmarks.queue.rivals.work import BROKER, work

app = App(connector=PsycopgConnector(conninfo=BROKER, min_size=1, max_size=64))


async def _nothing(asked_at: float) -> None:
    work(asked_at)


nothing = app.task(name="nothing")(_nothing)


async def begin() -> None:
    await app.open_async()


async def enqueue() -> None:
    await nothing.defer_async(asked_at=time.monotonic())
