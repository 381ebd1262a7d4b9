"""The feed: who reads on hears what the store says, and whoever keeps up never asks it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from hub.core.access import Person
from hub.services.feed import Feed
from hub.store import events
from hub.store.ledger import Entry
from shared.errors import Unavailable
from shared.events import EventBody, JobGranted, PersonUnlocked, TaskPurged
from shared.ids import JobId, PersonId, TaskId, WorkerId
from tests.hub.worlds import World

RECENT = 8
"""Facts that this feed keeps in memory."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.database.close()


async def tell(world: World, *people: Person, body: EventBody | None = None) -> None:
    """Write a fact for each, in one transaction."""

    def run(entry: Entry) -> None:
        for person in people:
            entry.tell(
                person.person_id,
                body or PersonUnlocked(person_id=person.person_id, by="a test"),
                entity="x",
            )

    await world.ledger.write(run)


async def stored(world: World, place: int, limit: int, person_id: PersonId | None) -> list[int]:
    if person_id is None:
        found = await world.ledger.read(lambda c: events.after(c, place, limit))
    else:
        found = await world.ledger.read(
            lambda c: events.of_person_after(c, person_id, place, limit)
        )
    return [fact.hub_seq for fact in found]


async def test_every_reader_hears_what_the_store_says_wherever_it_stands(world: World) -> None:
    people = [await world.services.registry.add_person(name) for name in ("anna", "ben", "cleo")]
    await tell(world, *people)
    feed = Feed(world.ledger, recent_max=RECENT)
    dice = random.Random(3)
    for _ in range(12):
        await tell(world, *dice.choices(people[:2], k=dice.randint(1, 3)))
        if dice.random() < 0.1:
            await tell(world, people[2])
        for person_id in (None, *(person.person_id for person in people)):
            last = world.ledger.position
            for place in {dice.randrange(last), *range(last - RECENT - 1, last + 2)}:
                limit = dice.choice((1, 2, 100))
                heard = [f.hub_seq for f in await feed.after(place, limit, person_id)]
                assert heard == await stored(world, place, limit, person_id)


async def test_a_reader_that_keeps_up_asks_memory_alone(world: World) -> None:
    anna, ben = [await world.services.registry.add_person(name) for name in ("anna", "ben")]
    feed = Feed(world.ledger, recent_max=RECENT)
    place = feed.position()
    await tell(world, anna)
    await tell(world, *[ben] * (RECENT - 1))
    behind = feed.position()
    world.database.close()
    assert len(await feed.after(place, 100, anna.person_id)) == 1
    assert len(await feed.after(place, 100, ben.person_id)) == RECENT - 1
    assert await feed.after(behind, 100, anna.person_id) == []
    with pytest.raises(Unavailable):
        await feed.after(place - 1, 100, anna.person_id)


async def test_one_persons_flood_pushes_nobody_else_to_the_store(world: World) -> None:
    anna, ben = [await world.services.registry.add_person(name) for name in ("anna", "ben")]
    feed = Feed(world.ledger, recent_max=RECENT)
    place = feed.position()
    await tell(world, *[ben] * (3 * RECENT), anna)
    world.database.close()
    assert len(await feed.after(place, 100, anna.person_id)) == 1
    with pytest.raises(Unavailable):
        await feed.after(place, 100, ben.person_id)


async def test_what_was_purged_is_not_told_from_memory(world: World) -> None:
    anna = await world.services.registry.add_person("anna")
    feed = Feed(world.ledger, recent_max=RECENT)
    place = feed.position()
    await tell(world, anna)
    await tell(world, anna, body=TaskPurged(task_id=TaskId("t"), by="anna", job_ids=()))
    purged = feed.position()
    world.database.close()
    with pytest.raises(Unavailable):
        await feed.after(place, 100, anna.person_id)
    [fact] = await feed.after(purged - 1, 100, anna.person_id)
    assert fact.type == "task_purged"


LONG = 3600.0
"""So long that nobody waits for it to be over."""
GRANTED = JobGranted(job_id=JobId("j"), worker_id=WorkerId("w"), attempt=1, fence=1)


async def test_what_is_for_the_record_is_told_to_all_at_once_after_a_while(world: World) -> None:
    anna, ben = [await world.services.registry.add_person(name) for name in ("anna", "ben")]
    feed = Feed(world.ledger, gather_seconds=0.01)
    place = feed.position()
    rung: list[int] = []
    is_rung = asyncio.Event()
    for number in range(3):
        assert feed.gather(place, anna.person_id, partial(rung.append, number))
    assert feed.gather(place, anna.person_id, is_rung.set)
    assert feed.gather(place, ben.person_id, partial(rung.append, -1))
    await tell(world, anna, body=GRANTED)
    assert rung == []
    await is_rung.wait()
    assert rung == [0, 1, 2], "what concerns others rings nobody"


async def test_what_work_may_wait_for_is_told_at_once_with_what_was_gathered(world: World) -> None:
    anna = await world.services.registry.add_person("anna")
    feed = Feed(world.ledger, gather_seconds=LONG)
    place = feed.position()
    rung: list[int] = []
    assert feed.gather(place, anna.person_id, partial(rung.append, 1))
    await tell(world, anna, body=GRANTED)
    assert rung == []
    await tell(world, anna)
    assert rung == [1]
    assert len(await feed.after(place, 10, anna.person_id)) == 2


async def test_who_lags_is_told_so_and_each_bell_rings_once(world: World) -> None:
    anna = await world.services.registry.add_person("anna")
    feed = Feed(world.ledger, gather_seconds=LONG)
    place = feed.position()
    rung: list[int] = []
    bell = partial(rung.append, 1)
    assert feed.gather(place, anna.person_id, bell)
    assert feed.gather(place, anna.person_id, bell)
    await tell(world, anna)
    assert rung == [1]
    assert not feed.gather(place, anna.person_id, bell), "there is something to be read already"
    await tell(world, anna)
    assert rung == [1]


async def test_who_stops_gathering_leaves_the_others_their_bell(world: World) -> None:
    anna = await world.services.registry.add_person("anna")
    feed = Feed(world.ledger, gather_seconds=LONG)
    place = feed.position()
    rung: list[str] = []
    gone, left = [partial(rung.append, name) for name in ("gone", "left")]
    feed.leave(anna.person_id, gone)
    feed.gather(place, anna.person_id, gone)
    feed.gather(place, anna.person_id, left)
    feed.leave(anna.person_id, gone)
    await tell(world, anna, body=GRANTED)
    assert rung == []
    await tell(world, anna)
    assert rung == ["left"]
    place = feed.position()
    feed.gather(place, anna.person_id, gone)
    feed.leave(anna.person_id, gone)
    feed.gather(place, anna.person_id, left)
    await tell(world, anna)
    assert rung == ["left", "left"]
