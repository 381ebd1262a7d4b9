"""Short names of buttons: always the same, bound to their conversation, kept a while."""

from __future__ import annotations

import re

import pytest

from hub.services.taps import FRESH_MS, KEPT_MS, TapNames
from hub.store import taps as store
from shared.ids import ConversationId
from tests.hub.worlds import World

HOME = ConversationId("telegram:1")
ELSEWHERE = ConversationId("telegram:2")
LONG = "/answer 019aa000-0000-7000-8000-000000000003 " + "/a/path" * 100


@pytest.fixture
def taps(world: World) -> TapNames:
    return TapNames(world.database, world.environment, b"pepper")


async def test_a_name_fits_every_platform_and_says_what_it_stands_for(taps: TapNames) -> None:
    names = await taps.names(HOME, ["/cancel K7Q2", LONG])
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22}", name) for name in names)
    assert [await taps.said(HOME, name) for name in names] == ["/cancel K7Q2", LONG]


async def test_the_same_words_have_the_same_name_also_after_a_restart(
    world: World, taps: TapNames
) -> None:
    [name] = await taps.names(HOME, [LONG])
    await world.restart()
    again = TapNames(world.database, world.environment, b"pepper")
    assert await again.said(HOME, name) == LONG
    assert await again.names(HOME, [LONG]) == (name,)


async def test_a_name_means_nothing_in_another_conversation(taps: TapNames) -> None:
    [name] = await taps.names(HOME, ["/cancel K7Q2"])
    assert await taps.said(ELSEWHERE, name) is None
    assert await taps.names(ELSEWHERE, ["/cancel K7Q2"]) != (name,)
    assert await taps.said(HOME, "made-up") is None


async def test_without_the_pepper_no_name_can_be_made_up(world: World, taps: TapNames) -> None:
    stranger = TapNames(world.database, world.environment, b"another")
    assert await stranger.names(HOME, ["/help"]) != await taps.names(HOME, ["/help"])


async def test_a_name_is_forgotten_thirty_days_after_it_was_last_given(
    world: World, taps: TapNames
) -> None:
    old, kept = await taps.names(HOME, ["/old", "/kept"])
    world.clock.advance(20 * 24 * 3600)
    await taps.names(HOME, ["/kept"])
    world.clock.advance(KEPT_MS / 1000 - 10 * 24 * 3600)
    assert await taps.said(HOME, old) is None
    assert await taps.said(HOME, kept) == "/kept"
    await taps.names(HOME, ["/new"])
    left = await world.ledger.read(lambda c: c.execute("SELECT says FROM taps").fetchall())
    assert sorted(left) == [("/kept",), ("/new",)]


async def test_a_name_given_again_the_same_day_writes_nothing(world: World, taps: TapNames) -> None:
    async def written() -> int:
        row = await world.ledger.read(lambda c: c.execute("SELECT max(named_ms) FROM taps"))
        return int(row.fetchone()[0])

    await taps.names(HOME, ["/help"])
    first = await written()
    world.clock.advance(60)
    await taps.names(HOME, ["/help"])
    assert await written() == first
    world.clock.advance(FRESH_MS / 1000)
    await taps.names(HOME, ["/help"])
    assert await written() > first


async def test_one_conversation_cannot_fill_the_disk_nor_drop_anothers_names(
    world: World, taps: TapNames
) -> None:
    [kept] = await taps.names(ELSEWHERE, ["/help"])
    for batch in range(3):
        world.clock.advance(1)
        await taps.names(HOME, [f"/{batch} {number}" for number in range(store.NAMES_MAX // 2)])
    count = await world.ledger.read(lambda c: c.execute("SELECT count(*) FROM taps").fetchone())
    assert count == (store.NAMES_MAX + 1,)
    assert await taps.said(ELSEWHERE, kept) == "/help"
