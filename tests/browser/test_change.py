"""The page of a change and a work order's form, in all sizes and colours."""

from __future__ import annotations

from playwright.async_api import expect

from shared.kinds import JsonObject
from tests.browser.surfing import PHONE, Surf
from tests.hub.frontends.web.code_seeds import CHANGE, asking_job, done_job, fetched, review
from tests.hub.frontends.world import CAPABILITIES, CODING, World, until


async def test_a_change_and_a_review_read_well(surf: Surf, world: World) -> None:
    worker = await world.pair()
    worker.capabilities = (*CAPABILITIES, *CODING)
    surfer = await surf.someone(world.hub)
    async with worker.online():
        asking = await asking_job(world, worker)
        await until(lambda: worker.acked == len(worker.log))
        await surfer.goes(f"/jobs/{asking}/change")
        await surfer.shots("change-not-here")
        await fetched(world, asking)
        await surfer.goes(f"/jobs/{asking}/change")
        await surfer.shots("change")
        await surfer.goes(f"/jobs/{asking}")
        await surfer.shots("job-asking-to-push")
        card = await world.hub.services.views.job(None, asking)
        await surfer.goes(f"/chat/{card.job.task_id}")
        await surfer.shots("chat-asking-to-push")
    done = await done_job(world)
    await surfer.goes(f"/jobs/{done}")
    await surfer.shots("job-code-done")
    await surfer.goes(f"/jobs/{await review(world)}")
    await surfer.shots("review")
    await surfer.goes("/tasks/new?kind=code.bugfix")
    await surfer.shots("work-order")


async def test_a_change_appears_by_itself(surf: Surf, world: World) -> None:
    worker = await world.pair()
    worker.capabilities = (*CAPABILITIES, *CODING)
    surfer = await surf.someone(world.hub)
    page = surfer.page
    async with worker.online():
        asking = await asking_job(world, worker)
        await until(lambda: worker.acked == len(worker.log))
        await surfer.goes(f"/jobs/{asking}")
        await page.get_by_role("link", name="Show diff").click()
        await page.get_by_role("button", name="Show the change").click()
        await until(lambda: len(worker.grants) == 2)
        await expect(page.get_by_text("is asked for it")).to_be_visible()
        await worker.succeeds(await worker.any_grant(), CHANGE)
        await expect(page.get_by_text("return datetime.now(UTC)")).to_be_visible()
        await page.get_by_role("button", name="Only push").click()
        await expect(page.get_by_text("Only push")).to_have_count(0)


async def test_a_large_change_on_a_phone_without_scripts(surf: Surf, world: World) -> None:
    done = await done_job(world)
    lines = "".join(f"+{'wide_word_' * 30}{n}\n" for n in range(400))
    head = "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -0,0 +1,400 @@\n"
    many: JsonObject = {
        **CHANGE, "diff": head + lines, "is_cut": True, "files_total": 320,
        "files_changed": [{"path": "deeply/" * 20 + f"{n}.py", "added": 1} for n in range(200)],
    }  # fmt: skip
    await fetched(world, done, many)
    surfer = await surf.someone(world.hub, size=PHONE, scripts=False)
    await surfer.goes(f"/jobs/{done}/change")
    await surfer.fits()
    await expect(
        surfer.page.get_by_text("The change is too long to be shown whole")
    ).to_be_visible()
    # Twice as large letters halve what fits.
    await surfer.page.set_viewport_size({"width": PHONE[0] // 2 + 20, "height": PHONE[1]})
    await surfer.fits()
