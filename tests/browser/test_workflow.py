"""The whole way of a task on the page: asked for, claimed, half way, asking, answered, done.

Hub and worker are programs of their own. The hub is killed in the middle, somebody else looks on
and sees nothing, and the same is done by keys alone, and without scripts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.apart import Apart
from tests.browser.surfing import Surf, Surfer

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]
PATIENCE_MS = 30_000


@pytest_asyncio.fixture(loop_scope="session")
async def apart(tmp_path: Path) -> AsyncIterator[Apart]:
    programs = Apart(tmp_path)
    await programs.start_hub()
    await programs.start_worker()
    yield programs
    programs.stop()


def folder_of(apart: Apart, name: str) -> Path:
    """Where a job looks for leave to go on."""
    folder = apart.folder / name
    folder.mkdir()
    return folder


async def shows(page: Page, state: str) -> None:
    """Wait until the page of a job says how it is."""
    chip = page.locator(".job-head .chip")
    await expect(chip).to_have_text(state, timeout=PATIENCE_MS)


async def events_on(page: Page) -> list[str]:
    """The places in the log that the page of a job knows of."""
    cells = page.locator("table.events tbody tr td:first-child")
    return [text.strip() for text in await cells.all_text_contents()]


def forget_outage(surfer: Surfer) -> None:
    """What a browser says of a hub that is away is no fault of the page."""
    away = ("net::ERR", "Failed to fetch")
    surfer.faults = [fault for fault in surfer.faults if not any(one in fault for one in away)]


class Onlooker:
    """Somebody else's stream of news, as it comes."""

    def __init__(self, apart: Apart, cookies: dict[str, str]) -> None:
        self._http = httpx.AsyncClient(base_url=apart.url, cookies=cookies, trust_env=False)
        self.heard = ""
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Onlooker:
        self._reading = asyncio.get_running_loop().create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._reading is not None
        self._reading.cancel()
        await asyncio.wait([self._reading])
        await self._http.aclose()

    async def _read(self) -> None:
        async with self._http.stream("GET", "/live?after=0", timeout=None) as stream:
            assert stream.status_code == httpx.codes.OK
            async for text in stream.aiter_text():
                self.heard += text


async def test_a_task_goes_its_way_and_nobody_else_sees_it(surf: Surf, apart: Apart) -> None:
    folder = folder_of(apart, "first")
    anna = await apart.surfer(surf)
    boris = await apart.surfer(surf, await apart.person("boris"))
    cookies = {c["name"]: c["value"] for c in await boris.page.context.cookies()}

    async with Onlooker(apart, cookies) as onlooker:
        page = anna.page
        await anna.goes("/tasks/new?kind=play.steps")
        await anna.is_clean()
        await page.get_by_label("Text", exact=True).fill(str(folder))
        await page.get_by_role("button", name="Ask for it").click()

        # Claimed, and half way: by itself, on the page that was opened.
        await shows(page, "Running")
        await expect(page.locator("[data-stage]").first).to_contain_text("1 of 4 steps")
        await anna.is_clean()
        job_path = page.url.removeprefix(apart.url).partition("?")[0]
        (folder / "ask").touch()
        await shows(page, "Asking")
        asked = page.get_by_role("article", name="Which colour?")
        await expect(asked.get_by_role("button", name="Blue")).to_be_visible()
        await anna.is_clean()
        thread_path = await page.get_by_role("link", name="Chat", exact=True).last.get_attribute(
            "href"
        )
        assert thread_path is not None

        await nothing_for(boris, job_path, thread_path)

        # Answered in another page, seen in this one.
        inbox = await page.context.new_page()
        await inbox.goto(f"{apart.url}/inbox")
        await inbox.get_by_role("button", name="Blue").click()
        await expect(inbox.locator(".toast")).to_contain_text("Answered: Blue")
        await inbox.close()
        await shows(page, "Running")
        (folder / "end").touch()
        await shows(page, "Done")
        await expect(page.get_by_text("Painted blue.").first).to_be_visible()
        await anna.is_clean()

        live = await events_on(page)
        await page.reload()
        assert await events_on(page) == live
        job_id = job_path.rpartition("/")[2]
        history = await asyncio.to_thread(apart.rest.get_job_events, job_id)
        told = [event.type for event in history.events]
        assert told.count("job_succeeded") == told.count("question_answered") == 1

        await anna.goes(thread_path)
        await expect(page.locator(".bubble.mine").last).to_contain_text("Blue")
        await anna.is_clean()
    task_id = thread_path.rpartition("/")[2]
    assert job_id not in onlooker.heard
    assert task_id not in onlooker.heard
    assert "retry:" in onlooker.heard


async def nothing_for(other: Surfer, job_path: str, thread_path: str) -> None:
    """See that a task of somebody else does not exist, in no list and under no address."""
    for path in ("/", "/inbox", "/chat", "/activity", "/queue"):
        await other.goes(path)
        told = await other.page.content()
        assert job_path.rpartition("/")[2] not in told, path
        assert "Which colour?" not in told, path
    for path in (job_path, thread_path, f"{job_path}/log.txt"):
        answered = await other.page.request.get(other.hub_url + path)
        assert answered.status == httpx.codes.NOT_FOUND, path


async def test_a_hub_that_is_killed_in_the_middle_costs_the_page_nothing(
    surf: Surf, apart: Apart
) -> None:
    folder = folder_of(apart, "second")
    anna = await apart.surfer(surf)
    page = anna.page
    await anna.goes("/tasks/new?kind=play.steps")
    await page.get_by_label("Text", exact=True).fill(str(folder))
    await page.get_by_role("button", name="Ask for it").click()
    await shows(page, "Running")

    apart.kill_hub()
    await expect(page.locator("#paused")).to_contain_text("paused", timeout=PATIENCE_MS)
    # Meanwhile the job goes on at its computer, and asks.
    (folder / "ask").touch()
    await apart.start_hub()
    await shows(page, "Asking")
    await expect(page.locator("#paused")).to_be_empty(timeout=PATIENCE_MS)
    forget_outage(anna)
    await anna.is_clean()

    await page.get_by_role("button", name="Red").click()
    await shows(page, "Running")
    apart.kill_hub()
    (folder / "end").touch()
    await apart.start_hub()
    await shows(page, "Done")
    live = await events_on(page)
    await page.reload()
    assert await events_on(page) == live
    assert len(live) == len(set(live))
    history = await asyncio.to_thread(apart.rest.get_job_events, page.url.rpartition("/")[2])
    told = [event.type for event in history.events]
    assert told.count("job_started") == told.count("job_succeeded") == 1
    forget_outage(anna)
    await anna.is_clean()


async def test_it_is_done_by_keys_alone(surf: Surf, apart: Apart) -> None:
    folder = folder_of(apart, "third")
    anna = await apart.surfer(surf)
    page, keys = anna.page, anna.page.keyboard
    await keys.press("n")
    await page.wait_for_url("**/tasks/new")
    focused = page.locator(":focus")
    for _ in range(100):
        await keys.press("j")
        if "play.steps" in (await focused.get_attribute("href") or ""):
            break
    await keys.press("Enter")
    await page.wait_for_url("**kind=play.steps")
    text = page.get_by_label("Text", exact=True)
    for _ in range(100):
        await keys.press("Tab")
        if await text.evaluate("e => e === document.activeElement"):
            break
    await keys.type(str(folder))
    await keys.press("Enter")
    await shows(page, "Running")
    (folder / "ask").touch()
    await shows(page, "Asking")
    await keys.press("j")
    await keys.press("2")
    await shows(page, "Running")
    (folder / "end").touch()
    await shows(page, "Done")
    await expect(page.get_by_text("Painted blue.").first).to_be_visible()


async def test_it_is_done_without_scripts(surf: Surf, apart: Apart) -> None:
    folder = folder_of(apart, "fourth")
    anna = await apart.surfer(surf, scripts=False)
    page = anna.page
    await anna.goes("/tasks/new?kind=play.steps")
    await page.get_by_label("Text", exact=True).fill(str(folder))
    await page.get_by_role("button", name="Ask for it").click()
    await reloads_until(page, "Running")
    (folder / "ask").touch()
    await reloads_until(page, "Asking")
    await anna.goes("/inbox")
    await page.get_by_role("button", name="Red").click()
    await expect(page.locator(".toast")).to_contain_text("Answered: Red")
    (folder / "end").touch()
    await anna.goes("/")
    await page.get_by_role("link", name="steps").first.click()
    await reloads_until(page, "Done")
    await expect(page.get_by_text("Painted red.").first).to_be_visible()
    await page.get_by_role("link", name="Chat", exact=True).last.click()
    # The talk stands at its end by itself.
    await expect(page.get_by_text("Painted red.").last).to_be_in_viewport()
    await page.get_by_label("Your message about this task").fill("Thanks, red it is.")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator(".bubble.mine").last).to_contain_text("Thanks, red it is.")


async def reloads_until(page: Page, state: str) -> None:
    """Look again, as one does without scripts, until a job is in a state."""
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while (await page.locator(".job-head .chip").inner_text()).strip() != state:
            await asyncio.sleep(0.2)
            await page.reload()
