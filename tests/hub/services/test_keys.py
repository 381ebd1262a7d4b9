"""Keys of programs: made within limits, rotated with overlap, over at their time and at once."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.core.access import Access, Person, Scope
from hub.core.key import KEYS_MAX, OVERLAP, OVERLAP_MAX
from hub.services.keys import USED_SECONDS
from hub.services.minting import Told
from hub.store import aftermath
from hub.store import keys as stored
from hub.store.database import STORE_NAME, open_store
from shared.errors import AppError, NotAllowed
from tests.hub.worlds import World
from tests.makers import NOON

BY = "anna on the web"
HOUR = 3600.0


def access_of(person: Person, scope: Scope = Scope.PERSON) -> Access:
    return Access(person_id=person.person_id, scope=scope, key_id="caller")


async def made(world: World, person: Person, scope: Scope = Scope.READ, **more: object) -> Told:
    wanted: dict[str, object] = {"name": "ci", "by": BY, **more}
    return await world.services.keys.create(
        access_of(person),
        person.person_id,
        scope,
        **wanted,  # type: ignore[arg-type]
    )


async def works(world: World, told: Told) -> bool:
    with contextlib.suppress(NotAllowed):
        return bool(await world.services.keys.check(told.text))
    return False


async def test_a_key_is_told_once_and_kept_as_a_hash(world: World) -> None:
    anna = await world.person()
    told = await made(world, anna, scope=Scope.WORKER, kinds=("ml.train",))
    access = await world.services.keys.check(f"Bearer {told.text}")
    assert (access.scope, access.kinds, access.person_id) == (
        Scope.WORKER, ("ml.train",), anna.person_id,
    )  # fmt: skip
    secret = told.text.split("_", 3)[3]
    assert secret not in repr(told)
    assert secret not in repr(told.key)
    kept = b"".join(path.read_bytes() for path in world.folder.glob("hub.sqlite3*"))
    assert secret.encode() not in kept
    [listed] = await world.services.keys.of_person(access_of(anna), anna.person_id)
    assert (listed.name, listed.last) == ("ci", secret[-4:])
    assert told.text.startswith(listed.prefix)


@pytest.mark.parametrize("is_known", [True, False], ids=["remembered", "not remembered"])
async def test_a_key_ends_at_its_time_also_when_it_is_remembered(
    world: World, is_known: bool
) -> None:
    told = await made(world, await world.person(), expires_at=NOON + timedelta(hours=1))
    if is_known:
        assert await works(world, told)
    world.clock.advance(HOUR - 1)
    if is_known:
        assert await works(world, told)
    world.clock.advance(1)
    assert not await works(world, told)
    await world.restart()
    assert not await works(world, told)


async def test_a_rotated_key_works_on_beside_its_successor_for_as_long_as_was_said(
    world: World,
) -> None:
    anna = await world.person()
    old = await made(world, anna, scope=Scope.ENQUEUE)
    keys = world.services.keys
    new = await keys.rotate(access_of(anna), old.key.key_id, by=BY)
    assert new.key.scope is Scope.ENQUEUE
    assert (await works(world, old), await works(world, new)) == (True, True)
    world.clock.advance(OVERLAP.total_seconds() - 1)
    assert await works(world, old)
    world.clock.advance(1)
    assert (await works(world, old), await works(world, new)) == (False, True)
    with pytest.raises(AppError) as caught:
        await keys.rotate(access_of(anna), old.key.key_id, by=BY)
    assert caught.value.code == "key_rotated"


async def test_a_rotation_without_overlap_ends_the_old_key_at_once(world: World) -> None:
    anna = await world.person()
    old = await made(world, anna)
    assert await works(world, old)
    new = await world.services.keys.rotate(
        access_of(anna), old.key.key_id, overlap=timedelta(), by=BY
    )
    assert (await works(world, old), await works(world, new)) == (False, True)


async def test_a_rotation_never_lengthens_the_old_key_and_the_new_one_lives_as_long(
    world: World,
) -> None:
    anna = await world.person()
    old = await made(world, anna, expires_at=NOON + timedelta(hours=10))
    world.clock.advance(9 * HOUR)
    new = await world.services.keys.rotate(access_of(anna), old.key.key_id, by=BY)
    assert new.key.expires_at == NOON + timedelta(hours=19)
    world.clock.advance(HOUR)
    assert (await works(world, old), await works(world, new)) == (False, True)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"scope": Scope.ADMIN}, "key_scope"),
        ({"name": " \n\t "}, "key_name_invalid"),
        ({"name": "x" * 101}, "key_name_invalid"),
        ({"scope": Scope.PERSON, "kinds": ("ml.train",)}, "key_kinds_invalid"),
        ({"expires_at": NOON}, "key_end_invalid"),
        ({"expires_at": NOON.replace(tzinfo=None) + timedelta(days=1)}, "key_end_invalid"),
    ],
    ids=["scope", "no name", "long name", "kinds", "past", "no zone"],
)
async def test_a_key_that_makes_no_sense_is_not_made(
    world: World, wrong: dict[str, Any], code: str
) -> None:
    anna = await world.person()
    with pytest.raises(AppError) as caught:
        await made(world, anna, **wrong)
    assert caught.value.code == code


async def test_overlap_and_number_are_limited(world: World) -> None:
    anna = await world.person()
    told = await made(world, anna)
    with pytest.raises(AppError) as caught:
        await world.services.keys.rotate(
            access_of(anna), told.key.key_id, overlap=OVERLAP_MAX + timedelta(seconds=1), by=BY
        )
    assert caught.value.code == "key_overlap_invalid"
    for _ in range(KEYS_MAX - 1):
        await made(world, anna)
    with pytest.raises(AppError) as caught:
        await made(world, anna)
    assert caught.value.code == "too_many_keys"


async def test_nobody_sees_ends_or_rotates_what_is_not_theirs_or_above_them(world: World) -> None:
    anna, bert = await world.person(), await world.person("bert")
    keys = world.services.keys
    await keys.issue(anna.person_id, Scope.ADMIN, name="the hub's")
    operator = access_of(anna, Scope.ADMIN)
    [admin] = await keys.of_person(operator, anna.person_id)
    told = await made(world, anna)
    pc = await world.desk(anna)
    for caller, key_id in (
        (access_of(bert), told.key.key_id),
        (access_of(anna), admin.key_id),
        (operator, pc.worker_id),
        (operator, "none"),
    ):
        for act in (keys.revoke(caller, key_id, by=BY), keys.rotate(caller, key_id, by=BY)):
            with pytest.raises(AppError) as caught:
                await act
            assert caught.value.code == "key_unknown"
    assert [key.key_id for key in await keys.of_person(access_of(anna), None)] == [told.key.key_id]
    assert len(await keys.of_person(operator, None)) == 2


async def test_what_a_key_holds_open_ends_when_it_is_revoked_rotated_out_or_over(
    world: World,
) -> None:
    anna = await world.person()
    keys = world.services.keys
    revoked, rotated = await made(world, anna), await made(world, anna)
    over = await made(world, anna, expires_at=NOON + timedelta(hours=48))
    accesses = [await keys.check(told.text) for told in (revoked, rotated, over)]
    with (
        keys.line(accesses[0]) as one,
        keys.line(accesses[1]) as two,
        keys.line(accesses[2]) as six,
    ):
        await keys.revoke(access_of(anna), revoked.key.key_id, by=BY)
        assert [line.is_set() for line in (one, two, six)] == [True, False, False]
        await keys.rotate(access_of(anna), rotated.key.key_id, by=BY)
        await keys.run_once()
        assert not two.is_set()
        world.clock.advance(OVERLAP.total_seconds())
        await keys.run_once()
        assert [line.is_set() for line in (two, six)] == [True, False]
        world.clock.advance(OVERLAP.total_seconds())
        await keys.run_once()
        assert six.is_set()


async def test_use_is_written_down_seldom_and_told_at_once(world: World) -> None:
    anna = await world.person()
    keys = world.services.keys
    told = await made(world, anna)

    async def written() -> object:
        key = await world.ledger.read(lambda c: stored.load(c, told.key.key_id))
        assert key is not None
        return key.used_at

    world.clock.advance(60)
    await keys.check(told.text)
    await keys.run_once()
    [listed] = await keys.of_person(access_of(anna), anna.person_id)
    assert listed.used_at == NOON + timedelta(seconds=60)
    assert await written() is None
    world.clock.advance(USED_SECONDS)
    await keys.run_once()
    assert await written() == NOON + timedelta(seconds=60)


async def test_a_key_that_ran_out_long_ago_is_forgotten(world: World) -> None:
    anna = await world.person()
    keys = world.services.keys
    await made(world, anna, expires_at=NOON + timedelta(hours=1))
    for days, count in ((1, 1), (30, 0)):
        world.clock.advance(days * 24 * HOUR)
        await keys.check((await made(world, anna, scope=Scope.ENROL)).text)
        await keys.write_used()
        listed = await keys.of_person(access_of(anna), anna.person_id)
        assert sum(key.scope is Scope.READ for key in listed) == count


async def test_making_and_ending_a_key_is_told_without_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    anna = await world.person()
    keys = world.services.keys
    with caplog.at_level(logging.DEBUG):
        told = await made(world, anna)
        new = await keys.rotate(access_of(anna), told.key.key_id, by=BY)
        await keys.revoke(access_of(anna), new.key.key_id, by=BY)
    facts = await world.services.feed.after(0, 100, anna.person_id)
    assert [fact.type for fact in facts] == ["key_made", "key_made", "key_revoked"]
    assert facts[1].payload["replaces"] == told.key.key_id
    written = caplog.text + str([fact.payload for fact in facts])
    assert told.text.split("_", 3)[3] not in written
    assert new.text.split("_", 3)[3] not in written


async def test_a_locked_account_makes_no_keys(world: World) -> None:
    anna = await world.person()
    await world.services.registry.lock(anna.person_id, BY)
    with pytest.raises(AppError) as caught:
        await made(world, anna)
    assert caught.value.code == "account_locked"


async def test_a_restored_hub_knows_that_a_key_was_rotated_out_after_the_backup(
    world: World, tmp_path: Path
) -> None:
    anna = await world.person()
    old = await made(world, anna)
    folder = tmp_path / "restored"
    folder.mkdir()
    with (
        contextlib.closing(sqlite3.connect(world.folder / STORE_NAME)) as source,
        contextlib.closing(sqlite3.connect(folder / STORE_NAME)) as target,
    ):
        source.backup(target)
    await world.services.keys.rotate(access_of(anna), old.key.key_id, by=BY)
    lost = aftermath.record_of(world.folder / STORE_NAME)
    assert lost is not None
    with open_store(folder) as restored:
        before = restored.submit(aftermath.read).result()
        after = aftermath.compare(lost, before)
        restored.submit(lambda c: aftermath.keep_out(c, after, lost)).result()
    again = World(folder)
    again.clock.advance(OVERLAP.total_seconds() - 1)
    assert await works(again, old)
    again.clock.advance(1)
    assert not await works(again, old)
    again.database.close()
