"""Pairing, keys and the registry: who comes in, and who is shown out."""

from __future__ import annotations

import asyncio

import pytest

from hub.core.access import Person, Scope
from hub.core.view import Sender
from hub.services.pairing import INVITATIONS_MAX, Claim, Paired
from shared.errors import AppError
from shared.messages import Beat, Metrics
from tests.hub.worlds import World


def claim(code: str, name: str = "anna-pc") -> Claim:
    return Claim(code=code, name=name, platform="Linux", app_version="1")


async def pair(world: World, person: Person, name: str = "anna-pc") -> Paired:
    invitation = await world.services.pairing.invite(person.person_id)
    return await world.services.pairing.claim(claim(invitation.code, name), "203.0.113.7")


async def code_of(world: World, given: Claim, address: str = "203.0.113.7") -> str:
    with pytest.raises(AppError) as caught:
        await world.services.pairing.claim(given, address)
    assert caught.value.hint
    return caught.value.code


async def test_a_code_is_good_once(world: World) -> None:
    anna = await world.person()
    invitation = await world.services.pairing.invite(anna.person_id)
    results = await asyncio.gather(
        *(
            world.services.pairing.claim(claim(invitation.code.lower()), f"203.0.113.{n}")
            for n in range(4)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Paired) for result in results) == 1
    access = await world.services.keys.check(
        next(r.token for r in results if isinstance(r, Paired))
    )
    assert (access.scope, access.person_id) == (Scope.WORKER, anna.person_id)


async def test_a_code_lives_ten_minutes(world: World) -> None:
    anna = await world.person()
    invitation = await world.services.pairing.invite(anna.person_id)
    world.clock.advance(10 * 60)
    assert await code_of(world, claim(invitation.code)) == "pairing_code_wrong"


async def test_guessing_is_paused_and_the_right_code_does_not_help_then(world: World) -> None:
    anna = await world.person()
    invitation = await world.services.pairing.invite(anna.person_id)
    codes = [await code_of(world, claim("BBBB-BBBB")) for _ in range(5)]
    assert codes == ["pairing_code_wrong"] * 4 + ["pairing_paused"]
    assert await code_of(world, claim(invitation.code)) == "pairing_paused"
    await world.services.pairing.claim(claim(invitation.code), "198.51.100.1")


async def test_codes_are_not_in_the_store(world: World) -> None:
    anna = await world.person()
    invitation = await world.services.pairing.invite(anna.person_id)
    paired = await pair(world, anna)
    world.database.close()
    stored = b"".join(file.read_bytes() for file in world.folder.glob("hub.sqlite3*"))
    for secret in (invitation.code, invitation.code.replace("-", ""), paired.token):
        assert secret.encode() not in stored
    assert paired.token.rpartition("_")[2].encode() not in stored


@pytest.mark.parametrize("name", ["", "   ", "\n\t", "x" * 200])
async def test_a_name_must_be_a_name(world: World, name: str) -> None:
    anna = await world.person()
    invitation = await world.services.pairing.invite(anna.person_id)
    assert await code_of(world, claim(invitation.code, name)) == "worker_name_invalid"
    # A bad name does not use the code up.
    await world.services.pairing.claim(claim(invitation.code), "203.0.113.7")


async def test_two_machines_of_one_name_are_told_apart(world: World) -> None:
    anna = await world.person()
    names = [(await pair(world, anna, name)).worker_name for name in ("pc", "PC", "pc")]
    assert names == ["pc", "PC 2", "pc 3"]


async def test_only_so_many_codes_are_open_at_once(world: World) -> None:
    anna = await world.person()
    for _ in range(INVITATIONS_MAX):
        await world.services.pairing.invite(anna.person_id)
    with pytest.raises(AppError) as caught:
        await world.services.pairing.invite(anna.person_id)
    assert caught.value.code == "too_many_invitations"
    world.clock.advance(10 * 60)
    await world.services.pairing.invite(anna.person_id)


async def test_a_revoked_worker_is_out_at_once(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    keys, registry = world.services.keys, world.services.registry
    await keys.check(pc.token)
    dropped: list[str] = []
    registry.revocation_listeners.append(dropped.append)
    await registry.revoke(anna.person_id, pc.worker_id)
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
    key_id = (await keys.check(key)).key_id
    await keys.revoke(key_id)
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
