"""What only the store knows is counted beside it, seldom, and never in the way."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from hub.core.delivery import NewDelivery
from hub.core.view import View
from hub.services.backups import Backups
from hub.services.census import KEPT_SECONDS, Census
from hub.store import deliveries
from shared.ids import ConversationId
from shared.jobs import JobState
from tests.hub.worlds import World


def census_of(world: World) -> Census:
    return Census(world.ledger, Backups(world.folder, world.environment, keep=7, version="1").look)


async def test_what_waits_is_counted_by_frontend(world: World) -> None:
    def put(connection: sqlite3.Connection) -> None:
        homes = ("telegram:1", "telegram:2", "console")
        new = [
            NewDelivery(ConversationId(home), View(text="Hello."), due_ms)
            for due_ms, home in enumerate(homes, start=5)
        ]
        deliveries.add(connection, new)

    await world.database.write(put)
    counted = await census_of(world).counted()
    assert counted is not None
    assert counted.rests == {"telegram": (2, 5), "console": (1, 7)}
    assert counted.set_aside == {
        JobState.ASKING: 0, JobState.INTERRUPTED: 0, JobState.DEAD: 0
    }  # fmt: skip
    assert counted.upkeep is not None
    assert counted.upkeep.keep == 7


async def test_another_census_is_taken_only_when_the_last_is_old(world: World) -> None:
    census = census_of(world)
    first = await census.counted()
    world.clock.advance(KEPT_SECONDS - 0.1)
    assert await census.counted() is first
    world.clock.advance(0.2)
    assert await census.counted() is not first


async def test_a_store_that_cannot_be_read_leaves_the_last_census(world: World) -> None:
    census = census_of(world)
    first = await census.counted()
    world.database.close()
    world.clock.advance(2 * KEPT_SECONDS)
    assert await census.counted() is first
    assert first is not None


async def test_a_folder_that_cannot_be_read_costs_the_disks_figures_alone(
    world: World, tmp_path: Path
) -> None:
    async def gone() -> None:
        raise FileNotFoundError(tmp_path)

    counted = await Census(world.ledger, gone).counted()  # type: ignore[arg-type]
    assert counted is not None
    assert counted.upkeep is None
