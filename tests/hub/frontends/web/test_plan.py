"""The page of a plan: its steps, how far they are, and the answer with its sources."""

from __future__ import annotations

from shared.plan import PlanStage
from tests.hub.frontends.web.plan_seeds import (
    APPROVAL,
    DONE,
    PLAN,
    PLANNING,
    QUESTION,
    all_done,
    planned,
)
from tests.hub.frontends.web.reader import Reader
from tests.hub.frontends.world import CAPABILITIES, World, until


async def test_a_plan_that_waits_for_a_yes_is_shown_beside_its_question(
    world: World, reader: Reader
) -> None:
    worker = await world.pair()
    worker.capabilities = (*CAPABILITIES, *PLANNING)
    async with worker.online():
        grant = await planned(world, worker, PlanStage.PROPOSED)
        await worker.asks(grant, APPROVAL, QUESTION)
        await until(lambda: worker.acked == len(worker.log))
        page = await reader.get(f"/jobs/{grant.job_id}")
    assert "The plan, waiting for a yes 5 steps, about 3 min, at most $0.40" in page.text
    assert "Keep it local" in page.text
    assert "after 1, 2 and 3" in page.text


async def test_the_newest_state_of_each_step_is_what_a_page_shows(
    world: World, reader: Reader
) -> None:
    worker = await world.pair()
    worker.capabilities = (*CAPABILITIES, *PLANNING)
    async with worker.online():
        grant = await planned(world, worker, PlanStage.APPROVED)
        await worker.plans(grant, PlanStage.RUNNING, all_done(PLAN))
        await until(lambda: worker.acked == len(worker.log))
        page = await reader.get(f"/jobs/{grant.job_id}")
        assert "No search engine answered" not in page.text
        assert "done 3. Search recent news" in page.text
        way = page.text.partition("Its way")[2]
        assert way.count("Agreed: 5 steps") == 1
        assert "5 of 5 steps done" not in way, "what ticks off is no part of the story"


async def test_an_answer_stands_with_its_sources(world: World, reader: Reader) -> None:
    worker = await world.pair()
    worker.capabilities = (*CAPABILITIES, *PLANNING)
    async with worker.online():
        grant = await planned(world, worker, PlanStage.APPROVED)
        await worker.succeeds(grant, DONE)
        await until(lambda: worker.acked == len(worker.log))
        page = await reader.get(f"/jobs/{grant.job_id}")
    assert "Three risks stand out" in page.text
    assert "[1] Annual report 2025 report-2025.pdf" in page.text
    assert "https://news.example.org/energy" in page.links
