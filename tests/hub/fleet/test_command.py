"""`deskhand-hub fleet` says how the fleet is, to people and to programs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from hub.__main__ import main
from hub.fleet import told
from shared.api.fleet import FleetNodeShown, FleetQueueShown, FleetShown
from shared.jobs import Priority
from tests.brokers.redis import RedisServer
from tests.hub.fleet.world import RUN, fleet_world
from tests.makers import NOON


def queue(kind: str, priority: Priority, *, waiting: int, running: int) -> FleetQueueShown:
    return FleetQueueShown(
        kind=kind, priority=priority, waiting=waiting, running=running, oldest_wait_seconds=90
    )


def node(name: str, *, held: int, is_draining: bool) -> FleetNodeShown:
    return FleetNodeShown(
        node=name,
        instance="box",
        pool="asking",
        kinds=("llm.ask",),
        slots=4,
        held=held,
        is_draining=is_draining,
        since=NOON,
        seen_at=NOON - timedelta(seconds=2),
    )


FLEET = FleetShown(
    is_configured=True,
    is_broker_up=True,
    kinds=("llm.ask", "web.read"),
    queues=(
        queue("llm.ask", Priority.HIGH, waiting=1200, running=8),
        queue("llm.ask", Priority.LOW, waiting=0, running=0),
        queue("web.read", Priority.LOW, waiting=0, running=1),
    ),
    nodes=(node("node-1", held=4, is_draining=False), node("node-22", held=1, is_draining=True)),
)


def lines_of(text: Sequence[str]) -> list[str]:
    return "\n".join(text).splitlines()


def test_a_busy_fleet_is_told_as_tables() -> None:
    assert lines_of(told(FLEET, NOON)) == [
        "Broker: up",
        "Kinds: llm.ask, web.read",
        "",
        "KIND      PRIORITY  WAITING  RUNNING  OLDEST",
        "llm.ask   high      1,200    8        1 min 30 s",
        "web.read  low       0        1",
        "",
        "NODE     POOL    SLOTS  HELD            SEEN",
        "node-1   asking  4      4               just now",
        "node-22  asking  4      1     draining  just now",
        "2 nodes",
    ]


def test_trouble_comes_first_and_the_next_step_last() -> None:
    away = FleetShown(is_configured=True, is_broker_up=False, broker_error="It does not answer.")
    lines = lines_of(told(away, NOON))
    assert lines[:2] == ["Broker: away", "  It does not answer."]
    assert "See that it runs." in lines[2]
    assert lines[3] == "Kinds: none"
    assert lines[-2] == "No node is here."
    assert "deskhand-fleet worker" in lines[-1]


def test_what_starts_a_node_names_the_kinds_of_this_fleet() -> None:
    idle = FleetShown(is_configured=True, is_broker_up=True, kinds=("llm.ask", "web.read"))
    assert lines_of(told(idle, NOON))[-1].endswith("--kinds llm.ask,web.read")


def test_a_hub_without_a_fleet_says_how_to_have_one() -> None:
    lines = lines_of(told(FleetShown(is_configured=False, is_broker_up=False), NOON))
    assert lines[0] == "This hub has no fleet."
    assert "HUB_FLEET_BROKER" in lines[1]


async def test_the_command_asks_the_hub(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with (
        RedisServer(tmp_path / "redis") as server,
        fleet_world(tmp_path / "hub", server.url) as world,
    ):
        await world.until_up()
        words = ["fleet", "--hub", world.hub.settings.local_url, "--data", str(tmp_path / "hub")]
        assert await asyncio.to_thread(main, [*words, "--json"]) == 0
        out = capsys.readouterr().out
        shown = json.loads(out[out.index("{\n") :])  # the hub's log stands in front of it
        assert (shown["is_broker_up"], RUN.name in shown["kinds"]) == (True, True)
        assert await asyncio.to_thread(main, words) == 0
        assert "Broker: up" in capsys.readouterr().out
