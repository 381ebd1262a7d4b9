"""The fleet's figures of a real hub with a real broker and a node that beats."""

from __future__ import annotations

from pathlib import Path

from hub.core.access import Scope
from hub.frontends.metrics.fleet import KEPT_SECONDS
from shared.fleet import queue_of
from shared.jobs import Priority
from tests.brokers.redis import RedisServer
from tests.hub.fleet.world import RUN, FleetWorld, fleet_world
from tests.hub.frontends.metrics.test_site import Told, read, value


async def scrape(world: FleetWorld) -> Told:
    world.pass_time(KEPT_SECONDS)
    key = await world.hub.services.keys.issue(world.owner.person_id, Scope.METRICS)
    url = f"{world.hub.settings.local_url}/metrics"
    answer = await world.rest.get(url, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200
    return read(answer.text)


async def test_what_waits_runs_and_who_is_there(tmp_path: Path) -> None:
    async with (
        RedisServer(tmp_path / "redis") as server,
        fleet_world(tmp_path / "hub", server.url) as world,
    ):
        await world.until_up()
        node = world.node()
        await node.beat()
        for _ in range(2):
            await world.ask()
        ticket = await node.take(queue_of(RUN.name, Priority.DEFAULT))
        await node.start(ticket)
        await node.beat(ticket)
        told = await scrape(world)
        of = {"kind": RUN.name, "priority": "default"}
        assert value(told, "fleet_configured") == value(told, "fleet_broker_up") == 1
        assert value(told, "fleet_jobs", **of, state="waiting") == 1
        assert value(told, "fleet_jobs", **of, state="running") == 1
        assert value(told, "fleet_oldest_wait_seconds", **of) > 0
        assert value(told, "fleet_nodes", pool="unnamed", state="taking") == 1
        assert value(told, "fleet_slots", pool="unnamed", state="used") == 1
        # It is no computer of anybody's.
        assert (
            value(told, "workers", state="ready") == value(told, "worker_slots", state="free") == 0
        )
        server.kill()
        await world.until_up(is_up=False)
        assert value(await scrape(world), "fleet_broker_up") == 0
