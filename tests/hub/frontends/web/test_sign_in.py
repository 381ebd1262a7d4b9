"""The way into the dashboard, and what keeps others out."""

from __future__ import annotations

import re

import httpx
import pytest

from hub.frontends.web.rules import FOREIGN
from tests.hub.frontends.web.reader import Reader, a_reader, a_stranger
from tests.hub.frontends.world import World


async def a_link(world: World) -> str:
    owner = (await world.hub.services.registry.people())[0]
    return f"/in/{(await world.hub.services.sign_ins.link(owner.person_id)).secret}"


async def test_a_stranger_is_told_how_to_get_in_and_led_where_they_wanted_to_go(
    world: World,
) -> None:
    async with a_stranger(world.hub) as reader:
        page = await reader.get("/me?x=1")
        assert page.status == 401
        for way in ("/web", "deskhand-hub invite --web", "Ask the owner"):
            assert way in page.text
        assert (await reader.post(await a_link(world), csrf="")).path == "/me?x=1"


async def test_looking_at_a_link_does_not_use_it_up(world: World) -> None:
    link = await a_link(world)
    async with a_stranger(world.hub) as reader:
        for _ in range(2):
            page = await reader.get(link)
            assert "Sign in as me" in page.text
            assert page.response.headers["cache-control"] == "no-store"
        assert (await reader.get("/")).status == 401
        assert (await reader.post(link, csrf="")).status == 200
        used = await reader.post(link, csrf="")
    assert used.status == 404
    assert "This link is wrong, used or expired." in used.text


@pytest.mark.parametrize("secret", ["x", "a" * 43, "%00", "a" * 5000])
async def test_every_wrong_link_is_answered_alike(world: World, secret: str) -> None:
    async with a_stranger(world.hub) as reader:
        page = await reader.get(f"/in/{secret}")
    assert page.status == 404


async def test_the_cookie_is_for_this_hub_and_no_script(world: World) -> None:
    async with a_stranger(world.hub) as reader:
        sent = await reader.client.post(await a_link(world), follow_redirects=False)
    [cookie] = [c for c in sent.headers.get_list("set-cookie") if "deskhand_next" not in c]
    assert cookie.startswith(f"deskhand_{world.hub.settings.port}=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


async def test_over_tls_every_cookie_is_secure_and_bound_to_the_host(world: World) -> None:
    tls = {"X-Forwarded-Proto": "https"}
    async with a_stranger(world.hub) as reader:
        sent = await reader.client.post(await a_link(world), follow_redirects=False, headers=tls)
        cookies = sent.headers.get_list("set-cookie")
        [cookie] = [c for c in cookies if c.startswith("__Host-deskhand=")]
        assert all("Secure" in c for c in cookies)
        value = cookie.partition("=")[2].partition(";")[0]
        assert sent.headers["strict-transport-security"]
        for name, status in (("__Host-deskhand", 200), ("deskhand_443", 401)):
            page = await reader.client.get("/me", headers={**tls, "Cookie": f"{name}={value}"})
            assert page.status_code == status


async def test_a_key_in_the_cookie_opens_nothing(world: World) -> None:
    async with a_stranger(world.hub) as reader:
        for name in ("deskhand", f"deskhand_{world.hub.settings.port}", "__Host-deskhand"):
            reader.client.cookies.set(name, world.admin_key)
        assert (await reader.get("/")).status == 401


async def test_each_sign_in_has_a_new_secret_and_ends_the_one_before(
    reader: Reader, world: World
) -> None:
    before = dict(reader.client.cookies)
    await reader.post(await a_link(world), csrf="")
    assert dict(reader.client.cookies) != before
    owner = (await world.hub.services.registry.people())[0]
    assert len(await world.hub.services.sign_ins.of_person(owner.person_id)) == 1


async def test_signing_out_ends_it_here_and_on_the_hub(reader: Reader, world: World) -> None:
    kept = dict(reader.client.cookies)
    assert (await reader.post("/sign-out")).path == "/sign-in"
    assert (await reader.get("/")).status == 401
    async with httpx.AsyncClient(
        base_url=world.url, cookies=kept, trust_env=False, verify=False
    ) as thief:
        assert (await thief.get("/")).status_code == 401


async def test_a_lock_in_a_chat_signs_out_everywhere(reader: Reader, world: World) -> None:
    async with world.chat() as chat:
        await chat.say("/lock")
    assert (await reader.get("/")).status == 401


async def test_a_chat_gives_a_link_that_works(world: World) -> None:
    async with world.chat() as chat, a_stranger(world.hub) as reader:
        [view] = await chat.say("/web")
        path = view.text.rpartition(world.url)[2]
        assert (await reader.post(path, csrf="")).status == 200


async def test_the_api_gives_a_link_to_oneself_and_the_operator_one_to_anybody(
    world: World,
) -> None:
    ben = (await world.rest.post("/people", json={"name": "ben"})).json()
    made = (await world.rest.post("/sign-in-links", json={"person_id": ben["person_id"]})).json()
    async with a_stranger(world.hub) as reader:
        page = await reader.post(made["url"].removeprefix(world.url), csrf="")
        assert (await reader.get("/me")).text.startswith("ben")
        assert page.status == 200
    headers = {"Authorization": f"Bearer {ben['key']}"}
    own = await world.rest.post("/sign-in-links", json={}, headers=headers)
    assert own.json()["person_id"] == ben["person_id"]
    owner = (await world.hub.services.registry.people())[0]
    foreign = await world.rest.post(
        "/sign-in-links", json={"person_id": owner.person_id}, headers=headers
    )
    assert foreign.status_code == 403


# Forms of other sites.


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "nonsense"},
    ],
)
async def test_another_site_changes_nothing_even_with_the_right_word(
    reader: Reader, headers: dict[str, str]
) -> None:
    word = (await reader.get("/me")).csrf
    sent = await reader.client.post("/sign-out", data={"csrf": word}, headers=headers)
    assert (sent.status_code, sent.text) == (403, FOREIGN)
    assert (await reader.get("/")).status == 200


async def test_a_browser_behind_a_proxy_that_hides_tls_is_still_our_own(reader: Reader) -> None:
    word = (await reader.get("/me")).csrf
    headers = {"Origin": "https://hub.example", "Sec-Fetch-Site": "same-origin"}
    sent = await reader.client.post("/sign-out", data={"csrf": word}, headers=headers)
    assert sent.url.path == "/sign-in"


@pytest.mark.parametrize("word", ["", "x", "é", "a" * 43])
async def test_a_form_without_its_word_changes_nothing(reader: Reader, word: str) -> None:
    sent = await reader.post("/sign-out", csrf=word)
    assert sent.status == 403
    assert "not from a page that you have open here now" in sent.text
    assert (await reader.get("/")).status == 200


async def test_the_word_of_another_sign_in_is_no_word_here(world: World) -> None:
    async with a_reader(world.hub) as one, a_reader(world.hub) as other:
        word = (await other.get("/me")).csrf
        assert (await one.post("/sign-out", csrf=word)).status == 403


async def test_a_script_of_a_page_shows_the_word_in_a_header(reader: Reader) -> None:
    word = (await reader.get("/me")).csrf
    sent = await reader.client.post("/sign-out", headers={"Deskhand-CSRF": word})
    assert sent.url.path == "/sign-in"


# Where one is led.


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example"]
)
async def test_nobody_is_led_off_this_hub(world: World, elsewhere: str) -> None:
    async with a_stranger(world.hub) as reader:
        reader.client.cookies.set("deskhand_next", elsewhere)
        sent = await reader.client.post(await a_link(world), follow_redirects=False)
    assert sent.headers["location"] == "/"


# Every route.


async def test_nothing_but_the_way_in_is_open_to_strangers(world: World) -> None:
    from hub.frontends.web.site import ROUTERS

    open_to_all = {"/sign-in", "/in/{secret}", "/theme"}
    async with a_stranger(world.hub) as reader:
        for router in ROUTERS:
            for route in router.routes:
                path = getattr(route, "path", "")
                if path in open_to_all:
                    continue
                filled = re.sub(r"\{[^}]*\}", "019aa000-0000-7000-8000-000000000001", path)
                for method in getattr(route, "methods", ()):
                    answer = await reader.client.request(method, filled)
                    assert answer.status_code == 401, f"{method} {path}: {answer.status_code}"
