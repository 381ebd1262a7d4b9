"""The hub's own state."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.frontends.web.pages.hub_state import backup
from hub.services.backups import Upkeep
from tests.hub.frontends.web.reader import Reader
from tests.hub.frontends.world import World
from tests.makers import NOON


def upkeep(hours_ago: float | None, keep: int = 7) -> Upkeep:
    newest = None if hours_ago is None else NOON - timedelta(hours=hours_ago)
    return Upkeep(
        store_bytes=1,
        free_bytes=1,
        backups=0 if newest is None else 3,
        newest_at=newest,
        newest_bytes=2_000_000,
        keep=keep,
    )


@pytest.mark.parametrize(
    ("told", "word"),
    [
        (upkeep(5), "Fresh"),
        (upkeep(49), "Old"),
        (upkeep(None), "Not yet"),
        (upkeep(None, keep=0), "None"),
    ],
    ids=["fresh", "old", "not-yet", "none"],
)
def test_backups_say_how_they_stand(told: Upkeep, word: str) -> None:
    assert backup(told, NOON)[2] == word


async def test_the_page_tells_frontends_store_and_backups(world: World, reader: Reader) -> None:
    await world.hub.backups.run_once()
    page = await reader.get("/hub")
    for words in ("The console", "Working", "of disk free", "The last was made just now", "0 of 0"):
        assert words in page.text, words
    assert world.hub.settings.hub_url in page.text
