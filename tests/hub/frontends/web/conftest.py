from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.hub.frontends.web.reader import Reader, a_reader
from tests.hub.frontends.world import World, open_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


@pytest.fixture
async def reader(world: World) -> AsyncIterator[Reader]:
    """The hub's owner, signed in, without a browser."""
    async with a_reader(world.hub) as opened:
        yield opened
