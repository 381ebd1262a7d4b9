"""Who asks one of the others for jobs, a program of its own in that one's environment.

    python -m tests.benchmarks.queue.rivals.produce MODULE

It takes the orders that `tests.benchmarks.queue.producer` takes. Callers are threads, or, where the
queue has an asynchronous `enqueue`, tasks of one event loop.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any


class Shared:
    """How many requests are left, for callers of any kind."""

    def __init__(self, count: int) -> None:
        self._left = iter(range(count))
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        with self._lock:
            return next(self._left)


def by_threads(
    enqueue: Callable[[], None], count: int, callers: int, gap_seconds: float
) -> list[float]:
    left, waits, failures = Shared(count), list[float](), list[Exception]()

    def call() -> None:
        for _ in left:
            begun = time.monotonic()
            try:
                enqueue()
            except Exception as error:
                failures.append(error)
                return
            waits.append(time.monotonic() - begun)
            time.sleep(gap_seconds)

    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return waits


async def by_tasks(
    enqueue: Callable[[], Awaitable[None]], count: int, callers: int, gap_seconds: float
) -> list[float]:
    left, waits = Shared(count), list[float]()

    async def call() -> None:
        for _ in left:
            begun = time.monotonic()
            await enqueue()
            waits.append(time.monotonic() - begun)
            if gap_seconds:
                await asyncio.sleep(gap_seconds)

    await asyncio.gather(*(call() for _ in range(callers)))
    return waits


def produce(queue: Any) -> None:
    is_async = inspect.iscoroutinefunction(queue.enqueue)
    loop = asyncio.new_event_loop()
    if is_async:
        loop.run_until_complete(queue.begin())
    for order in sys.stdin:
        count, callers, gap_seconds = order.split()
        asked = queue.enqueue, int(count), int(callers), float(gap_seconds)
        begun = time.monotonic()
        waits = loop.run_until_complete(by_tasks(*asked)) if is_async else by_threads(*asked)
        ended = time.monotonic()
        waits.sort()
        told = {
            "begun": begun,
            "ended": ended,
            "ack_p50_ms": waits[len(waits) // 2] * 1e3,
            "ack_p99_ms": waits[int(len(waits) * 0.99)] * 1e3,
        }
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    produce(importlib.import_module(f"tests.benchmarks.queue.rivals.{sys.argv[1]}"))
