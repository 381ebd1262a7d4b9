"""The pages of programs' keys."""

from __future__ import annotations

import html
import re

import httpx

from hub.core.access import Scope
from tests.hub.frontends.web.reader import Read, Reader, a_reader
from tests.hub.frontends.web.seeds import owner_of
from tests.hub.frontends.world import World

KEY = re.compile(r"dh_(\w+?)_[0-9a-f-]{36}_[\w-]{43}")


def key_of(page: Read) -> str:
    found = KEY.search(html.unescape(page.html))
    assert found is not None
    return found[0]


async def works(world: World, key: str, method: str = "GET", path: str = "/jobs") -> int:
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(trust_env=False, verify=False) as program:
        url = f"{world.url}/api/v1{path}"
        return (await program.request(method, url, headers=headers)).status_code


async def test_a_key_is_shown_once_and_may_what_was_chosen(world: World, reader: Reader) -> None:
    page = await reader.post("/keys", name="Grafana", scope="read", life="7")
    key = key_of(page)
    assert "Grafana: your new key" in page.text
    assert await works(world, key) == 200
    assert await works(world, key, "POST", "/dead-letters/requeue") == 403
    again = await reader.get("/keys")
    assert KEY.search(again.html) is None
    assert f"{key[:16]}…{key[-4:]}" in again.text
    assert page.response.headers["cache-control"] == "no-store"


async def test_a_key_without_a_name_is_refused_and_nothing_typed_is_lost(
    reader: Reader,
) -> None:
    page = await reader.post("/keys", name=" ", scope="worker", kinds="ml.train", life="90")
    assert page.status == 400
    assert "A key's name has 1 to 100 characters." in page.text
    assert 'value="worker" checked' in page.html
    assert 'value="ml.train"' in page.html
    assert '<option value="90" selected>' in page.html


async def test_a_key_is_replaced_and_the_old_one_goes_on_for_a_while(
    world: World, reader: Reader
) -> None:
    old = key_of(await reader.post("/keys", name="Grafana", scope="read"))
    [path] = [p for p in (await reader.get("/keys")).links if p.startswith(f"/keys/{old[8:44]}")]
    page = await reader.post(f"{path}/rotate", overlap="24")
    new = key_of(page)
    assert "The one it replaces works until" in page.text
    assert (await works(world, old), await works(world, new)) == (200, 200)
    at_once = await reader.post(f"/keys/{new[8:44]}/rotate", overlap="0")
    assert (await works(world, new), await works(world, key_of(at_once))) == (401, 200)


async def test_a_key_is_revoked(world: World, reader: Reader) -> None:
    key = key_of(await reader.post("/keys", name="Grafana", scope="read"))
    done = await reader.post(f"/keys/{key[8:44]}/revoke")
    assert done.toast == "Grafana works no more."
    assert await works(world, key) == 401
    assert "Grafana" in (await reader.get("/audit")).text


async def test_a_member_cannot_make_an_operators_key(world: World) -> None:
    ben = await world.hub.services.registry.add_person("ben")
    async with a_reader(world.hub, ben.person_id) as reader:
        assert 'value="admin"' not in (await reader.get("/keys")).html
        refused = await reader.post("/keys", name="mine", scope="admin")
        assert refused.status == 400
        assert KEY.search(refused.html) is None
        assert await world.hub.services.keys.issue(await owner_of(world), Scope.READ)
        assert "No program has a key yet." in (await reader.get("/keys")).text
