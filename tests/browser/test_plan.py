"""The page of a plan, in all sizes and colours."""

from __future__ import annotations

from playwright.async_api import expect

from shared.plan import PlanStage
from tests.browser.surfing import Surf
from tests.hub.frontends.web.plan_seeds import (
    APPROVAL,
    DONE,
    PLAN,
    PLANNING,
    QUESTION,
    all_done,
    planned,
)
from tests.hub.frontends.world import CAPABILITIES, World, until


async def test_a_plan_reads_well_from_question_to_answer(surf: Surf, world: World) -> None:
    worker = await world.pair()
    worker.capabilities = (*CAPABILITIES, *PLANNING)
    surfer = await surf.someone(world.hub)
    async with worker.online():
        grant = await planned(world, worker, PlanStage.PROPOSED)
        await worker.asks(grant, APPROVAL, QUESTION)
        await until(lambda: worker.acked == len(worker.log))
        await surfer.goes(f"/jobs/{grant.job_id}")
        await surfer.shots("plan-asking")
        grant = await planned(world, worker, PlanStage.RUNNING)
        await until(lambda: worker.acked == len(worker.log))
        await surfer.goes(f"/jobs/{grant.job_id}")
        await surfer.shots("plan-running")
        await worker.plans(grant, PlanStage.RUNNING, all_done(PLAN))
        await expect(surfer.page.get_by_text("No search engine answered")).to_have_count(0)
        await worker.succeeds(grant, DONE)
        await until(lambda: worker.acked == len(worker.log))
        await surfer.goes(f"/jobs/{grant.job_id}")
        await surfer.shots("plan-done")
