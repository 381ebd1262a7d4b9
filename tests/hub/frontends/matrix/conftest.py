from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.hub.worlds import World
from tests.matrix_servers.synapse import Synapse

if TYPE_CHECKING:
    from tests.hub.frontends.matrix.bench import Bench


@pytest.fixture
def store(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.database.close()


@pytest.fixture
async def bench(synapse: Synapse, store: World, tmp_path: Path) -> AsyncIterator[Bench]:
    from tests.hub.frontends.matrix.bench import open_bench

    async with open_bench(synapse, store, tmp_path) as opened:
        yield opened
