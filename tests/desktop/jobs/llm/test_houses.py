"""Houses of workers with one key, in virtual time: they find its limit together, and share it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.types import Endpoint, Message, Model, Reply, Sampling
from desktop.jobs.llm.house import House
from desktop.jobs.llm.lane import NotCalled
from tests.simulation.loop import VirtualLoop

ENDPOINT = Endpoint(name="shared", base_url="http://127.0.0.1:9/v1", key_name="A_KEY")
HELLO = (Message("user", "Hello"),)
LATENCY_SECONDS = 0.5
LIMIT = 20
SECONDS = 300.0
WARM_SECONDS = 60.0
CALLERS = 64


class Provider:
    """Takes so many calls at once, whoever makes them."""

    def __init__(self) -> None:
        self.flying = 0
        self.good: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.outage = (0.0, 0.0)

    @property
    def is_warm(self) -> bool:
        return asyncio.get_running_loop().time() >= WARM_SECONDS

    async def answer(self, who: str) -> Reply:
        now = asyncio.get_running_loop().time()
        if self.outage[0] <= now < self.outage[1]:
            raise LlmFault(FaultClass.NETWORK, "Away.")
        if self.flying >= LIMIT:
            self.refused[who] += self.is_warm
            await asyncio.sleep(0.02)
            raise LlmFault(FaultClass.RATE_LIMIT, "Slower.")
        self.flying += 1
        try:
            await asyncio.sleep(LATENCY_SECONDS)
        finally:
            self.flying -= 1
        self.good[who] += self.is_warm
        return Reply(text="Hi", model_reported="m", total_ms=500, prompt_sha256="0")


class Line:
    """One worker's way to the provider."""

    def __init__(self, provider: Provider, who: str) -> None:
        self._provider = provider
        self._who = who

    async def say(
        self, model: Model, messages: Sequence[Message], sampling: Sampling, *, key: str = ""
    ) -> Reply:
        return await self._provider.answer(self._who)

    async def aclose(self) -> None:
        pass


async def probing(house: House, until: float) -> None:
    """Ask again and again, as parts of a run do."""
    loop = asyncio.get_running_loop()
    while loop.time() < until:
        try:
            await house.call(Model(ENDPOINT, "m"), HELLO, Sampling())
        except NotCalled as fault:
            await asyncio.sleep(fault.wait_seconds or 1.0)
        except LlmFault:
            await asyncio.sleep(2.0)


async def worked(provider: Provider, *names: str, seconds: float = SECONDS) -> None:
    houses = [House(lambda: {"A_KEY": "k"}, Line(provider, name)) for name in names]
    async with asyncio.TaskGroup() as group:
        for house in houses:
            for _ in range(CALLERS):
                group.create_task(probing(house, seconds))
    for house in houses:
        await house.aclose()


@pytest.mark.parametrize("names", [("one",), ("one", "two"), ("one", "two", "three")], ids=len)
def test_workers_with_one_key_find_its_limit_together(names: tuple[str, ...]) -> None:
    provider = Provider()
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(worked(provider, *names))
    best = (SECONDS - WARM_SECONDS) * LIMIT / LATENCY_SECONDS
    assert provider.good.total() >= 0.75 * best
    assert provider.refused.total() < 0.03 * provider.good.total()
    assert min(provider.good[name] for name in names) >= 0.2 * best / len(names)


def test_after_an_outage_calls_come_back() -> None:
    provider = Provider()
    provider.outage = (60.0, 180.0)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(worked(provider, "one"))
    best = (SECONDS - provider.outage[1]) * LIMIT / LATENCY_SECONDS
    assert provider.good.total() >= 0.75 * best
