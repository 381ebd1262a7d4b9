"""What every host does: starts nodes, lists its own, stops them, and touches nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.core.pool import InstanceState, Pool
from hub.ports import FleetHost
from shared.errors import AppError
from tests.hub.hosts.fly_world import fly_machines
from tests.hub.hosts.kubernetes_world import cluster_with_deployments, cluster_with_jobs
from tests.hub.hosts.podman_world import containers
from tests.hub.hosts.process_world import processes
from tests.hub.hosts.worlds import BROKER, KEY, HostWorld

WORLDS = {
    "process": processes,
    "podman": containers,
    "fly": fly_machines,
    "deployment": cluster_with_deployments,
    "jobs": cluster_with_jobs,
}
END_SECONDS = 15.0
# Docker's SDK leaves the socket open that found nobody, to whenever Python collects it.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture(params=list(WORLDS))
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[HostWorld]:
    async with WORLDS[request.param](tmp_path) as made:
        yield made


@pytest.fixture
async def host(world: HostWorld) -> AsyncIterator[FleetHost]:
    opened = world.open(world.pool)
    yield opened
    for pool in (world.pool, world.other):
        own = world.open(pool)
        await own.stop(pool, await names(own, pool))
        await own.close()
    await opened.close()


async def names(host: FleetHost, pool: Pool) -> list[str]:
    return sorted(instance.name for instance in await host.instances(pool))


async def until_gone(host: FleetHost, pool: Pool, gone: set[str], world: HostWorld) -> None:
    async with asyncio.timeout(END_SECONDS):
        while gone & set(await names(host, pool)):
            await world.settle()
            await asyncio.sleep(0.05)


async def test_there_are_none_at_first(world: HostWorld, host: FleetHost) -> None:
    assert await host.instances(world.pool) == ()


async def test_what_is_started_is_listed_under_names_of_its_own(
    world: HostWorld, host: FleetHost
) -> None:
    started = await host.start(world.pool, 2)
    more = await host.start(world.pool, 1)

    assert len({*started, *more}) == 3
    listed = await host.instances(world.pool)
    assert {instance.name for instance in listed} == {*started, *more}
    assert {instance.pool for instance in listed} == {world.pool.name}
    assert all(instance.state is not InstanceState.STOPPING for instance in listed)


async def test_what_is_stopped_is_gone_and_the_others_stay(
    world: HostWorld, host: FleetHost
) -> None:
    first, second, third = await host.start(world.pool, 3)
    await host.stop(world.pool, [first, third])
    await until_gone(host, world.pool, {first, third}, world)
    assert await names(host, world.pool) == [second]


async def test_stopping_twice_or_what_never_was_is_no_error(
    world: HostWorld, host: FleetHost
) -> None:
    (name,) = await host.start(world.pool, 1)
    await host.stop(world.pool, [name, "deskhand-probes-ffffffff"])
    await host.stop(world.pool, [name])
    await until_gone(host, world.pool, {name}, world)
    await host.stop(world.pool, [name])
    assert await names(host, world.pool) == []


async def test_another_host_object_finds_what_is_there(world: HostWorld, host: FleetHost) -> None:
    """As a scaler does that was started again."""
    started = await host.start(world.pool, 2)
    await host.close()
    again = world.open(world.pool)
    assert await names(again, world.pool) == sorted(started)
    await again.stop(world.pool, started)
    await until_gone(again, world.pool, set(started), world)
    await again.close()
    await again.close()


async def test_pools_know_their_own_alone(world: HostWorld, host: FleetHost) -> None:
    (ours,) = await host.start(world.pool, 1)
    other = world.open(world.other)
    (theirs,) = await other.start(world.other, 1)

    assert await names(host, world.pool) == [ours]
    assert await names(other, world.other) == [theirs]
    await other.stop(world.other, [ours])
    await world.settle()
    assert await names(host, world.pool) == [ours]
    await other.stop(world.other, [theirs])
    await other.close()


async def test_a_stranger_of_a_similar_name_is_neither_listed_nor_stopped(
    world: HostWorld, host: FleetHost
) -> None:
    stranger = await world.make_stranger()
    (ours,) = await host.start(world.pool, 1)
    assert await names(host, world.pool) == [ours]

    await host.stop(world.pool, [stranger])
    await world.settle()
    assert await world.is_there(stranger)
    await host.stop(world.pool, [ours])
    await until_gone(host, world.pool, {ours}, world)
    assert await world.is_there(stranger)


async def test_a_start_that_fails_is_told_and_leaves_nothing(
    world: HostWorld, host: FleetHost
) -> None:
    broken = world.open(world.cannot_start)
    with pytest.raises(AppError) as raised:
        await broken.start(world.cannot_start, 1)
    assert raised.value.code == "host_refused"
    assert raised.value.hint
    assert await names(host, world.pool) == []
    await broken.close()


async def test_a_host_that_does_not_answer_is_told_so(world: HostWorld) -> None:
    away = world.open(world.unreachable)
    with pytest.raises(AppError) as raised:
        await away.start(world.unreachable, 1)
    assert raised.value.code in ("host_unreachable", "host_refused")
    assert KEY not in str(raised.value)
    await away.close()


async def test_no_secret_is_where_others_can_see_it(world: HostWorld, host: FleetHost) -> None:
    (name,) = await host.start(world.pool, 1)
    told = await world.told(name)
    assert name in told or "fake_node" in told
    assert KEY not in told
    assert BROKER not in told
    assert "the-password" not in told
