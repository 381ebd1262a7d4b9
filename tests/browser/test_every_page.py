"""Every page of the dashboard, in all sizes and colours: nothing breaks a rule or sticks out.

A new page gets a line in `PAGES`.
"""

from __future__ import annotations

import pytest

from tests.browser.surfing import Surf
from tests.hub.frontends.world import World

PAGES = ("/",)


@pytest.mark.parametrize("path", PAGES)
async def test_an_empty_page_reads_well_and_keeps_the_rules(
    surf: Surf, world: World, path: str
) -> None:
    surfer = await surf.someone(world.hub)
    await surfer.goes(path)
    await surfer.shots("empty-" + (path.strip("/").replace("/", "-") or "tasks"))
