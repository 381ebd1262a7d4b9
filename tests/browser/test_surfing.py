"""What the tests of pages rely on: the browser sees and tells when a page breaks a rule."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.surfing import Surf
from tests.hub.frontends.world import World


async def test_a_picture_without_words_is_told(surf: Surf, world: World) -> None:
    surfer = await surf.someone(world.hub)
    await surfer.goes("/")
    await surfer.ask("document.querySelector('main').append(document.createElement('img'))")
    with pytest.raises(AssertionError, match="image-alt"):
        await surfer.is_clean()


async def test_a_script_in_the_page_does_not_run_and_is_told(surf: Surf, world: World) -> None:
    surfer = await surf.someone(world.hub)
    await surfer.goes("/")
    await surfer.ask(
        "document.body.insertAdjacentHTML('beforeend',"
        " '<p id=bad>unharmed</p><button id=press onclick=\"bad.textContent=1\">Press</button>')"
    )
    await surfer.page.locator("#press").click()
    await expect(surfer.page.locator("#bad")).to_have_text("unharmed")
    with pytest.raises(AssertionError, match="Content Security Policy"):
        await surfer.is_clean()


async def test_what_sticks_out_is_told(surf: Surf, world: World) -> None:
    surfer = await surf.someone(world.hub)
    await surfer.goes("/")
    await surfer.fits()
    await surfer.ask("document.querySelector('main').style.minWidth = '3000px'")
    with pytest.raises(AssertionError, match="too wide"):
        await surfer.fits()
