"""What holds jobs back: pauses that end by themselves, rules that are looked at only if needed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from desktop.core.policy import Policy, write_policy
from desktop.core.run_policy import Readings, RunRules, Sense
from desktop.desk.desk import Desk
from desktop.desk.holding import FOREVER, PAUSED, Holding
from desktop.store import facts
from desktop.store.database import open_store
from desktop.system.paths import find_paths
from shared.environment import Environment

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass
class Machine:
    """A machine whose battery and clock a test moves."""

    at: datetime = NOON
    readings: Readings = field(default_factory=Readings)
    asked: list[frozenset[Sense]] = field(default_factory=list)
    changes: int = 0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def read(self, wanted: AbstractSet[Sense]) -> Readings:
        self.asked.append(frozenset(wanted))
        return self.readings

    def changed(self) -> None:
        self.changes += 1

    def holding(self) -> Holding:
        return Holding(Environment(clock=self), self.read, self.changed, lambda: UTC)


async def test_without_rules_nothing_is_sensed_and_nothing_wakes_it() -> None:
    machine = Machine()
    holding = machine.holding()
    await holding.look()
    assert holding.why is None
    assert machine.asked == []
    assert holding.next_look_at is None


async def test_a_rule_is_looked_at_as_often_as_it_needs_and_tells_only_what_changed() -> None:
    machine = Machine(readings=Readings(is_on_battery=True, battery_share=0.5))
    holding = machine.holding()
    holding.adopt(RunRules(on_battery=False))
    assert not why(holding), "nothing is held back before it was looked at"
    await holding.look()
    await holding.look()
    assert why(holding) == "on_battery"
    assert machine.changes == 1
    assert machine.asked == [frozenset({Sense.BATTERY})] * 2
    assert holding.next_look_at == NOON + timedelta(seconds=30)
    machine.readings = Readings(is_on_battery=False)
    await holding.look()
    assert holding.why is None
    assert machine.changes == 2


async def test_a_rule_that_is_taken_back_lets_go_at_once() -> None:
    machine = Machine(readings=Readings(is_on_battery=True))
    holding = machine.holding()
    holding.adopt(RunRules(on_battery=False))
    await holding.look()
    holding.adopt(RunRules())
    assert holding.why is None


async def test_the_hours_are_waited_for_to_the_second() -> None:
    machine = Machine()
    holding = machine.holding()
    holding.adopt(RunRules(hours="18:00-08:00"))
    assert holding.why is not None
    assert holding.next_look_at == NOON + timedelta(hours=6)
    machine.at += timedelta(hours=6)
    await holding.look()
    assert holding.why is None


async def test_a_pause_comes_before_the_rules_and_leaves_them_behind() -> None:
    machine = Machine(readings=Readings(is_on_battery=True))
    holding = machine.holding()
    holding.adopt(RunRules(on_battery=False))
    await holding.look()
    holding.pause((NOON + timedelta(minutes=30)).isoformat())
    assert holding.why is not None
    assert holding.why.code == PAUSED
    assert holding.next_look_at == NOON + timedelta(minutes=30)
    machine.at += timedelta(minutes=30)
    await holding.look()
    assert not holding.is_paused
    assert holding.why is not None
    assert holding.why.code == "on_battery"


async def test_a_pause_without_an_end_waits_for_a_person() -> None:
    holding = Machine().holding()
    holding.pause(FOREVER)
    assert holding.next_look_at is None
    assert holding.is_paused
    holding.pause("")
    assert holding.why is None


def why(holding: Holding) -> str:
    return holding.why.code if holding.why else ""


@contextlib.asynccontextmanager
async def running(home: Path) -> AsyncIterator[Desk]:
    """A desk of a machine that belongs to no hub, alive."""
    paths = find_paths(home)
    paths.make()
    with open_store(paths.store) as database:
        desk = Desk(paths, database)
        async with asyncio.TaskGroup() as tasks:
            life = tasks.create_task(desk.run())
            try:
                yield desk
            finally:
                life.cancel()
        desk.close()


def code(desk: Desk) -> str:
    return desk.held_back.code if desk.held_back else ""


async def changed(desk: Desk) -> None:
    """Wait for the next bell."""
    heard = asyncio.Event()
    desk.listeners.append(lambda _news: heard.set())
    async with asyncio.timeout(5):
        await heard.wait()


async def test_a_pause_ends_by_itself_when_its_time_has_come(tmp_path: Path) -> None:
    async with running(tmp_path) as desk:
        await changed(desk)
        until = desk.environment.now() + timedelta(seconds=0.3)
        await desk.pause(until)
        assert code(desk) == PAUSED
        while code(desk):
            await changed(desk)
        late = desk.environment.now() - until
        assert timedelta(0) <= late < timedelta(seconds=1)


async def test_a_pause_outlives_the_program(tmp_path: Path) -> None:
    async with running(tmp_path) as desk:
        await desk.pause()
    async with running(tmp_path) as desk:
        await changed(desk)
        assert code(desk) == PAUSED
        await desk.resume()
        assert await desk.look(lambda c: facts.get(c, "paused_until")) == ""
        assert not code(desk)


async def test_a_policy_that_is_edited_counts_and_one_that_is_broken_stops_new_jobs(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as desk:
        await changed(desk)
        await desk.change_policy(Policy(slots=3))
        desk.paths.policy.write_text("slots = 4\n")
        await desk.read_policy()
        assert desk.policy.slots == 4
        desk.paths.policy.write_text("slots = 'many'\n")
        await desk.read_policy()
        assert desk.policy.slots == 4, "the last one that could be read"
        assert desk.held_back is not None
        assert desk.held_back.code == "policy_invalid"
        assert "line 1" in desk.held_back.message
        assert desk.held_back.retryable, "it is not the job's fault"
        desk.paths.policy.write_text(write_policy(Policy(slots=5)))
        await desk.read_policy()
        assert not code(desk)
        assert desk.policy.slots == 5


async def test_what_was_written_by_hand_is_kept_when_a_window_writes(tmp_path: Path) -> None:
    async with running(tmp_path) as desk:
        await changed(desk)
        desk.paths.policy.write_text("# my own remark\nslots = 4\n")
        await desk.read_policy()
        await desk.change_policy(desk.policy.model_copy(update={"folders": ("~/x",)}))
        assert "my own remark" in (tmp_path / "policy.before.toml").read_text()
        await desk.change_policy(desk.policy.model_copy(update={"slots": 1}))
        assert "my own remark" in (tmp_path / "policy.before.toml").read_text()
