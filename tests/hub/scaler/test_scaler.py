"""The scaler's steps: what it asks, what it does, and what it does while others are away."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from hub.core.pool import Pool
from hub.scaler.scaler import Scaler
from shared.environment import Environment
from shared.errors import AppError, Unavailable
from tests.hub.scaler.fakes import NOON, FakeHost, FakeHub, away

POOL = Pool(name="probes", kinds=("llm.probe",), nodes_max=4)


@dataclass
class Clock:
    seconds: float = 0.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


@dataclass
class Desk:
    hub: FakeHub = field(default_factory=FakeHub)
    host: FakeHost = field(default_factory=FakeHost)
    clock: Clock = field(default_factory=Clock)
    scaler: Scaler = field(init=False)

    def __post_init__(self) -> None:
        self.scaler = Scaler(
            hub=self.hub,
            pools=(POOL,),
            hosts={"probes": self.host},
            environment=Environment(clock=self.clock),
        )

    async def step(self, seconds: float = 5.0) -> None:
        self.clock.seconds += seconds
        await self.scaler.run_once()


async def test_a_plan_changes_nothing() -> None:
    desk = Desk(hub=FakeHub(waiting={"llm.probe": 3}))
    (decision,) = await desk.scaler.plan()
    assert decision.start == 3
    assert (desk.host.there, desk.scaler.memories) == ([], {})


async def test_up_and_down_again() -> None:
    desk = Desk(hub=FakeHub(waiting={"llm.probe": 3}))
    await desk.step()
    assert len(desk.host.there) == 3
    for name in desk.host.there:
        desk.hub.come(name, held=1)
    desk.hub.waiting, desk.hub.running = {}, {"llm.probe": 3}
    await desk.step()
    assert desk.hub.drained == []

    desk.hub.running = {}
    for name in desk.host.there:
        desk.hub.come(name, idle_seconds=-10)
    await desk.step()
    await desk.step(121)
    assert len(desk.hub.drained) == 3
    assert desk.host.stopped == []
    for _ in range(3):
        await desk.step()
    assert (desk.host.there, len(desk.host.stopped)) == ([], 3)


async def test_the_hub_s_word_on_idle_nodes_counts_at_the_first_look() -> None:
    desk = Desk()
    desk.host.there = ["a", "b"]
    desk.hub.come("a", idle_seconds=300)
    desk.hub.come("b", idle_seconds=30)
    (decision,) = await desk.scaler.plan()
    assert decision.drain == ("a",)


async def test_a_hub_that_is_away_changes_nothing_and_is_asked_again() -> None:
    desk = Desk(hub=FakeHub(waiting={"llm.probe": 1}, failure=away()))
    await desk.step()
    assert desk.host.there == []
    desk.hub.failure = None
    await desk.step()
    assert len(desk.host.there) == 1


async def test_a_host_that_is_away_changes_nothing_and_is_asked_again() -> None:
    desk = Desk(hub=FakeHub(waiting={"llm.probe": 1}))
    desk.host.failure = Unavailable("host_unreachable", "It is away.", "Wait.")
    await desk.step()
    desk.host.failure = None
    assert desk.host.there == []
    await desk.step()
    assert len(desk.host.there) == 1


async def test_a_start_that_is_refused_waits_before_it_is_tried_again() -> None:
    desk = Desk(hub=FakeHub(waiting={"llm.probe": 1}))
    desk.host.start_failure = AppError("host_refused", "The host is full.", "Wait.")
    await desk.step()
    desk.host.start_failure = None
    await desk.step()
    assert desk.host.there == []
    (decision,) = await desk.scaler.plan()
    assert "starting failed once (The host is full): next try in 5 s" in decision.reason
    await desk.step(6)
    assert len(desk.host.there) == 1


async def test_a_node_that_could_not_be_asked_is_asked_again() -> None:
    desk = Desk()
    desk.host.there = ["a"]
    desk.hub.come("a", idle_seconds=300)
    node = desk.hub.nodes["a"]
    seen = desk.hub.get_fleet()
    desk.hub.nodes.clear()
    shown = desk.hub.get_fleet
    desk.hub.get_fleet = lambda: seen  # type: ignore[method-assign]
    await desk.step()
    assert desk.hub.drained == []
    desk.hub.get_fleet = shown  # type: ignore[method-assign]
    desk.hub.nodes["a"] = node
    await desk.step()
    assert desk.hub.drained == ["a"]


async def test_a_hub_without_a_fleet_is_told() -> None:
    desk = Desk(hub=FakeHub(is_configured=False))
    with pytest.raises(AppError) as raised:
        await desk.scaler.plan()
    assert raised.value.code == "fleet_off"


async def test_a_node_that_took_something_since_its_last_beat_is_not_idle() -> None:
    desk = Desk()
    desk.host.there = ["a"]
    desk.hub.come("a", held=0, idle_seconds=None)
    for _ in range(5):
        await desk.step(60)
    assert desk.hub.drained == []
