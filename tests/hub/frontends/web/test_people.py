"""Owners and members: who sees whose things, and who brings people in."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from hub.core.access import Person, Role
from tests.hub.frontends.web.reader import Reader, a_reader, a_stranger
from tests.hub.frontends.world import World


@pytest.fixture
async def ben(world: World) -> Person:
    return await world.hub.services.registry.add_person("ben")


@pytest.fixture
async def member(world: World, ben: Person) -> AsyncIterator[Reader]:
    async with a_reader(world.hub, ben.person_id) as opened:
        yield opened


async def test_a_person_is_brought_in_and_given_a_link(reader: Reader, world: World) -> None:
    page = await reader.post("/people", name="  Cleo   Ash ")
    assert page.toast == "Cleo Ash may use this hub now. Give them a link that signs them in."
    shown = await reader.post(f"{page.path}/link")
    [path] = re.findall(r"/in/[\w-]{43}", shown.text)
    assert path not in (await reader.get(page.path)).html
    async with a_stranger(world.hub) as cleo:
        await cleo.post(path, csrf="")
        assert (await cleo.get("/me")).text.startswith("Cleo Ash")


async def test_pages_of_owners_do_not_exist_for_members(
    member: Reader, world: World, ben: Person
) -> None:
    owner = (await world.hub.services.registry.people())[0]
    assert (await member.get("/people")).status == 404
    assert (await member.get(f"/people/{owner.person_id}")).status == 404
    for deed in ("link", "role", "lock", "unlock", "sign-out"):
        for person in (owner, ben):
            assert (await member.post(f"/people/{person.person_id}/{deed}")).status == 404
    assert "/people" not in (await member.get("/")).links


async def test_an_owner_may_look_at_everybodys_things_and_stays_there(
    reader: Reader, member: Reader, world: World
) -> None:
    page = await reader.get("/?who=everyone")
    assert "You see the things of everybody" in page.text
    inside = [link for link in page.links if link.startswith("/") and "who=me" not in link]
    assert inside
    assert all("who=everyone" in link for link in inside)
    assert "You see the things of everybody" not in (await reader.get("/")).text
    assert "You see the things of everybody" not in (await member.get("/?who=everyone")).text


async def test_a_role_is_changed_by_an_owner_and_the_last_one_stays(
    reader: Reader, member: Reader, world: World, ben: Person
) -> None:
    owner = (await world.hub.services.registry.people())[0]
    refused = await reader.post(f"/people/{owner.person_id}/role", role="member")
    assert (refused.status, "only owner" in refused.text) == (409, True)
    assert (await reader.post(f"/people/{ben.person_id}/role", role="king")).status == 422
    await reader.post(f"/people/{ben.person_id}/role", role="owner")
    assert (await member.get("/people")).status == 200
    assert (await world.hub.services.registry.person(ben.person_id)).role is Role.OWNER


async def test_a_person_is_locked_out_and_let_in_again(
    reader: Reader, member: Reader, ben: Person
) -> None:
    at = f"/people/{ben.person_id}"
    assert (await reader.post(f"{at}/lock")).toast == "ben is locked; 0 jobs stopped."
    assert (await member.get("/")).status == 401
    assert (await reader.post(f"{at}/link")).status == 403
    assert (await reader.post(f"{at}/unlock")).toast == "ben is unlocked."
    assert (await reader.post(f"{at}/link")).status == 200


async def test_a_person_is_signed_out_by_an_owner(
    reader: Reader, member: Reader, ben: Person
) -> None:
    page = await reader.post(f"/people/{ben.person_id}/sign-out")
    assert page.toast == "ben is signed out of 1 browser."
    assert (await member.get("/")).status == 401


async def test_nobody_unknown_has_a_page(reader: Reader) -> None:
    assert (await reader.get("/people/nobody")).status == 404


async def test_words_of_people_are_never_markup(reader: Reader) -> None:
    page = await reader.post("/people", name='<img src=x onerror="alert(1)">')
    assert "<img src=x" not in page.html
    assert '<img src=x onerror="alert(1)">' in page.text.replace("&#34;", '"')
