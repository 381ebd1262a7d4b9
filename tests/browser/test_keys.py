"""The dashboard without a mouse, and what is asked before it is done."""

from __future__ import annotations

from playwright.async_api import expect

from hub.core.access import Role
from tests.browser.surfing import Surf
from tests.hub.frontends.world import World


async def test_rows_are_walked_and_opened_with_keys(surf: Surf, world: World) -> None:
    for name in ("Ben", "Cleo"):
        await world.hub.services.registry.add_person(name)
    surfer = await surf.someone(world.hub)
    page = surfer.page
    await surfer.goes("/people")
    for key, row in (("j", 0), ("j", 1), ("j", 2), ("j", 2), ("k", 1)):
        await page.keyboard.press(key)
        await expect(page.locator("tr[data-row]").nth(row).locator("a")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Ben")).to_be_visible()
    await surfer.is_clean()


async def test_a_task_is_stopped_and_tried_again_with_keys_and_its_row_stays_in_hand(
    surf: Surf, world: World
) -> None:
    for number in range(3):
        body = {"kind": "ml.train", "inputs": {"file": f"{number}.csv"}}
        await world.rest.post("/tasks", json=body)
    surfer = await surf.someone(world.hub)
    page = surfer.page
    second = page.locator("#tasks tr[data-row]").nth(1)
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await expect(second.locator("a").first).to_be_focused()
    await page.keyboard.press("c")
    await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    await expect(second.locator(".chip")).to_contain_text("Cancelled")
    await expect(page.locator(".toast")).to_be_visible()
    await expect(second.locator("a").first).to_be_focused()
    await surfer.is_clean()


async def test_keys_are_shown_and_lead_to_pages(surf: Surf, world: World) -> None:
    surfer = await surf.someone(world.hub)
    page = surfer.page
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    await surfer.is_clean()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    await page.keyboard.press("g")
    await page.keyboard.press("p")
    await page.wait_for_url("**/people")


async def test_typed_letters_are_no_keys(surf: Surf, world: World) -> None:
    surfer = await surf.someone(world.hub)
    await surfer.goes("/people")
    box = surfer.page.get_by_label("Name", exact=True)
    await box.fill("")
    await box.press_sequentially("jgp?")
    await expect(box).to_have_value("jgp?")
    await expect(surfer.page.get_by_role("dialog")).to_have_count(0)


async def test_it_is_asked_before_somebody_is_given_the_hub(surf: Surf, world: World) -> None:
    registry = world.hub.services.registry
    ben = await registry.add_person("Ben")
    surfer = await surf.someone(world.hub)
    page = surfer.page
    await surfer.goes(f"/people/{ben.person_id}")
    await page.get_by_role("button", name="Make an owner").click()
    await surfer.is_clean()
    await page.get_by_role("button", name="No").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert (await registry.person(ben.person_id)).role is Role.MEMBER
    await page.get_by_role("button", name="Make an owner").click()
    await page.get_by_role("dialog").get_by_role("button", name="Make an owner").click()
    await expect(page.get_by_text("Ben is an owner now.")).to_be_visible()
    assert (await registry.person(ben.person_id)).role is Role.OWNER


async def test_a_page_that_is_signed_out_elsewhere_says_so(surf: Surf, world: World) -> None:
    surfer = await surf.someone(world.hub)
    owner = (await world.hub.services.registry.people())[0]
    await surfer.goes("/people")
    await world.hub.services.sign_ins.end_all(owner.person_id, "a test")
    await expect(surfer.page.locator("#paused")).to_contain_text("not signed in any more")
