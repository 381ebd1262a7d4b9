"""What workers are told of the log: written once for many, and to each what it has not seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.core.access import Person
from hub.engines.stretches import LAG_EVENTS_MAX, Stretches
from hub.services.feed import Feed
from hub.store.ledger import Entry
from shared.events import PersonUnlocked, TaskPurged
from shared.ids import TaskId
from shared.messages import BATCH_EVENTS_MAX, Events
from shared.protocol.frames import FROM_HUB, decode
from shared.protocol.stretch import Stretch
from tests.hub.worlds import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.database.close()


async def tell(world: World, person: Person, count: int = 1, by: str = "Zoë") -> None:
    def run(entry: Entry) -> None:
        for _ in range(count):
            entry.tell(person.person_id, PersonUnlocked(person_id=person.person_id, by=by))

    await world.ledger.write(run)


def read(told: Stretch | None, place: int) -> Events:
    assert told is not None
    message = decode(told.frame(place), FROM_HUB)
    assert isinstance(message, Events)
    return message


async def test_a_frame_says_the_same_as_the_message_would(world: World) -> None:
    anna = await world.services.registry.add_person("anna")
    place = world.ledger.position
    await tell(world, anna, 3)
    facts = await Feed(world.ledger).after(0, 1000, anna.person_id)
    fresh = tuple(fact.numbered for fact in facts if fact.hub_seq > place)
    told = await Stretches(world.services.feed).after(place, anna.person_id)
    message = Events(after=place, upto=place + 3, events=fresh)
    assert read(told, place) == message
    assert told is not None
    assert told.frame(place) == message.model_dump_json()


async def test_workers_at_different_places_share_what_both_lack(world: World) -> None:
    anna, ben = [await world.services.registry.add_person(name) for name in ("anna", "ben")]
    place = world.ledger.position
    await tell(world, ben, 2)
    await tell(world, anna, 2)
    stretches = Stretches(world.services.feed)
    first = await stretches.after(place, anna.person_id)
    assert first is not None
    assert await stretches.after(place + 1, anna.person_id) is first
    assert [read(first, at).after for at in (place, place + 1)] == [place, place + 1]
    behind = await stretches.after(place - 1, anna.person_id)
    ahead = await stretches.after(place + 3, anna.person_id)
    assert behind is not first
    assert [one.hub_seq for one in read(ahead, place + 3).events] == [place + 4]
    bens = await stretches.after(place, ben.person_id)
    assert [one.hub_seq for one in read(bens, place).events] == [place + 1, place + 2]


async def test_what_was_deleted_is_not_told_from_what_was_made_before(world: World) -> None:
    anna = await world.services.registry.add_person("anna")
    place = world.ledger.position
    stretches = Stretches(world.services.feed)
    await tell(world, anna, by="a secret")
    assert "a secret" in read(await stretches.after(place, anna.person_id), place).model_dump_json()

    def purge(entry: Entry) -> None:
        entry.connection.execute("DELETE FROM events WHERE hub_seq > ?", (place,))
        entry.tell(
            anna.person_id, TaskPurged(task_id=TaskId("t"), job_ids=(), by="anna"), entity="t"
        )

    await world.ledger.write(purge)
    after = read(await stretches.after(place, anna.person_id), place)
    assert [one.event.type for one in after.events] == ["task_purged"]


async def test_a_place_far_behind_is_moved_when_nothing_concerns_the_worker(world: World) -> None:
    anna, ben = [await world.services.registry.add_person(name) for name in ("anna", "ben")]
    place = world.ledger.position
    stretches = Stretches(world.services.feed)
    await tell(world, ben, LAG_EVENTS_MAX)
    assert await stretches.after(place, anna.person_id) is None
    await tell(world, ben)
    moved = read(await stretches.after(place, anna.person_id), place)
    assert (moved.events, moved.upto) == ((), place + LAG_EVENTS_MAX + 1)


async def test_a_long_or_fat_log_is_told_piece_by_piece(world: World) -> None:
    anna = await world.services.registry.add_person("anna")
    place = begin = world.ledger.position
    await tell(world, anna, BATCH_EVENTS_MAX + 5)

    def fat(entry: Entry) -> None:
        for _ in range(40):
            entry.tell(anna.person_id, PersonUnlocked(person_id=anna.person_id, by="ö" * 9000))

    await world.ledger.write(fat)
    stretches = Stretches(world.services.feed)
    got: list[int] = []
    while (told := await stretches.after(place, anna.person_id)) is not None:
        events = read(told, place)
        got += [one.hub_seq for one in events.events]
        place = events.upto
    assert got == list(range(begin + 1, world.ledger.position + 1))
