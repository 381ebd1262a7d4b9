"""`deskhand-hub doctor` on a hub with a fleet: the broker, its nodes, and its settings."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import SecretStr

from hub.doctor import examine
from hub.settings import Settings
from tests.brokers.redis import RedisServer
from tests.hub.fleet.world import RUN, FleetWorld, fleet_world


async def told(world: FleetWorld, capsys: pytest.CaptureFixture[str]) -> Sequence[str]:
    """Ask the hub as from elsewhere; the lines that are about the fleet."""
    key = world.hub.settings.admin_key_file.read_text().strip()
    url = world.hub.settings.local_url
    await asyncio.to_thread(examine, world.hub.settings, url, key)
    lines = capsys.readouterr().out.splitlines()
    told = [line for line in lines if line.startswith(("✓", "⚠", " "))]
    return [line for line in told if "fleet" in line.casefold()]


async def test_doctor_tells_of_broker_and_nodes_and_takes_the_fleet_for_no_computer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with (
        RedisServer(tmp_path / "redis") as server,
        fleet_world(tmp_path / "hub", server.url, kinds=RUN.name) as world,
    ):
        await world.until_up()
        assert await told(world, capsys) == ["✓ Fleet: broker up, 0 nodes, 0 waiting"]
        await world.ask()
        [bad, hint] = await told(world, capsys)
        assert bad == "⚠ 1 job for the fleet, and no node is here."
        assert "deskhand-fleet worker" in hint
        await world.node().beat()
        assert await told(world, capsys) == ["✓ Fleet: broker up, 1 node, 1 waiting"]
        server.kill()
        await world.until_up(is_up=False)
        [bad] = await told(world, capsys)
        assert bad.startswith("⚠ The fleet's broker at redis://127.0.0.1:")
        assert "does not answer" in bad


@pytest.mark.parametrize(
    ("broker", "kinds", "said"),
    [
        ("nowhere", "", "⚠ HUB_FLEET_BROKER is no address of a broker."),
        ("", "ml.train", "⚠ HUB_FLEET_KINDS names ml.train, which needs a person's own computer."),
    ],
)
def test_doctor_says_what_keeps_a_hub_from_starting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], broker: str, kinds: str, said: str
) -> None:
    settings = Settings(data=tmp_path, port=1, fleet_broker=SecretStr(broker), fleet_kinds=kinds)
    assert examine(settings, None, "") == 1
    assert said in capsys.readouterr().out
