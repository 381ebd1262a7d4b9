"""Pages that are open follow what happens, and say so when they cannot."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Route, expect

from tests.browser.surfing import Surf
from tests.hub.frontends.world import World, open_world


async def test_a_task_appears_by_itself_and_typed_words_stay(surf: Surf, world: World) -> None:
    surfer = await surf.someone(world.hub)
    await surfer.goes("/")
    await expect(surfer.page.get_by_text("Nothing was asked for yet.")).to_be_visible()
    await world.rest.post("/tasks", json={"kind": "ml.models"})
    await expect(surfer.page.locator("#tasks tbody tr")).to_have_count(1)
    await surfer.is_clean()


async def test_what_happens_while_a_page_loads_is_not_missed(surf: Surf, world: World) -> None:
    surfer = await surf.someone(world.hub)
    await expect(surfer.page.get_by_text("Nothing was asked for yet.")).to_be_visible()

    async def meanwhile(route: Route) -> None:
        # The page is written already, and its script is not here yet.
        await world.rest.post("/tasks", json={"kind": "ml.models"})
        await route.continue_()

    await surfer.page.route("**/app.js*", meanwhile)
    await surfer.page.reload()
    await expect(surfer.page.locator("#tasks tbody tr")).to_have_count(1)


async def test_progress_is_written_into_the_page_until_the_job_ends(
    surf: Surf, world: World
) -> None:
    worker = await world.pair()
    async with worker.online():
        made = (await world.rest.post("/tasks", json={"kind": "ml.models"})).json()
        grant = await worker.any_grant()
        await worker.starts(grant)
        surfer = await surf.someone(world.hub)
        await surfer.goes(f"/jobs/{made['job_id']}")
        stage, bar = surfer.page.locator("[data-stage]"), surfer.page.locator("main progress")
        for done in (3, 7):
            await worker.tells(grant, done)
            await expect(stage).to_contain_text(f"{done} of 10 models")
            await expect(bar).to_have_attribute("value", str(done))
        await worker.succeeds(grant, {"headline": "No models.", "models": []})
        await expect(bar).to_have_count(0)
        await surfer.is_clean()


async def test_a_page_says_when_the_hub_is_away_and_catches_up(surf: Surf, tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        port = world.hub.settings.port
        surfer = await surf.someone(world.hub)
        await surfer.goes("/")
        await expect(surfer.page.locator("main h1")).to_be_visible()
    paused = surfer.page.locator("#paused")
    await expect(paused).to_contain_text("Live updates are paused")
    async with open_world(tmp_path, port=port) as world:
        await world.rest.post("/tasks", json={"kind": "ml.models"})
        await expect(surfer.page.locator("#tasks tbody tr")).to_have_count(1)
        await expect(paused).to_be_empty()
