"""What stands for asyncio's queues in a socket behaves as they do, as far as uvicorn uses them."""

from __future__ import annotations

import asyncio

from hub.lean_socket import FewEvents, Gate


async def test_events_are_read_in_order_and_wake_who_waits() -> None:
    events = FewEvents()
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(events.get())
        await asyncio.sleep(0)
        assert events.empty()
        for number in range(3):
            events.put_nowait(number)
    assert reading.result() == 0
    assert [await events.get(), await events.get()] == [1, 2]
    assert events.empty()


async def test_a_reader_that_gives_up_loses_nothing() -> None:
    events = FewEvents()
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(events.get())
        await asyncio.sleep(0)
        events.put_nowait("first")
        reading.cancel()
    assert reading.cancelled()
    assert await events.get() == "first"


async def test_a_gate_lets_all_through_that_wait() -> None:
    gate = Gate()
    await gate.wait()
    gate.clear()
    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(gate.wait()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        assert [one.done() for one in waiting] == [True, False, False]
        gate.set()
    await gate.wait()
