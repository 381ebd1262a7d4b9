"""Every page of the dashboard, in all sizes and colours: nothing breaks a rule or sticks out.

A new page gets a line in `PAGES`.
"""

from __future__ import annotations

import pytest
from fastapi.routing import APIRoute
from playwright.async_api import expect

from hub.frontends.web.site import ROUTERS
from tests.browser.surfing import DESKTOP, PHONE, Surf
from tests.hub.frontends.world import World

PAGES = (
    "/",
    "/tasks/new",
    "/inbox",
    "/chat",
    "/chat/desk",
    "/workers",
    "/runs",
    "/queue",
    "/schedules",
    "/sessions",
    "/dead",
    "/activity",
    "/audit",
    "/pair",
    "/keys",
    "/webhooks",
    "/hub",
    "/me",
    "/people",
    "/dead/purge",
)
NO_PAGES = {"/live", "/sign-in", "/audit.csv", "/audit.jsonl"}


def test_every_page_is_looked_at() -> None:
    paths = {
        route.path
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and "GET" in (route.methods or ()) and "{" not in route.path
    }
    assert paths - NO_PAGES == set(PAGES)


@pytest.mark.parametrize("path", PAGES)
async def test_an_empty_page_reads_well_and_keeps_the_rules(
    surf: Surf, world: World, path: str
) -> None:
    surfer = await surf.someone(world.hub)
    await surfer.goes(path)
    await surfer.shots("empty-" + (path.strip("/").replace("/", "-") or "tasks"))


async def test_what_is_not_there_reads_well(surf: Surf, world: World) -> None:
    surfer = await surf.someone(world.hub)
    await surfer.goes("/nowhere")
    surfer.faults.clear()  # the browser itself complains of the status
    await surfer.shots("not-found")


async def test_the_way_in_reads_well(surf: Surf, world: World) -> None:
    surfer = await surf.stranger(world.hub)
    await surfer.goes("/sign-in")
    await surfer.shots("sign-in")
    owner = (await world.hub.services.registry.people())[0]
    link = await world.hub.services.sign_ins.link(owner.person_id)
    await surfer.goes(f"/in/{link.secret}")
    await surfer.shots("enter")


async def test_a_persons_page_reads_well_with_a_link_for_them(surf: Surf, world: World) -> None:
    surfer = await surf.someone(world.hub)
    ben = await world.hub.services.registry.add_person("Ben")
    await surfer.goes(f"/people/{ben.person_id}")
    await surfer.page.get_by_role("button", name="Make a sign-in link").click()
    await expect(surfer.page.get_by_text("It signs one browser in")).to_be_visible()
    await surfer.shots("person")


async def test_the_bar_is_under_the_thumb_on_a_phone(surf: Surf, world: World) -> None:
    surfer = await surf.someone(world.hub, size=PHONE)
    page = surfer.page
    await expect(page.get_by_role("link", name="Dead letters")).to_be_hidden()
    await page.get_by_role("button", name="More").click()
    await expect(page.get_by_role("link", name="Dead letters")).to_be_visible()
    await surfer.is_clean()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("link", name="Dead letters")).to_be_hidden()
    for box in [await b.bounding_box() for b in await page.locator(".pages a:visible").all()]:
        assert box is not None
        assert box["height"] >= 44
        assert box["y"] + box["height"] <= PHONE[1]


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
async def test_pages_are_used_without_scripts(
    surf: Surf, world: World, size: tuple[int, int]
) -> None:
    surfer = await surf.someone(world.hub, size=size, scripts=False)
    page = surfer.page
    await world.rest.post("/tasks", json={"kind": "ml.models"})
    await surfer.goes("/")
    await expect(page.locator("#tasks tbody tr")).to_have_count(1)
    await surfer.goes("/me")
    await page.get_by_role("button", name="Dark").click()
    await expect(page.locator("html[data-theme=dark]")).to_have_count(1)
    await page.get_by_role("button", name="Sign out").first.click()
    await expect(page.get_by_role("heading", name="Sign in to")).to_be_visible()
