"""Errands in threads: their results come back, and those that nobody waits for end."""

from __future__ import annotations

import asyncio
import threading

import pytest

from desktop.desk.errand import Errand, in_thread
from shared.errors import BadInput

PATIENCE_SECONDS = 30.0


async def test_what_it_returns_and_what_it_raises_comes_back() -> None:
    def fails(_: Errand) -> None:
        raise BadInput("no", "No.")

    assert await in_thread(lambda _: 7) == 7
    with pytest.raises(BadInput):
        await in_thread(fails)


async def test_a_thread_that_nobody_waits_for_ends_at_its_next_sleep() -> None:
    began, ended = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def work(errand: Errand) -> None:
        loop.call_soon_threadsafe(began.set)
        try:
            errand.sleep(PATIENCE_SECONDS)
        finally:
            ended.set()

    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(in_thread(work))
        await began.wait()
        waiting.cancel()
    assert await asyncio.to_thread(ended.wait, 5)


async def test_it_tells_nothing_to_a_loop_that_may_be_gone() -> None:
    heard: list[int] = []
    began, go = asyncio.Event(), threading.Event()
    told = threading.Event()
    loop = asyncio.get_running_loop()

    def work(errand: Errand) -> None:
        loop.call_soon_threadsafe(began.set)
        go.wait(PATIENCE_SECONDS)
        errand.tell(lambda: heard.append(1))
        told.set()

    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(in_thread(work))
        await began.wait()
        waiting.cancel()
    go.set()
    assert await asyncio.to_thread(told.wait, 5)
    await asyncio.sleep(0)
    assert heard == []
