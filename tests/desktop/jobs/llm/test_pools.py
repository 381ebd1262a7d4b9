"""However many calls are in flight, no pool has more than it can look through quickly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx2
import pytest

from desktop.jobs.llm.pools import POOL_CONNECTIONS, Pools


class Answering(httpx2.AsyncBaseTransport):
    """Answers when it is let, and counts what it has in flight."""

    def __init__(self, limits: httpx2.Limits, house: House) -> None:
        self.limits = limits
        self.is_closed = False
        self.flying = self.most = 0
        self._house = house

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.flying += 1
        self.most = max(self.most, self.flying)
        self._house.arrived.put_nowait(request)
        try:
            await self._house.let.wait()
            if request.url.path == "/broken":
                raise httpx2.ReadError("cut")
        finally:
            self.flying -= 1
        return httpx2.Response(200, stream=Pieces())

    async def aclose(self) -> None:
        self.is_closed = True


class Pieces(httpx2.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"


class House:
    """Pools over transports that a test can look at."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.arrived: asyncio.Queue[httpx2.Request] = asyncio.Queue()
        self.made: list[Answering] = []
        self.client = httpx2.AsyncClient(transport=Pools(self._make))

    def _make(self, limits: httpx2.Limits) -> Answering:
        self.made.append(Answering(limits, self))
        return self.made[-1]

    async def get(self, path: str = "/") -> bytes:
        return (await self.client.get(f"http://127.0.0.1{path}")).content


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    yield made
    await made.client.aclose()


async def test_calls_beyond_a_pool_go_to_the_next(house: House) -> None:
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(house.get()) for _ in range(3 * POOL_CONNECTIONS)]
        for _ in calls:
            await house.arrived.get()
        house.let.set()

    assert {call.result() for call in calls} == {b"ab"}
    assert [pool.most for pool in house.made] == [POOL_CONNECTIONS] * 3
    assert {pool.limits.max_connections for pool in house.made} == {POOL_CONNECTIONS}


async def test_a_pool_has_room_again_when_an_answer_was_read(house: House) -> None:
    house.let.set()
    for _ in range(3 * POOL_CONNECTIONS):
        await house.get()

    assert len(house.made) == 1


async def test_calls_that_break_or_are_stopped_leave_room(house: House) -> None:
    async with asyncio.TaskGroup() as group:
        stopped = group.create_task(house.get())
        await house.arrived.get()
        stopped.cancel()
    house.let.set()
    for _ in range(2 * POOL_CONNECTIONS):
        with pytest.raises(httpx2.ReadError):
            await house.get("/broken")
    await house.get()

    assert len(house.made) == 1


async def test_answers_that_are_not_read_hold_their_places_until_they_are_closed(
    house: House,
) -> None:
    house.let.set()
    async with AsyncExitStack() as stack:
        for _ in range(POOL_CONNECTIONS):
            await stack.enter_async_context(house.client.stream("GET", "http://127.0.0.1/"))
        await house.get()
        assert len(house.made) == 2
    await asyncio.gather(*(house.get() for _ in range(POOL_CONNECTIONS)))

    assert len(house.made) == 2


async def test_all_pools_are_closed(house: House) -> None:
    house.let.set()
    await house.get()
    await house.client.aclose()

    assert [pool.is_closed for pool in house.made] == [True]
