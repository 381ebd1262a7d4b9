"""The list of tasks and the page of a job in a real browser: live, by keys, and without scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Page, Request, expect

from shared.events import JobLogged
from shared.messages import Grant
from tests.browser.surfing import Surf
from tests.hub.frontends.web.test_tasks import ask, fail
from tests.hub.frontends.world import PuppetWorker, World, until

RESULT = {"headline": "Read sales.csv.", "rows": 7043, "columns": []}


@pytest_asyncio.fixture(loop_scope="session")
async def worker(world: World) -> AsyncIterator[PuppetWorker]:
    paired = await world.pair()
    async with paired.online():
        yield paired


async def logs(worker: PuppetWorker, grant: Grant, *lines: str) -> None:
    worker.writes(
        JobLogged(job_id=grant.job_id, attempt=grant.attempt, fence=grant.fence, lines=lines)
    )
    await worker._push()
    await until(lambda: worker.acked == len(worker.log))


async def is_same_page(page: Page) -> None:
    """The mark that was left is still there: nothing was loaded anew."""
    assert await page.locator("html[data-marked]").count() == 1


async def mark(surfer_page: Page) -> None:
    await surfer_page.locator("html").evaluate("page => page.dataset.marked = 'yes'")


async def test_a_row_comes_and_lives_without_a_reload(
    surf: Surf, world: World, worker: PuppetWorker
) -> None:
    surfer = await surf.someone(world.hub)
    await surfer.goes("/")
    page = surfer.page
    await mark(page)
    await expect(page.get_by_text("Nothing was asked for yet.")).to_be_visible()
    job_id = await ask(world, "data.describe")
    row = page.locator("tr[data-row]")
    await expect(row).to_contain_text("describe sales.csv")
    grant = await worker.grant_of(job_id)
    await worker.starts(grant)
    await expect(row).to_contain_text("Running")
    await worker.tells(grant, 3, 5)
    await expect(row.locator("progress")).to_have_js_property("position", 0.6)
    await expect(row).to_contain_text("3 of 5 models")
    await worker.succeeds(grant, RESULT)  # type: ignore[arg-type]
    await expect(row).to_contain_text("Done")
    await expect(row.locator("progress")).to_have_count(0)
    await is_same_page(page)
    await surfer.is_clean()


async def test_what_somebody_types_and_where_they_are_stays_while_rows_come(
    surf: Surf, world: World
) -> None:
    await ask(world)
    surfer = await surf.someone(world.hub)
    await surfer.goes("/")
    page = surfer.page
    await page.get_by_role("searchbox").fill("half a wo")
    await ask(world, "data.describe")
    await expect(page.locator("tr[data-row]")).to_have_count(2)
    await expect(page.get_by_role("searchbox")).to_have_value("half a wo")
    await expect(page.get_by_role("searchbox")).to_be_focused()

    link = page.get_by_role("link", name="train sales.csv")
    await link.focus()
    await ask(world, "ml.predict")
    await expect(page.locator("tr[data-row]")).to_have_count(3)
    await expect(link).to_be_focused()


async def test_rows_are_walked_and_dealt_with_by_keys(
    surf: Surf, world: World, worker: PuppetWorker
) -> None:
    await fail(world, worker)
    waiting = await ask(world, "files.head")
    surfer = await surf.someone(world.hub)
    await surfer.goes("/")
    page = surfer.page
    await page.keyboard.press("j")
    await expect(page.get_by_role("link", name="head sales.csv")).to_be_focused()
    await page.keyboard.press("c")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Stop “head sales.csv”?")
    await page.keyboard.press("Enter")
    await expect(page.locator("tr[data-row]").first).to_contain_text("Cancelled")
    assert (await world.hub.services.views.job(None, waiting)).state.is_terminal

    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await expect(page.get_by_role("link", name="train sales.csv")).to_be_focused()
    await page.keyboard.press("r")
    await expect(page.locator(".toast")).to_contain_text("Queued again: train sales.csv")
    await page.keyboard.press("/")
    await expect(page.get_by_role("searchbox")).to_be_focused()
    await page.keyboard.type("sales")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/?q=sales*")
    await expect(page.locator("tr[data-row]")).to_have_count(2)


async def test_the_log_follows_its_end_until_somebody_scrolls_up(
    surf: Surf, world: World, worker: PuppetWorker
) -> None:
    grant = await worker.grant_of(await ask(world))
    await worker.starts(grant)
    await logs(worker, grant, *(f"line {n}" for n in range(100)))
    surfer = await surf.someone(world.hub)
    page = surfer.page
    fetched: list[str] = []

    def note(request: Request) -> None:
        if "/log?" in request.url:
            fetched.append(request.url)

    page.on("request", note)
    await surfer.goes(f"/jobs/{grant.job_id}")
    box = page.locator("#log-lines")
    left = "box => Math.round(box.scrollHeight - box.scrollTop - box.clientHeight)"
    await box.scroll_into_view_if_needed()
    await expect(page.locator("#L100")).to_be_in_viewport()
    await logs(worker, grant, *(f"more {n}" for n in range(20)))
    await expect(page.locator("#L120")).to_be_in_viewport()
    assert await box.evaluate(left) < 48
    assert "after=100" in fetched[-1]

    await box.evaluate("box => { box.scrollTop = 0; }")
    await logs(worker, grant, "the last one")
    await expect(page.locator("#L121")).to_have_text("the last one")
    assert await box.evaluate("box => box.scrollTop") == 0
    assert "after=120" in fetched[-1]
    await surfer.is_clean()


async def test_the_page_of_a_job_lives_with_it(
    surf: Surf, world: World, worker: PuppetWorker
) -> None:
    grant = await worker.grant_of(await ask(world, "data.describe"))
    surfer = await surf.someone(world.hub)
    await surfer.goes(f"/jobs/{grant.job_id}")
    page = surfer.page
    await mark(page)
    await worker.starts(grant)
    await expect(page.locator(".timeline")).to_contain_text("Started on anna-pc")
    await worker.tells(grant, 1, 4)
    await expect(page.locator("progress")).to_have_js_property("position", 0.25)
    await logs(worker, grant, "hello")
    await expect(page.locator("#L1")).to_have_text("hello")
    await worker.succeeds(grant, RESULT)  # type: ignore[arg-type]
    await expect(page.get_by_role("heading", name="Result")).to_be_visible()
    await expect(page.locator("#L1")).to_have_text("hello")
    await is_same_page(page)


async def test_a_task_is_asked_for_filtered_and_retried_without_scripts(
    surf: Surf, world: World
) -> None:
    surfer = await surf.someone(world.hub, scripts=False)
    await surfer.goes("/tasks/new")
    page = surfer.page
    await page.get_by_role("link", name="Train a model on a table").click()
    await page.get_by_label("File").fill("sales.csv")
    await page.get_by_label("Budget (seconds)").fill("soon")
    await page.get_by_role("button", name="Ask for it").click()
    await expect(page.locator(".fault")).to_have_text("This must be a number.")
    await expect(page.get_by_label("File")).to_have_value("sales.csv")
    await page.get_by_label("Budget (seconds)").fill("60")
    await page.get_by_role("button", name="Ask for it").click()
    await expect(page.get_by_role("heading", name="train sales.csv")).to_be_visible()
    await page.get_by_role("button", name="Cancel").click()
    await surfer.goes("/")
    await page.get_by_role("searchbox").fill("sales")
    await page.get_by_label("Kind").select_option("ml.train")
    await page.get_by_role("button", name="Filter").click()
    await expect(page.locator("tr[data-row]")).to_contain_text("Cancelled")
    await page.get_by_role("link", name="“sales” remove this filter").click()
    await expect(page.get_by_role("searchbox")).to_have_value("")


async def test_full_pages_read_well_in_all_sizes_and_colours(
    surf: Surf, world: World, worker: PuppetWorker
) -> None:
    failed = await fail(world, worker)
    grant = await worker.grant_of(await ask(world, "data.describe", priority="high"))
    await worker.starts(grant)
    await logs(worker, grant, "\x1b[31mred\x1b[0m and \x1b[1mbold\x1b[0m " + "long " * 60)
    await worker.tells(grant, 3, 5)
    await ask(world, "files.head", inputs={"file": "a name that is " + "very " * 30 + "long.csv"})
    surfer = await surf.someone(world.hub)
    for path, name in (
        ("/", "tasks"),
        ("/?q=sales&kind=ml.train&since=2020-01-01", "tasks-filtered"),
        (f"/jobs/{grant.job_id}", "job"),
        (f"/jobs/{failed}", "job-failed"),
        ("/tasks/new", "new-task"),
        ("/tasks/new?kind=ml.train", "new-task-form"),
    ):
        await surfer.goes(path)
        await surfer.shots(name)
