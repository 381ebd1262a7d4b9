"""The pages of probe runs, in all sizes and colours, with runs in all states."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.surfing import Surf
from tests.hub.frontends.web.run_seeds import probe_run, statistics, transcript
from tests.hub.frontends.world import World


async def test_pages_of_runs_read_well(surf: Surf, world: World) -> None:
    over = await probe_run(world, is_over=True)
    await statistics(world, over)
    await transcript(world, over, 0)
    await probe_run(world, title="run a-definition-with-quite-a-long-name-for-a-phone.yaml")
    surfer = await surf.someone(world.hub)
    await surfer.goes("/runs")
    await surfer.shots("runs")
    await surfer.goes(f"/runs/{over.job_id}")
    await surfer.shots("run")
    await surfer.goes(f"/runs/{over.job_id}/probes/0")
    await surfer.shots("probe")


async def test_what_was_said_appears_by_itself(surf: Surf, world: World) -> None:
    run = await probe_run(world, is_over=True)
    surfer = await surf.someone(world.hub)
    page = surfer.page
    await surfer.goes(f"/runs/{run.job_id}/probes/0")
    await page.get_by_role("button", name="Show what was said").click()
    await expect(page.get_by_text("is asked for it")).to_be_visible()
    await expect(page.get_by_role("button", name="Show what was said")).to_have_count(0)
