"""Keys and the registry: who speaks for whom, and who is shown out."""

from __future__ import annotations

import asyncio
import sqlite3
import threading

import pytest

from hub.core.access import Role, Scope
from hub.core.view import Sender
from hub.store.ledger import Entry
from shared.errors import AppError
from shared.messages import Beat, Metrics
from tests.hub.worlds import World

WAIT_SECONDS = 30.0


async def test_a_revoked_worker_is_out_at_once(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    keys, registry = world.services.keys, world.services.registry
    await keys.check(pc.token)
    dropped: list[str] = []
    registry.revocation_listeners.append(dropped.append)
    await registry.revoke(anna.person_id, pc.worker_id, "anna on Telegram")
    assert dropped == [pc.worker_id]
    with pytest.raises(AppError) as caught:
        await keys.check(pc.token)
    assert caught.value.code == "key_invalid"
    with pytest.raises(AppError):
        await pc.come()
    assert await world.services.views.workers(anna.person_id) == ()


async def test_a_key_with_another_scope_or_secret_is_invalid(world: World) -> None:
    anna = await world.person()
    keys = world.services.keys
    key = await keys.issue(anna.person_id, Scope.PERSON)
    assert (await keys.check(f"Bearer {key}")).scope is Scope.PERSON
    for forged in (key.replace("person", "admin"), key[:-1] + ("a" if key[-1] != "a" else "b")):
        with pytest.raises(AppError) as caught:
            await keys.check(forged)
        assert caught.value.code == "key_invalid"
    access = await keys.check(key)
    await keys.revoke(access, access.key_id, by="anna on the API")
    with pytest.raises(AppError):
        await keys.check(key)


async def test_an_account_speaks_for_one_person(world: World) -> None:
    anna = await world.person()
    bert = await world.person("bert")
    registry = world.services.registry
    sender = Sender(frontend="telegram", external_id="4711", name="Anna")
    assert await registry.person_of(sender) is None
    for _ in range(2):
        await registry.link(anna.person_id, sender)
    assert await registry.person_of(sender) == anna
    with pytest.raises(AppError) as caught:
        await registry.link(bert.person_id, sender)
    assert caught.value.code == "identity_taken"


async def test_a_person_is_read_once_and_as_they_are_now(world: World) -> None:
    anna = await world.person()
    registry = world.services.registry
    assert await registry.person(anna.person_id) is await registry.person(anna.person_id)
    await registry.rename(anna.person_id, "Anna Maria")
    assert (await registry.person(anna.person_id)).name == "Anna Maria"
    await registry.lock(anna.person_id, "anna on Telegram")
    assert (await registry.person(anna.person_id)).locked_at is not None
    assert (await registry.unlock(anna.person_id, "the operator")).locked_at is None
    assert (await registry.person(anna.person_id)).role is Role.OWNER
    bert = await world.person("bert")
    await registry.set_role(bert.person_id, Role.OWNER, "anna on the web")
    await registry.set_role(anna.person_id, Role.MEMBER, "bert on the web")
    assert (await registry.person(anna.person_id)).role is Role.MEMBER


async def test_a_change_of_a_person_that_the_disk_did_not_take_is_forgotten(world: World) -> None:
    anna = await world.person()
    registry = world.services.registry
    is_busy, is_all_queued = threading.Event(), threading.Event()

    def keep_busy(_connection: sqlite3.Connection) -> bool:
        is_busy.set()
        return is_all_queued.wait(WAIT_SECONDS)

    def fill_the_disk(_entry: Entry) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    # What is asked for meanwhile shares a commit.
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(world.ledger.read(keep_busy))
        assert await asyncio.to_thread(is_busy.wait, WAIT_SECONDS)
        sharing = asyncio.gather(
            registry.rename(anna.person_id, "Bert"),
            registry.person(anna.person_id),
            world.ledger.write(fill_the_disk),
            return_exceptions=True,
        )
        await asyncio.sleep(0)
        is_all_queued.set()
    assert [getattr(error, "code", "") for error in await sharing] == ["disk_full"] * 3
    assert (await registry.person(anna.person_id)).name == anna.name


async def test_beats_are_kept_in_memory_and_told(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna, slots=1)
    metrics = Metrics(cpu_share=0.5, memory_used_bytes=1, memory_total_bytes=2, disk_free_bytes=3)
    before = world.ledger.position
    world.clock.advance(15)
    world.services.registry.beat(pc.worker_id, Beat(slots=3, metrics=metrics))
    [card] = await world.services.views.workers(anna.person_id)
    assert (card.is_online, card.slots, card.free, card.metrics) == (True, 3, 3, metrics)
    assert card.last_seen_at == world.clock.now()
    assert world.ledger.position == before
    pc.go()
    await world.services.registry.write_seen()
    await world.restart()
    [card] = await world.services.views.workers(anna.person_id)
    assert (card.is_online, card.last_seen_at) == (False, world.clock.now())


async def test_a_paused_worker_gets_nothing_new(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    registry = world.services.registry
    await registry.pause(anna.person_id, pc.worker_id, is_paused=True)
    await world.request(anna)
    assert await pc.offers() == []
    pc.go()
    await pc.come()
    assert await pc.offers() == []
    await registry.pause(anna.person_id, pc.worker_id, is_paused=False)
    assert len(await pc.offers()) == 1
