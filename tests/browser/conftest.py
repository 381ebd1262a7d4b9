"""One browser for all tests of a run, a hub and fresh browser contexts for each.

These tests share one event loop, because the browser lives in it.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser.surfing import CHROMIUM, Surf, launched
from tests.flows.ring import Ring, a_ring
from tests.hub.frontends.world import World, open_world

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    one_loop = pytest.mark.asyncio(loop_scope="session")
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(one_loop, append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = shutil.which(CHROMIUM)
    if path is None:
        pytest.skip("needs Debian's package chromium: sudo apt-get install chromium")
    playwright, started = await launched(path)
    yield started
    await started.close()
    await playwright.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def surf(browser: Browser) -> AsyncIterator[Surf]:
    """The browser, with no page open yet."""
    surf = Surf(browser)
    yield surf
    await surf.close()


@pytest_asyncio.fixture(loop_scope="session")
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A hub on loopback, with workers that do as the test says: fast."""
    async with open_world(tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def ring(tmp_path: Path) -> AsyncIterator[Ring]:
    """A hub on loopback, with workers whose jobs are real child processes."""
    async with a_ring(tmp_path) as opened:
        yield opened
