from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.hub.frontends.discord.bench import Bench, open_bench
from tests.hub.worlds import World


@pytest.fixture
def store(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.database.close()


@pytest.fixture
async def bench(store: World, tmp_path: Path) -> AsyncIterator[Bench]:
    async with open_bench(store, tmp_path) as opened:
        yield opened
