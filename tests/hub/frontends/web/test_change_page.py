"""The page of what a coding job changed."""

from __future__ import annotations

import html

import pytest

from hub.frontends.web.change_page import LINES_SHOWN_MAX, bar, files_of
from shared.kinds.code import DiffOutput
from tests.hub.frontends.web.code_seeds import (
    CHANGE,
    asking_job,
    done_job,
    fetched,
    review,
)
from tests.hub.frontends.web.reader import Reader
from tests.hub.frontends.world import CAPABILITIES, CODING, World, until


async def test_a_change_comes_when_it_is_asked_for(world: World, reader: Reader) -> None:
    worker = await world.pair()
    worker.capabilities = (*CAPABILITIES, *CODING)
    async with worker.online():
        job_id = await asking_job(world, worker)
        page = await reader.get(f"/jobs/{job_id}")
        assert f"/jobs/{job_id}/change" in page.links
        page = await reader.get(f"/jobs/{job_id}/change")
        assert "What was changed stands on anna-pc alone." in page.text
        assert "Push and open PR" in page.text
        page = await reader.post(f"/jobs/{job_id}/change/fetch")
        assert "anna-pc is asked for it" in page.text
        await until(lambda: len(worker.grants) == 2)
        await worker.succeeds(await worker.any_grant(), CHANGE)
        await until(lambda: worker.acked == len(worker.log))
        page = await reader.get(f"/jobs/{job_id}/change")
    assert "3 files +11 added −3 removed" in page.text
    assert "✓ Tests: 41 passed" in page.text
    assert "9 + return datetime.now(UTC)" in page.text
    assert "7 − return datetime.now()" in page.text
    assert "Line 34, in def is_open(at: datetime) -> bool:" in page.text
    assert "This is no text." in page.text
    assert "Only push" in page.text, "the decision stands beside what it is about"


async def test_what_strangers_wrote_is_text_and_nothing_else(world: World, reader: Reader) -> None:
    nasty = '<script>alert(1)</script>"\u202e'
    diff = f"diff --git a/{nasty} b/{nasty}\n--- a/{nasty}\n+++ b/{nasty}\n"
    diff += f"@@ -1 +1 @@ {nasty}\n-{nasty}\n+x\n"
    job_id = await done_job(world)
    files = [{"path": nasty, "added": 1, "removed": 1}]
    await fetched(world, job_id, {**CHANGE, "diff": diff, "files_changed": files})  # type: ignore[dict-item]
    page = await reader.get(f"/jobs/{job_id}/change")
    assert "<script>alert(1)" not in page.html
    assert "\u202e" not in page.html
    assert html.escape("<script>alert(1)</script>", quote=False) in page.html


async def test_a_job_that_is_done_leads_to_its_change_and_its_request(
    world: World, reader: Reader
) -> None:
    job_id = await done_job(world)
    page = await reader.get(f"/jobs/{job_id}")
    assert f"/jobs/{job_id}/change" in page.links
    assert "https://github.com/anna/shop/pull/12" in page.links
    made = await fetched(world, job_id)
    assert f"/jobs/{job_id}/change" in (await reader.get(f"/jobs/{made}")).links


async def test_a_thread_is_named_by_the_work_and_not_by_who_looked_at_it(
    world: World, reader: Reader
) -> None:
    job_id = await done_job(world)
    await fetched(world, job_id)
    card = await world.hub.services.views.job(None, job_id)
    page = await reader.get(f"/chat/{card.job.task_id}")
    assert '<h1 class="clip">bugfix work/shop The clock must tell UTC.</h1>' in page.html


async def test_findings_are_listed_by_how_much_they_matter(world: World, reader: Reader) -> None:
    page = await reader.get(f"/jobs/{await review(world)}")
    found = ["High (1)", "shop/clock.py:34", "Medium (1)", "shop/orders/export.py:112", "Notes (1)"]
    places = [page.text.index(words) for words in found]
    assert places == sorted(places)
    assert page.text.count("shop/clock.py:34") == 1
    assert not any(link.endswith("/change") for link in page.links)


async def test_a_job_that_changes_no_code_has_no_such_page(world: World, reader: Reader) -> None:
    made = (await world.rest.post("/tasks", json={"kind": "ml.models"})).json()["job_id"]
    page = await reader.get(f"/jobs/{made}/change")
    assert page.status == 404
    assert "This job changes no code." in page.text


async def test_nobody_sees_the_change_of_somebody_else(world: World, reader: Reader) -> None:
    job_id = await done_job(world)
    await fetched(world, job_id)
    ben = await world.hub.services.registry.add_person("Ben")
    link = await world.hub.services.sign_ins.link(ben.person_id)
    await reader.post(f"/in/{link.secret}")
    assert (await reader.get(f"/jobs/{job_id}/change")).status == 404
    assert (await reader.post(f"/jobs/{job_id}/change/fetch")).status == 404


def _diff(name: str, lines: int) -> str:
    head = f"diff --git a/{name} b/{name}\n--- a/{name}\n+++ b/{name}\n@@ -0,0 +1,{lines} @@\n"
    return head + "+x\n" * lines


def test_a_file_that_does_not_fit_any_more_has_a_page_of_its_own() -> None:
    change = DiffOutput(
        headline="2 files.", diff=_diff("a.py", LINES_SHOWN_MAX) + _diff("b.py", 10)
    )
    first, second = files_of(change)
    assert (first.path, first.is_left_out, first.is_open) == ("a.py", False, False)
    assert (second.path, second.is_left_out, second.hunks) == ("b.py", True, ())
    [alone] = files_of(change, "b.py")
    assert len(alone.hunks[0].lines) == 10


def test_a_file_that_is_told_but_not_here_can_be_fetched() -> None:
    change = DiffOutput.model_validate({**CHANGE, "diff": ""})
    assert [file.is_left_out for file in files_of(change)] == [True, True, False]


@pytest.mark.parametrize(
    ("added", "removed", "cells"),
    [(0, 0, (0, 0)), (1, 0, (1, 0)), (1, 1, (1, 1)), (100, 1, (4, 1)), (1, 100, (1, 4)),
     (50, 50, (2, 3)), (0, 9, (0, 5))],
)  # fmt: skip
def test_a_bar_shows_what_came_and_what_went(
    added: int, removed: int, cells: tuple[int, int]
) -> None:
    assert bar(added, removed) == cells
