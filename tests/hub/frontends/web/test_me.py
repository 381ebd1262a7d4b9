"""One's own account, light or dark, and pages for what went wrong."""

from __future__ import annotations

from hub.core.view import Sender
from tests.hub.frontends.web.reader import Reader, a_reader, a_stranger
from tests.hub.frontends.world import World


async def test_the_account_shows_chats_and_browsers(reader: Reader, world: World) -> None:
    owner = (await world.hub.services.registry.people())[0]
    await world.hub.services.registry.link(
        owner.person_id, Sender(frontend="telegram", external_id="4711", name="Anna")
    )
    page = await reader.get("/me")
    assert "Anna on Telegram" in page.text
    assert "A browser This one" in page.text


async def test_a_person_is_called_as_they_like(reader: Reader) -> None:
    page = await reader.post("/me/name", name="  Anna \n K. ")
    assert page.toast == "You are called Anna K. now."
    assert page.text.startswith("Anna K.")
    assert (await reader.post("/me/name", name=" ")).status == 422


async def test_other_browsers_are_signed_out_from_here(reader: Reader, world: World) -> None:
    async with a_reader(world.hub) as other:
        page = await reader.post("/me/sign-ins/end-others")
        assert page.toast.startswith("1 other browser signed out.")
        assert (await other.get("/")).status == 401
    assert (await reader.get("/")).status == 200


async def test_nobody_ends_the_sign_in_of_somebody_else(reader: Reader, world: World) -> None:
    ben = await world.hub.services.registry.add_person("ben")
    async with a_reader(world.hub, ben.person_id) as other:
        [theirs] = await world.hub.services.sign_ins.of_person(ben.person_id)
        await reader.post(f"/me/sign-ins/{theirs.sign_in_id}/end")
        assert (await other.get("/")).status == 200


async def test_the_chosen_colours_stand_in_the_page_itself(reader: Reader) -> None:
    assert '<html lang="en">' in (await reader.get("/me")).html
    page = await reader.post("/theme", theme="dark", back="/me")
    assert (page.path, '<html lang="en" data-theme="dark">' in page.html) == ("/me", True)
    assert "data-theme" not in (await reader.post("/theme", theme="", back="/me")).html
    assert (await reader.post("/theme", theme="dark", back="//evil.example")).path == "/"


async def test_a_toast_is_shown_once(reader: Reader) -> None:
    page = await reader.post("/me/sign-ins/end-others")
    assert page.toast
    assert not (await reader.get("/me")).toast


async def test_a_page_fetched_for_news_leaves_the_toast_for_the_person(reader: Reader) -> None:
    word = (await reader.get("/me")).csrf
    await reader.client.post("/me/sign-ins/end-others", data={"csrf": word}, follow_redirects=False)
    await reader.client.get("/me", headers={"Deskhand-Bell": "1"})
    assert (await reader.get("/me")).toast


async def test_a_forged_toast_leads_nowhere_else(reader: Reader) -> None:
    for forged in ("", "x", "e30=", "bnVsbA==", "eyJzYXlzIjogMX0=", "w6k="):
        reader.client.cookies.set("deskhand_toast", forged)
        assert (await reader.get("/me")).status == 200


async def test_a_form_has_a_limit(reader: Reader) -> None:
    assert (await reader.post("/me/name", name="x" * 300_000)).status == 413
    assert (await reader.post("/me/name", name="x" * 200)).status == 422


async def test_what_is_not_there_is_told_as_a_page_with_the_way_back(
    reader: Reader, world: World
) -> None:
    page = await reader.get("/nowhere")
    assert (page.status, "There is no such page." in page.text) == (404, True)
    assert "/inbox" in page.links
    async with a_stranger(world.hub) as stranger:
        page = await stranger.get("/nowhere")
    assert (page.status, "/inbox" in page.links) == (404, False)
    assert page.response.headers["content-security-policy"]
