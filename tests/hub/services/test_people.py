"""Keys and the registry: who speaks for whom, and who is shown out."""

from __future__ import annotations

import pytest

from hub.core.access import Scope
from hub.core.view import Sender
from shared.errors import AppError
from shared.messages import Beat, Metrics
from tests.hub.worlds import World


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
