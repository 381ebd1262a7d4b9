"""Connecting a computer in the browser."""

from __future__ import annotations

import html
import re

from tests.hub.frontends.web.reader import Reader
from tests.hub.frontends.web.seeds import joining, owner_of
from tests.hub.frontends.world import World
from tests.pairing import Computer

CODE = re.compile(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}")


async def test_a_code_comes_with_all_the_ways_to_carry_it(world: World, reader: Reader) -> None:
    page = await reader.post("/pair")
    found = CODE.search(page.text)
    assert found is not None
    code, url = found[0], world.hub.settings.hub_url
    for words in (
        f"{url}/download#{code}",
        f"deskhand pair {code} --hub {url}",
        f"curl -fsSL {url}/worker.sh | sh -s -- {code}",
        f"worker.ps1))) {code}",
    ):
        assert words in page.text, words
    assert f"deskhand://pair?hub={url}&code={code}" in page.links
    assert 'src="data:image/svg+xml' in html.unescape(page.html)
    asked = await Computer("tablet").ask(world.hub.services, code)
    assert asked.person_name == "me"


async def test_a_code_is_in_no_address_and_not_shown_again(reader: Reader) -> None:
    made = await reader.post("/pair")
    assert made.path == "/pair"
    assert CODE.search((await reader.get("/pair")).text) is None


async def test_a_new_code_ends_the_one_before(world: World, reader: Reader) -> None:
    first = CODE.search((await reader.post("/pair")).text)
    await reader.post("/pair")
    assert first is not None
    shown = await reader.post("/pair/adopt", code=first[0])
    assert "That code is wrong, used or expired." in shown.text


async def test_a_computer_is_let_in_after_its_words_were_shown(
    world: World, reader: Reader
) -> None:
    request = await joining(world, "kitchen tablet")
    page = await reader.get("/pair")
    assert "kitchen tablet wants to join" in page.text
    assert request.words in page.text
    done = await reader.post(f"/pair/{request.join_id}/approve")
    assert done.toast == "kitchen tablet was let in."
    assert "Let in, about to come kitchen tablet by me on the web" in done.text
    twice = await reader.post(f"/pair/{request.join_id}/reject")
    assert "was let in before, by me on the web" in twice.text


async def test_a_computer_is_turned_away(world: World, reader: Reader) -> None:
    request = await joining(world)
    done = await reader.post(f"/pair/{request.join_id}/reject")
    assert done.toast == "tablet was turned away."
    assert await world.hub.services.views.workers(await owner_of(world)) == ()


async def test_the_code_that_a_computer_shows_is_taken(world: World, reader: Reader) -> None:
    asked = await Computer("kiosk").ask(world.hub.services, None)
    taken = await reader.post("/pair/adopt", code=asked.user_code.lower().replace("-", " "))
    assert "kiosk asks to join" in taken.toast
    assert "kiosk wants to join" in taken.text
