"""The page about the API: read without a script, in every size and colour, and all of it there."""

from __future__ import annotations

from playwright.async_api import expect

from hub.frontends.api.document import operations
from tests.browser.surfing import Surf
from tests.hub.frontends.world import World

DOCS = "/api/v1/docs"


async def test_the_page_about_the_api_keeps_the_rules(surf: Surf, world: World) -> None:
    surfer = await surf.stranger(world.hub)
    await surfer.goes(DOCS)
    await expect(surfer.page.get_by_role("heading", level=1)).to_contain_text("REST API")
    await surfer.shots("api-docs")


async def test_an_address_opens_its_operation(surf: Surf, world: World) -> None:
    surfer = await surf.stranger(world.hub)
    await surfer.goes(f"{DOCS}#create_task")
    await expect(surfer.page.locator("#create_task")).to_be_visible()
    await surfer.page.locator("#create_task").get_by_role("link", name="TaskShown").click()
    await expect(surfer.page.locator("#schema-TaskShown")).to_be_visible()
    await surfer.fits()
    await surfer.is_clean()


async def test_everything_is_on_it_without_scripts(surf: Surf, world: World) -> None:
    document = (await world.rest.get("/openapi.json")).json()
    surfer = await surf.stranger(world.hub, scripts=False)
    await surfer.goes(DOCS)
    told = await surfer.page.content()
    for operation in operations(document):
        assert f'id="{operation.name}"' in told
        assert operation.path in told
    for name in document["components"]["schemas"]:
        assert f'id="schema-{name}"' in told
    assert "<script" not in told
